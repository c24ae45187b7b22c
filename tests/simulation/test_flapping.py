"""However faults follow one another, tiers do not flap: each comeback costs more, and an answer there always is."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.domain.notices import Notice, TierMoved
from stepdown.domain.tiers import TierState
from stepdown.resilience.backoff import BackoffPolicy, FaultBudget
from tests.simulation.chain import CHAINS, PATHWAY, POLICY
from tests.simulation.conduct import Conduct
from tests.simulation.invariants import Ledger, Violation
from tests.simulation.steps import Ask
from tests.simulation.workers import LoadFate, Start, Vice
from tests.simulation.world import World

SPAN_S = POLICY.fault_window_s
# An adversary may spend the whole fault budget and, beside it, have the breaker rest as often as its rests allow once
# they have grown to their full length; each visit to service is at most four moves.
GROWING_RESTS = 4
COMEBACKS = POLICY.fault_limit + GROWING_RESTS + round(SPAN_S / POLICY.breaker.maximum_open_duration_s)
MOVES = 4 * (COMEBACKS + 1)

FAULTS = ("dies", *(vice for vice in Vice if vice is not Vice.NONE))


class MovesByTier(Conduct):
    """Counts what the promise is about."""

    def __init__(self, world: World) -> None:
        super().__init__(world.engine, world.pool.workers)
        self.by_tier: dict[str, list[TierState]] = {}

    def told(self, notice: Notice, now_s: float) -> None:
        super().told(notice, now_s)
        if isinstance(notice, TierMoved) and notice.state is not notice.previous:
            self.by_tier.setdefault(notice.tier, []).append(notice.state)


def strike(world: World, fault: str) -> None:
    """Hurt whatever lives, in every tier."""
    for worker in world.pool.living():
        world.conduct.disturbed((worker.order.pathway, worker.order.tier))
        if fault == "dies":
            world.pool.die(worker, "signal 9")
        else:
            worker.vice = Vice(fault)


def somebody_asks(world: World) -> None:
    """One request, whose answer the world checks."""
    world.ask(Ask(at_s=0.0, budget_s=0.2))


def lived_through(faults: list[tuple[float, str]]) -> MovesByTier:
    """A span in which faults follow at these distances, over and over, while somebody keeps asking."""
    world = World(1)
    conduct = world.conduct = MovesByTier(world)
    world.ledger = Ledger(CHAINS["plain"], conduct, world.rules.gave_up)
    world.start()
    moment_s, end_s = world.now_s, world.now_s + SPAN_S
    while moment_s < end_s:
        for distance_s, fault in faults:
            moment_s += distance_s
            world.at(moment_s, lambda fault=fault: strike(world, fault))  # type: ignore[misc]
            world.at(moment_s + 0.001, lambda: somebody_asks(world))
    world.run_until(moment_s + 1.0)  # whoever asked last has his answer, or is past his deadline
    # Every answer was checked as it was given; none may be missing.
    world.ledger.check_nobody_waits()
    return conduct


distances = st.floats(min_value=0.05, max_value=2.0, allow_nan=False)
sequences = st.lists(st.tuples(distances, st.sampled_from(FAULTS)), min_size=1, max_size=8)


@given(faults=sequences)
@settings(max_examples=25)
def test_the_moves_of_a_tier_are_bounded_whatever_fails_and_how_often(faults: list[tuple[float, str]]) -> None:
    for tier, moves in lived_through(faults).by_tier.items():
        assert moves.count(TierState.SERVING) <= COMEBACKS, tier
        assert len(moves) <= MOVES, tier


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_strikes_at_every_comeback_leaves_few_of_them(fault: str) -> None:
    for moves in lived_through([(0.1, fault)]).by_tier.values():
        assert moves.count(TierState.SERVING) <= COMEBACKS


def test_without_a_budget_and_a_growing_wait_the_law_is_broken() -> None:
    with (
        patch.object(FaultBudget, "spend", lambda _budget, _now_s: False),
        patch.object(FaultBudget, "recent", lambda _budget, _now_s: 0),
        patch.object(BackoffPolicy, "delay_s", lambda _policy, **_: 0.0),
        pytest.raises(Violation, match=r"storm|without the wait"),
    ):
        lived_through([(0.2, "dies")])


def test_starts_that_fail_are_not_repeated_in_a_storm() -> None:
    world = World(2)
    world.pool.starts[PATHWAY, "full"] = [Start(fate=LoadFate.DIES)] * 500
    world.start()
    world.run_until(world.now_s + SPAN_S)
    spawned = sum(worker.order.tier == "full" for worker in world.pool.workers.values())
    assert spawned == POLICY.fault_limit
    assert world.engine.pathways[PATHWAY].tier("full").state is TierState.QUARANTINED
