"""Which line tells which notice, how loudly, and what an exception may say."""

import logging
from dataclasses import replace

import pytest

from stepdown.adapters.observers.log_lines import alarm_line, describe_exception, is_routine, line_of
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.drift import DriftSignal
from stepdown.domain.notices import (
    BatchFinished,
    CallShed,
    CapabilityChanged,
    DriftChanged,
    FidelityShed,
    Notice,
    ProbeFinished,
    RequestRefused,
    TierFault,
    TierMoved,
    WorkerSpawned,
)
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability, TierState, Urgency
from tests.fakes.statuses import PATHWAY, answer_given, degradation, tier_identity

FULL = {"pathway": PATHWAY, "tier": "full"}
BATCH = BatchFinished(**FULL, requests=2, rows=8, compute_s=0.0041, queue_s=0.0002)


def moved_to(state: TierState) -> TierMoved:
    return TierMoved(**FULL, previous=TierState.SERVING, state=state, reason=Reason.WORKER_LOST, detail="signal 9")


def became(capability: Capability, *, previous: Capability = Capability.FULL) -> CapabilityChanged:
    return CapabilityChanged(pathway=PATHWAY, previous=previous, capability=capability)


@pytest.mark.parametrize(
    ("notice", "level", "event"),
    [
        (answer_given(), logging.DEBUG, "request_answered"),
        (answer_given(answered_by=None), logging.ERROR, "request_unanswered"),
        (BATCH, logging.DEBUG, "batch_finished"),
        (moved_to(TierState.SERVING), logging.INFO, "tier_moved"),
        (moved_to(TierState.SUSPENDED), logging.WARNING, "tier_moved"),
        (moved_to(TierState.QUARANTINED), logging.ERROR, "tier_moved"),
        (moved_to(TierState.REFUSED), logging.ERROR, "tier_moved"),
        (became(Capability.FULL, previous=Capability.DEGRADED), logging.INFO, "capability_changed"),
        (became(Capability.RULES_ONLY, previous=Capability.NONE), logging.INFO, "capability_changed"),
        (became(Capability.DEGRADED), logging.WARNING, "capability_changed"),
        (became(Capability.NONE), logging.ERROR, "capability_changed"),
        (TierFault(**FULL, reason=Reason.WORKER_HUNG, detail="30 ms"), logging.WARNING, "tier_fault"),
        (ProbeFinished(**FULL, error=""), logging.DEBUG, "probe_passed"),
        (ProbeFinished(**FULL, error="off by 0.3"), logging.WARNING, "probe_failed"),
        (WorkerSpawned(**FULL, attempt=2), logging.INFO, "worker_spawned"),
        (RequestRefused(pathway="", reason=RejectReason.TOO_LARGE), logging.INFO, "request_refused"),
        (FidelityShed(**FULL, urgency=Urgency.ROUTINE, requests=3), logging.WARNING, "fidelity_shed"),
        (CallShed(urgency=Urgency.URGENT), logging.ERROR, "call_shed"),
        (CallShed(urgency=None), logging.ERROR, "call_shed"),
    ],
)
def test_each_notice_has_its_event_and_its_level(notice: Notice, level: int, event: str) -> None:
    line = line_of(notice)
    assert (line.level, line.event) == (level, event)
    assert line.fields["pathway"] in {PATHWAY, ""}


def test_an_answer_says_who_gave_it_and_why_nobody_better_did() -> None:
    steps = (degradation("full", Reason.WORKER_LOST, "signal 9"),)
    fields = line_of(answer_given(answered_by=tier_identity("distilled"), degradations=steps)).fields
    assert (fields["tier"], fields["bundle"], fields["provider"]) == ("distilled", "sepsis-distilled@1.0.0", "CPU")
    assert fields["degradations"] == ({"tier": "full", "reason": Reason.WORKER_LOST, "detail": "signal 9"},)
    assert (fields["elapsed_ms"], fields["slack_ms"]) == (2.0, 500.0)


def test_what_may_come_in_floods_is_grouped_so_that_it_can_be_thinned_out() -> None:
    fault = TierFault(**FULL, reason=Reason.WORKER_HUNG, detail="30 ms")
    assert line_of(fault).repeats == ("tier_fault", PATHWAY, "full", "WORKER_HUNG")
    unanswered = answer_given(answered_by=None, degradations=(degradation("full", Reason.STARTING),))
    assert line_of(unanswered).repeats == ("request_unanswered", PATHWAY, "STARTING")
    assert line_of(answer_given(answered_by=None)).repeats == ("request_unanswered", PATHWAY, "")
    assert line_of(moved_to(TierState.SUSPENDED)).repeats is None


def test_only_what_happens_per_answer_is_routine() -> None:
    assert is_routine(answer_given())
    assert is_routine(BATCH)
    assert not is_routine(answer_given(answered_by=None))
    assert not is_routine(moved_to(TierState.SERVING))


def fails_with(text: str, depth: int = 0) -> None:
    if depth:
        fails_with(text, depth - 1)
    patient = f"lactate of {text}"
    raise ValueError(patient)


def caught(text: str, depth: int = 0) -> ValueError:
    try:
        fails_with(text, depth)
    except ValueError as error:
        return error
    raise AssertionError


def test_an_exception_gives_its_type_and_its_frames_and_not_its_text() -> None:
    described = describe_exception(caught("4.1"))
    assert described["exception"] == "builtins.ValueError"
    assert [frame.rsplit(":", 1)[0] for frame in described["frames"]] == [  # type: ignore[attr-defined]
        f"{__name__}:caught",
        f"{__name__}:fails_with",
    ]
    assert "4.1" not in str(described)
    assert "lactate" not in str(described)


def test_causes_are_named_and_a_circle_of_them_ends() -> None:
    inner, outer = ValueError("secret"), KeyError("secret")
    outer.__cause__ = inner
    assert describe_exception(outer)["causes"] == ("builtins.ValueError",)
    inner.__context__ = outer
    circle = describe_exception(outer)["causes"]
    assert len(circle) == 8  # type: ignore[arg-type]


def test_an_endless_recursion_gives_a_bounded_line() -> None:
    assert len(describe_exception(caught("4.1", depth=200))["frames"]) == 64  # type: ignore[arg-type]


def test_a_drift_warns_when_it_begins_and_only_tells_when_it_ends() -> None:
    began = DriftChanged(pathway="p", tier="", channel="HR", signal=DriftSignal.AGE, drifting=True)
    assert (line_of(began).level, line_of(began).event) == (logging.WARNING, "drift_began")
    ended = line_of(replace(began, drifting=False))
    assert (ended.level, ended.event) == (logging.INFO, "drift_ended")


def test_an_alarm_is_an_error_while_it_stands_and_news_when_it_is_over() -> None:
    alarm = Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject="sepsis-full@1.0.0", detail="DIGEST_MISMATCH")
    raised, ended = alarm_line(alarm, begins=True), alarm_line(alarm, begins=False)
    assert (raised.event, raised.level, ended.event, ended.level) == (
        "alarm_raised",
        logging.ERROR,
        "alarm_ended",
        logging.INFO,
    )
    assert raised.fields == {"alarm": "BUNDLE_DAMAGED", "subject": "sepsis-full@1.0.0", "detail": "DIGEST_MISMATCH"}
