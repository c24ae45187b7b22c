"""Seeds to schedules: load of every size, faults of every kind, operators, and clocks that do not keep time."""

from collections.abc import Callable
from random import Random

from stepdown.domain.fault_classes import TREATMENTS
from stepdown.domain.tiers import Urgency
from tests.simulation.chain import CHAINS
from tests.simulation.play import play
from tests.simulation.steps import (
    Activate,
    Ask,
    Die,
    Drain,
    Freeze,
    Infect,
    NextStart,
    Operate,
    RollBack,
    Schedule,
    Spoil,
    Starve,
    Step,
    StepClock,
)
from tests.simulation.workers import LoadFate, Vice
from tests.simulation.world import World

_BUDGETS_S = (*(0.03, 0.08, 0.2, 0.2, 0.5, 0.5, 0.5) * 2, -0.1, 0.0, 0.002, 0.012, 3600.0, 1e9)
_VICES = (*(vice for vice in Vice if vice is not Vice.NONE), Vice.HUNG)
_REASONS = tuple(TREATMENTS)
_CHAINS = (*["plain"] * 7, *(name for name in CHAINS if name != "plain"))
_URGENCIES = tuple(Urgency)
_CLIENTS = ("ward", "ward", "intensive care", "theatre")


def run_schedule(seed: int) -> World:
    """Live through the schedule of a seed. Raises Violation, or whatever the engine raises."""
    return play(draw_schedule(seed))


def draw_schedule(seed: int) -> Schedule:
    """The schedule of a seed."""
    return _Artist(seed).schedule()


class _Artist:
    """Draws one schedule."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._draw = Random(seed)
        self._chain = self._draw.choice(_CHAINS)
        self._trouble_s = self._draw.choice((0.3, 0.7, 0.7, 1.2, 2.5) if seed % 25 else (6.0,))
        self._tiers = [
            (path.name, tier.name)
            for path in CHAINS[self._chain]
            for tier in path.tiers
            if not tier.is_rules and tier.bundle is not None
        ]

        self._slots = [
            (path.name, tier.name) for path in CHAINS[self._chain] for tier in path.tiers if not tier.is_rules
        ]
        self._rules = [(path.name, tier.name) for path in CHAINS[self._chain] for tier in path.tiers if tier.is_rules]

    def schedule(self) -> Schedule:
        draw = self._draw
        steps: list[Step] = [self._ask() for _ in range(draw.randint(2, 12))]
        for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4, 6))):
            steps += draw.choice(_TROUBLES)(self)
        steps.sort(key=lambda step: step.at_s)
        return Schedule(seed=self._seed, trouble_s=self._trouble_s, chain=self._chain, steps=tuple(steps))

    def _moment_s(self) -> float:
        return round(self._draw.uniform(0.0, self._trouble_s), 4)

    def _span_s(self, most_s: float) -> float:
        return round(self._draw.uniform(0.0, most_s), 4)

    def _ask(self) -> Ask:
        draw = self._draw
        path = draw.choice(CHAINS[self._chain])
        names = [tier.name for tier in path.tiers]
        is_picky = draw.random() < 0.2
        budget_s = draw.choice(_BUDGETS_S)
        leaves_after_s = self._span_s(draw.choice((0.003, min(max(budget_s, 0.0), 0.5))))
        return Ask(
            at_s=self._moment_s(),
            budget_s=budget_s,
            pathway=path.name,
            count=draw.choice((1, 1, 1, 2, 3, 6)),
            rows=draw.choice((1, 1, 1, 1, 1, 2, 4, 5)),
            urgency=draw.choice(_URGENCIES),
            minimum_tier=draw.choice(("", *names)) if is_picky else "",
            only_tier=draw.choice(("", *names)) if is_picky else "",
            has_rules=draw.random() < 0.95,
            client=draw.choice(_CLIENTS),
            is_suitable=draw.random() < 0.96,
            is_vetted=draw.random() < 0.8,
            is_spared=draw.random() < 0.02,
            cancel_after_s=leaves_after_s if draw.random() < 0.2 else None,
        )

    # --- trouble ---------------------------------------------------------------------------------------------------

    def infect(self) -> list[Step]:
        draw = self._draw
        path, tier = draw.choice(self._tiers)
        vice = draw.choice(_VICES)
        stuck = vice is Vice.HUNG and draw.random() < 0.3
        moment_s, reason = self._moment_s(), draw.choice(_REASONS)
        return [Infect(at_s=moment_s, pathway=path, tier=tier, vice=vice, reason=reason, is_unkillable=stuck)]

    def die(self) -> list[Step]:
        path, tier = self._draw.choice(self._tiers)
        return [Die(at_s=self._moment_s(), pathway=path, tier=tier)]

    def all_die(self) -> list[Step]:
        moment_s = self._moment_s()
        return [Die(at_s=moment_s, pathway=path, tier=tier) for path, tier in self._tiers]

    def bad_start(self) -> list[Step]:
        draw = self._draw
        path, tier = draw.choice(self._tiers)
        start = NextStart(
            at_s=self._moment_s(),
            pathway=path,
            tier=tier,
            fate=draw.choice(tuple(LoadFate)),
            reason=draw.choice(_REASONS),
            load_s=draw.choice((0.0, 0.02, 0.1, 0.8)),
        )
        return [start] * draw.choice((1, 1, 2, 5, 9))

    def spoil(self) -> list[Step]:
        """The rules' tables change in memory while the models may be gone, so that the rules are asked."""
        draw, moment_s = self._draw, self._moment_s()
        path = draw.choice(CHAINS[self._chain]).name
        asks = Ask(at_s=moment_s, pathway=path, budget_s=draw.choice((0.03, 0.4, 2.0)), times=20, every_s=0.02)
        relapses = draw.choice((0, 0, 1, 3, 12))
        return [
            *(self.all_die() if draw.random() < 0.5 else ()),
            Spoil(at_s=moment_s, pathway=path, relapses=relapses),
            asks,
        ]

    def hold_a_device(self) -> list[Step]:
        """A worker that no signal ends keeps its device, while others end that may be on the same."""
        self._trouble_s = max(self._trouble_s, 4.0)
        path, tier = self._draw.choice(self._tiers)
        moment_s = self._span_s(0.3)
        stuck = Infect(at_s=moment_s, pathway=path, tier=tier, vice=Vice.HUNG, is_unkillable=True)
        ended = [
            Die(at_s=moment_s + 1.0 + self._span_s(2.0), pathway=other_path, tier=other)
            for other_path, other in self._tiers
            if (other_path, other) != (path, tier)
        ]
        return [stuck, *ended]

    def crash_loop(self) -> list[Step]:
        """A worker that ends again and again, until its tier is not started any more."""
        self._trouble_s = max(self._trouble_s, 3.5)
        path, tier = self._draw.choice(self._tiers)
        moment_s = self._span_s(0.3)
        start = NextStart(at_s=moment_s, pathway=path, tier=tier, fate=LoadFate.DIES, load_s=0.0)
        return [start] * 9

    def late_for_the_slow(self) -> list[Step]:
        """Callers wait behind a slow batch while the timer does not run."""
        moment_s, (path, tier) = self._moment_s(), self._draw.choice(self._tiers)
        asks = [
            Ask(at_s=moment_s + self._span_s(0.05), pathway=path, budget_s=0.02 + self._span_s(0.1), count=3)
            for _ in range(6)
        ]
        return [
            Infect(at_s=moment_s, pathway=path, tier=tier, vice=Vice.SLOW),
            Starve(at_s=moment_s + 0.02, for_s=self._span_s(0.5)),
            *asks,
        ]

    def operate(self) -> list[Step]:
        path, tier = self._draw.choice([*self._tiers, *self._rules])
        moment_s, back_s = self._moment_s(), self._span_s(0.5)
        return [
            Operate(at_s=moment_s, pathway=path, tier=tier, is_enabling=self._draw.random() < 0.2),
            Operate(at_s=moment_s + back_s, pathway=path, tier=tier, is_enabling=True),
        ]

    def overload(self) -> list[Step]:
        draw = self._draw
        path = draw.choice(CHAINS[self._chain]).name
        moment_s = self._moment_s()
        return [
            Ask(
                at_s=moment_s + self._span_s(0.01),
                pathway=path,
                budget_s=draw.choice((0.03, 0.1, 0.5)),
                count=draw.choice((2, 4, 15)),
                times=draw.choice((3, 10)),
                every_s=draw.choice((0.0005, 0.004)),
                rows=draw.choice((1, 1, 2, 4)),
                urgency=draw.choice(_URGENCIES),
                client=draw.choice(_CLIENTS),
            )
            for _ in range(draw.choice((1, 2, 3)))
        ]

    def slow_over_liar(self) -> list[Step]:
        """Lower answers are held back for a slow tier while the lower tier has begun to lie."""
        moment_s, (path, first) = self._moment_s(), self._tiers[0]
        last_path, last = self._tiers[-1]
        asks = [Ask(at_s=moment_s + self._span_s(0.6), budget_s=0.03 + self._span_s(0.03)) for _ in range(10)]
        return [
            Infect(at_s=moment_s, pathway=path, tier=first, vice=Vice.SLOW),
            Infect(at_s=moment_s, pathway=last_path, tier=last, vice=Vice.GARBAGE),
            *asks,
        ]

    def activate(self) -> list[Step]:
        """A new version comes in beside the one that serves, and is perhaps taken back."""
        draw = self._draw
        path, tier = draw.choice([*self._slots, *self._rules])
        moment_s = self._span_s(self._trouble_s / 2)
        share, observation_s = draw.choice((0.1, 0.5, 1.0)), draw.choice((0.0, 0.1, 0.4))
        steps: list[Step] = [
            Activate(at_s=moment_s, pathway=path, tier=tier, version="2.0.0", share=share, observation_s=observation_s),
            Ask(at_s=moment_s + 0.2, pathway=path, budget_s=0.2, times=30, every_s=0.01),
        ]
        if draw.random() < 0.5:
            steps.append(RollBack(at_s=moment_s + self._span_s(0.8), pathway=path, tier=tier))
        if draw.random() < 0.3:
            at_s, again = moment_s + self._span_s(0.8), draw.choice(("2.0.0", "3.0.0"))
            steps.append(Activate(at_s=at_s, pathway=path, tier=tier, version=again, share=share))
        return steps

    def slow_under_load(self) -> list[Step]:
        """More callers than may be hedged wait for a slow tier."""
        draw, moment_s = self._draw, self._moment_s()
        path, tier = draw.choice(self._tiers)
        budget_s = draw.choice((0.04, 0.08))
        asks = Ask(
            at_s=moment_s,
            pathway=path,
            budget_s=budget_s,
            count=2,
            times=20,
            every_s=0.002,
            client=draw.choice(_CLIENTS),
        )
        return [Infect(at_s=moment_s, pathway=path, tier=tier, vice=Vice.SLOW), asks]

    def clock(self) -> list[Step]:
        return [StepClock(at_s=self._moment_s(), jump_s=self._draw.choice((-1.0, -0.2, -0.01, 0.01, 0.3, 1.0, 60.0)))]

    def starve(self) -> list[Step]:
        return [Starve(at_s=self._moment_s(), for_s=self._draw.choice((0.003, 0.03, 0.3, 1.0)))]

    def freeze(self) -> list[Step]:
        return [Freeze(at_s=self._moment_s(), for_s=self._draw.choice((0.003, 0.03, 0.3, 1.0)))]

    def drain(self) -> list[Step]:
        return [Drain(at_s=self._moment_s())]


_TROUBLES: tuple[Callable[[_Artist], list[Step]], ...] = (
    *[_Artist.infect] * 8,
    *[_Artist.die] * 2,
    _Artist.all_die,
    *[_Artist.bad_start] * 3,
    *[_Artist.operate] * 2,
    *[_Artist.overload] * 2,
    *[_Artist.spoil] * 2,
    _Artist.hold_a_device,
    _Artist.crash_loop,
    *[_Artist.slow_over_liar] * 2,
    _Artist.late_for_the_slow,
    *[_Artist.activate] * 3,
    *[_Artist.slow_under_load] * 3,
    _Artist.clock,
    _Artist.starve,
    _Artist.freeze,
    _Artist.drain,
)
