"""Plays one drill: load, a while of peace, the fault, until the tier is back, and a while of peace again."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread

from stepdown.cli.drill.load import OpenLoad
from stepdown.cli.drill.plan import Drill, LoadPlan
from stepdown.cli.drill.record import DrillRecord, Move
from stepdown.client import AssessmentClient
from stepdown.client.drills import DrillClient, TierView
from stepdown.domain.drills import LOAD_FAULTS, InjectableFault
from stepdown.domain.errors import StepdownError

_READY_S = 60.0
_POLL_S = 0.05
_SERVING = "SERVING"


class DrillNotPlayedError(StepdownError):
    """The drill could not be played, so it says nothing about the server."""


class TierWatch:
    """Keeps every move of a pathway's tiers."""

    def __init__(self, operations: DrillClient, pathway: str) -> None:
        """Begin to listen."""
        self._lock = Lock()
        self._moves: list[Move] = []
        self._thread = Thread(target=self._listen, args=(operations, pathway), name="drill-watch", daemon=True)
        self._thread.start()

    def moves(self) -> tuple[Move, ...]:
        """Those so far, oldest first."""
        with self._lock:
            return tuple(self._moves)

    def _listen(self, operations: DrillClient, pathway: str) -> None:
        known: dict[str, Move] = {}
        for tiers in operations.watch(pathway):
            for tier in tiers:
                move = Move(at_s=tier.state_time_s, tier=tier.name, state=tier.state, reason=tier.reason)
                if known.get(tier.name) != move:
                    known[tier.name] = move
                    with self._lock:
                        self._moves.append(move)


def play(
    drill: Drill,
    load_plan: LoadPlan,
    *,
    pathway: str,
    stays: Path,
    client: AssessmentClient,
    operations: DrillClient,
    tell: Callable[[str], None],
) -> DrillRecord:
    """Play it. Raises: DrillNotPlayedError when not every tier serves at the start; AssessmentError."""
    tiers = _whole_chain(operations, pathway, drill.tier)
    watch = TierWatch(operations, pathway)
    load = OpenLoad(client, stays, load_plan, labels={tier.name: tier for tier in tiers})
    tell(f"{load_plan.rate_per_s:g} questions a second, each with {load_plan.deadline_ms:g} ms")
    load.start()
    try:
        time.sleep(load_plan.before_s)
        tell(f"injecting {drill.fault} into {drill.tier}")
        start_s, end_s, clock_ahead_s = _inject(operations, pathway, drill)
        back = _wait_until_back(operations, pathway, drill, watch, start_s=start_s)
        tell("the tier is back" if back else "the tier is not back")
        time.sleep(load_plan.after_s)
    finally:
        load.stop()
    return DrillRecord(
        tiers=tuple(tier.name for tier in tiers),
        faulted=drill.tier,
        holds_for_successors=drill.fault in LOAD_FAULTS,
        fault_start_s=start_s,
        fault_end_s=end_s,
        clock_ahead_s=clock_ahead_s,
        asked=load.asked(),
        moves=watch.moves(),
    )


def _inject(operations: DrillClient, pathway: str, drill: Drill) -> tuple[float, float, float]:
    """When the fault begins and ends on the server's clock, and how far that clock is ahead of this one."""
    asked_s = time.time()
    start_s, end_s = operations.inject(
        pathway,
        drill.tier,
        fault=drill.fault,
        duration_s=drill.duration_s,
        delay_s=drill.delay_ms / 1e3,
        detail="stepdown drill run",
    )
    # The server did it between the two readings of this clock; half way is off by half the round trip at most.
    return start_s, end_s, start_s - (asked_s + time.time()) / 2


def _whole_chain(operations: DrillClient, pathway: str, faulted: str) -> tuple[TierView, ...]:
    deadline_s = time.monotonic() + _READY_S
    while True:
        tiers = operations.tiers(pathway)
        if faulted not in {tier.name for tier in tiers}:
            raise DrillNotPlayedError(f"{pathway} has no tier {faulted}")
        if all(tier.state == _SERVING and not tier.injected_fault for tier in tiers):
            return tiers
        if time.monotonic() > deadline_s:
            states = ", ".join(f"{tier.name} {tier.state}" for tier in tiers)
            raise DrillNotPlayedError(f"a drill begins with every tier serving, but {states}")
        time.sleep(_POLL_S)


def _wait_until_back(operations: DrillClient, pathway: str, drill: Drill, watch: TierWatch, *, start_s: float) -> bool:
    """Out of service and back in. A fault that takes no tier out is over when it is taken back."""
    deadline_s = time.monotonic() + drill.duration_s + drill.patience_s
    while time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        own = [move for move in watch.moves() if move.tier == drill.tier and move.at_s >= start_s]
        (tier,) = (each for each in operations.tiers(pathway) if each.name == drill.tier)
        stayed = not own and not tier.injected_fault and drill.fault is not InjectableFault.WORKER_KILLED
        if tier.state == _SERVING and not tier.injected_fault and (stayed or any(m.state != _SERVING for m in own)):
            return True
    return False
