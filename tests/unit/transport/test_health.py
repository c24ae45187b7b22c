import threading

import pytest

from stepdown.domain.status import PathwayStatus
from stepdown.domain.tiers import Capability, TierState
from stepdown.transport.health import ASSESSMENT_SERVICE, BACKLOG, Health, HealthBoard, ServedNames, health_of
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status

NAMES = ServedNames(services=frozenset({"inference.GRPCInferenceService"}), clinical=frozenset({PATHWAY}))


def serving(*pathways: PathwayStatus) -> set[str]:
    """The names that serve."""
    return {name for name, health in health_of(pathways, NAMES).items() if health.serving}


class Board:
    """A health board whose chain the test moves."""

    def __init__(self) -> None:
        self.statuses: tuple[PathwayStatus, ...] = (pathway_status(),)
        self.board = HealthBoard(NAMES, read=lambda: self.statuses)
        self.board.refresh()

    def move(self, *statuses: PathwayStatus) -> None:
        self.statuses = statuses
        self.board.refresh()


@pytest.mark.parametrize(
    ("capability", "levels"),
    [
        (Capability.FULL, {"", "@FULL", "@DEGRADED", "@RULES_ONLY"}),
        (Capability.DEGRADED, {"", "@DEGRADED", "@RULES_ONLY"}),
        (Capability.RULES_ONLY, {"", "@RULES_ONLY"}),
        (Capability.NONE, set()),
    ],
)
def test_a_pathway_serves_at_each_level_that_its_capability_reaches(capability: Capability, levels: set[str]) -> None:
    found = {name for name in serving(pathway_status(capability=capability)) if name.startswith("pathway/")}
    assert found == {f"pathway/{PATHWAY}{level}" for level in levels}


@pytest.mark.parametrize("state", TierState)
def test_a_tier_serves_while_it_is_serving(state: TierState) -> None:
    found = serving(pathway_status(tier_status(state=state), suspended_tier(name="distilled")))
    assert (f"tier/{PATHWAY}/full" in found) is (state is TierState.SERVING)
    assert f"tier/{PATHWAY}/distilled" not in found


def test_the_server_serves_while_any_pathway_does_and_assessment_while_a_clinical_one_does() -> None:
    out, well = (
        pathway_status(capability=Capability.NONE),
        pathway_status(name="tensors", capability=Capability.FULL),
    )
    assert {"", "inference.GRPCInferenceService"} <= serving(out, well)
    assert ASSESSMENT_SERVICE not in serving(out, well)
    assert ASSESSMENT_SERVICE in serving(pathway_status(capability=Capability.RULES_ONLY))
    assert serving() == set()


def test_a_watcher_is_told_changes_that_concern_it_and_no_others() -> None:
    board = Board()
    watcher = board.board.watch(f"tier/{PATHWAY}/full")
    board.move(pathway_status(capability=Capability.DEGRADED))
    board.move(pathway_status(suspended_tier(), capability=Capability.DEGRADED))
    board.board.forget(watcher)
    assert list(watcher.told()) == [Health(serving=True), Health(serving=False)]


def test_a_forgotten_watcher_is_told_nothing_more() -> None:
    board = Board()
    watcher = board.board.watch("")
    board.board.forget(watcher)
    board.move()
    assert list(watcher.told()) == [Health(serving=True)]


def test_nothing_serves_in_a_drain_and_nothing_brings_it_back() -> None:
    board = Board()
    watcher = board.board.watch(f"pathway/{PATHWAY}")
    board.board.drain()
    board.move(pathway_status(capability=Capability.DEGRADED))
    board.board.forget(watcher)
    assert [health is not None and health.serving for health in watcher.told()] == [True, False]
    assert not any(health.serving for health in board.board.snapshot().values())


def test_a_watch_that_begins_in_a_drain_is_told_and_ended() -> None:
    board = Board()
    board.board.drain()
    assert list(board.board.watch("").told()) == [Health(serving=False, detail="DRAINING")]


def test_watches_can_be_ended_all_at_once_and_tell_what_they_hold() -> None:
    board = Board()
    watchers = [board.board.watch(name) for name in ("", "unheard-of")]
    board.board.end_watches()
    assert [list(watcher.told()) for watcher in watchers] == [[Health(serving=True)], [None]]


def test_a_watcher_that_does_not_read_holds_up_nobody_and_loses_the_oldest() -> None:
    board = Board()
    watcher = board.board.watch(f"pathway/{PATHWAY}")
    for change in range(BACKLOG + 3):
        board.move(pathway_status(capability=Capability.DEGRADED if change % 2 else Capability.FULL))
    board.move(pathway_status(capability=Capability.NONE))
    board.board.forget(watcher)
    told = list(watcher.told())
    assert len(told) == BACKLOG
    assert told[-1] == Health(serving=False, detail=Capability.NONE)


def test_an_older_state_of_the_chain_never_wins_over_a_newer_one() -> None:
    """Two threads refresh: the one that read first must not be the one that writes last."""
    reading, go_on = threading.Event(), threading.Event()
    statuses = [pathway_status(capability=Capability.FULL), pathway_status(capability=Capability.NONE)]

    def slow_read() -> tuple[PathwayStatus, ...]:
        status = statuses.pop(0)
        if not reading.is_set():
            reading.set()
            go_on.wait(10)
        return (status,)

    board = HealthBoard(NAMES, read=slow_read)
    first = threading.Thread(target=board.refresh)
    first.start()
    assert reading.wait(10)
    second = threading.Thread(target=board.refresh)
    second.start()
    go_on.set()
    first.join(10)
    second.join(10)
    assert not board.snapshot()[f"pathway/{PATHWAY}"].serving
