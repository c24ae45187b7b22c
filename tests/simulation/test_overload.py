"""What ten times too many callers cost, and for how long, by the engine's own time: nothing else takes part in it."""

from stepdown.domain.engine_effects import AnswerRequest
from tests.simulation.chain import CHAINS, POLICY
from tests.simulation.invariants import Ledger
from tests.simulation.steps import Ask
from tests.simulation.world import World

OVERLOADED_S = 1.0
BACK_WITHIN_S = 2.0
EVERY_S = 0.1
CROWD = 10 * POLICY.maximum_queue_rows


class Diary(Ledger):
    """Remembers who answered when."""

    def __init__(self, world: World) -> None:
        super().__init__(CHAINS["plain"], world.conduct, world.rules.gave_up)
        self.told: list[tuple[float, str]] = []

    def answered(self, effect: AnswerRequest, now_s: float) -> float:
        tier = effect.outcome.answered_by
        self.told.append((now_s, tier.tier if tier is not None else ""))
        return super().answered(effect, now_s)

    def between(self, begin_s: float, end_s: float) -> set[str]:
        return {tier for at_s, tier in self.told if begin_s <= at_s < end_s}


def test_full_fidelity_is_back_within_two_seconds_of_the_end_of_a_tenfold_overload() -> None:
    world = World(7)
    diary = world.ledger = Diary(world)
    world.start()
    world.run_until(world.now_s + 2.0)
    begin_s, end_s = world.now_s, world.now_s + OVERLOADED_S
    crowd = Ask(at_s=0.0, budget_s=0.5, count=CROWD, times=round(OVERLOADED_S / EVERY_S), every_s=EVERY_S)
    world.at(begin_s, lambda: world.ask(crowd))
    later_s = end_s + BACK_WITHIN_S
    one = Ask(at_s=0.0, budget_s=0.5, times=round(2 * BACK_WITHIN_S / EVERY_S), every_s=EVERY_S)
    world.at(end_s, lambda: world.ask(one))
    world.run_until(end_s + 3 * BACK_WITHIN_S)
    world.ledger.check_nobody_waits()
    assert "rules" in diary.between(begin_s, end_s)  # fidelity was shed, and nobody sent away
    assert "" not in diary.between(begin_s, later_s)
    assert diary.between(later_s, later_s + BACK_WITHIN_S) == {"full"}
