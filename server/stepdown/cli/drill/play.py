"""Plays one drill: load, a while of peace, the fault, until all is as before, and a while of peace again."""

import time
from collections.abc import Callable
from dataclasses import replace

from stepdown.adapters.certificates import identity_of
from stepdown.cli.drill.load import OpenLoad
from stepdown.cli.drill.plan import Drill, LoadPlan
from stepdown.cli.drill.questions import SERVING, Desk, DrillNotPlayedError, Questions, refresh
from stepdown.cli.drill.record import DrillRecord, Sighting
from stepdown.cli.drill.watch import TierWatch
from stepdown.client import AssessmentError
from stepdown.client.drills import DrillClient, FaultOrder, Situation
from stepdown.client.sending import QuestionSender
from stepdown.domain.drills import LOAD_FAULTS, TIER_FAULTS, InjectableFault

_POLL_S = 0.05
_KILLS = frozenset({InjectableFault.WORKER_KILLED, InjectableFault.SIGNATURE_BROKEN})


def play(
    drill: Drill, load_plan: LoadPlan, *, desk: Desk, questions: Questions, tell: Callable[[str], None]
) -> DrillRecord:
    """Play it. Raises: DrillNotPlayedError when not every tier serves at the start; AssessmentError, AddressError."""
    tiers = refresh(desk)
    if not questions.is_of(tiers):
        raise DrillNotPlayedError("other bundles serve than when the tiers were asked alone")
    client = _identity(desk, drill)
    with DrillClient(desk.address, desk.operator) as watching:
        watch = TierWatch(watching, desk.pathway)
        sender = QuestionSender(desk.address, desk.assessor)
        load = OpenLoad(sender, questions, load_plan)
        load.start()
        try:
            time.sleep(load_plan.before_s)
            tell(f"{drill.fault} in {drill.where}")
            start_s, end_s, clock_ahead_s = _inject(desk, drill, client)
            run = _Run(desk, drill, watch, start_s=start_s, end_s=end_s, clock_ahead_s=clock_ahead_s)
            back = run.until_back()
            tell("all is as before" if back else "it is not as before")
            time.sleep(load_plan.after_s)
        finally:
            load.stop()
            sender.close()
        moves = watch.moves()
    return DrillRecord(
        tiers=tuple(tier.name for tier in tiers),
        faulted=drill.tier,
        ends_with_process=drill.fault in TIER_FAULTS - LOAD_FAULTS,
        fault_start_s=start_s,
        fault_end_s=end_s,
        clock_ahead_s=clock_ahead_s,
        asked=load.asked(),
        moves=moves,
        alarm=run.alarm,
    )


def _identity(desk: Desk, drill: Drill) -> str:
    """Whose answers are to be held back. Raises: DrillNotPlayedError if the certificate does not say."""
    if not drill.client:
        return ""
    held = desk.operator if drill.client == "operator" else desk.assessor
    try:
        return identity_of(held.certificate)
    except (OSError, ValueError) as error:
        raise DrillNotPlayedError(f"whose answers to hold back: {error}") from error


def _inject(desk: Desk, drill: Drill, client: str) -> tuple[float, float, float]:
    """When the fault begins and ends on the server's clock, and how far that clock is ahead of this one."""
    asked_s = time.time()
    start_s, end_s = desk.operations.inject(
        FaultOrder(
            fault=drill.fault,
            duration_s=drill.duration_s,
            detail="stepdown drill run",
            pathway=desk.pathway if drill.tier else "",
            tier=drill.tier,
            client=client,
            delay_s=drill.delay_ms / 1e3,
            clock_step_s=drill.clock_step_s,
            days_left=drill.days_left,
        )
    )
    # The server did it between the two readings of this clock; half way is off by half the round trip at most. An
    # operator whose own answers are held back learns of it late, and not when it was done.
    now_s = time.time()
    return start_s, end_s, 0.0 if drill.client == "operator" else start_s - (asked_s + now_s) / 2


class _Run:
    """A fault that is in, looked at until it is over."""

    def __init__(
        self, desk: Desk, drill: Drill, watch: TierWatch, *, start_s: float, end_s: float, clock_ahead_s: float
    ) -> None:
        self._desk = desk
        self._drill = drill
        self._watch = watch
        self._start_s = start_s
        self._end_s = end_s - clock_ahead_s
        self.alarm = Sighting()

    def until_back(self) -> bool:
        """Out of service and back in; or, for what takes no tier out, taken back. False: patience is at an end."""
        deadline_s = time.monotonic() + self._drill.duration_s + self._drill.patience_s
        while time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
            try:
                now = self._desk.operations.situation(self._desk.pathway)
            except AssessmentError:
                continue  # a drill may have cut off the operator, too
            self._look_for_alarm(now)
            if self._is_over(now):
                return True
        return False

    def _look_for_alarm(self, now: Situation) -> None:
        kinds = {alarm.partition(" ")[0] for alarm in now.alarms}
        if self._drill.alarm in kinds and self.alarm.seen_s is None:
            self.alarm = replace(self.alarm, seen_s=time.time())
        if self._drill.alarm not in kinds and self.alarm.seen_s is not None and self.alarm.gone_s is None:
            self.alarm = replace(self.alarm, gone_s=time.time())

    def _is_over(self, now: Situation) -> bool:
        whole = not now.injected and all(tier.state == SERVING for tier in now.tiers)
        if self.alarm.seen_s is not None and self.alarm.gone_s is None:
            return False
        if not self._drill.tier:
            return whole and time.time() >= self._end_s
        own = [move for move in self._watch.moves() if move.tier == self._drill.tier and move.at_s >= self._start_s]
        left = any(move.state != SERVING for move in own)
        return whole and (left or (not own and self._drill.fault not in _KILLS))
