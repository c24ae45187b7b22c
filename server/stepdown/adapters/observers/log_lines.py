"""Notices and exceptions as the fields of one log line. Pure; refuses whatever could hold a patient's value.

An exception gives its type and the places it passed through, never its text nor a local variable: a text is written
where the value is at hand.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from traceback import walk_tb
from typing import TypeAlias

from stepdown.domain.activations import ActivationState
from stepdown.domain.alarms import Alarm
from stepdown.domain.notices import (
    ActivationMoved,
    AnswerGiven,
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
from stepdown.domain.records import LedgerState
from stepdown.domain.tiers import Capability, TierState

Fields: TypeAlias = Mapping[str, object]

_STATE_LEVEL: Mapping[TierState, int] = {
    TierState.SUSPENDED: logging.WARNING,
    TierState.QUARANTINED: logging.ERROR,
    TierState.REFUSED: logging.ERROR,
}
_BEST_FIRST = (Capability.FULL, Capability.DEGRADED, Capability.RULES_ONLY, Capability.NONE)
_DEEPEST_CAUSE = 8
_MOST_FRAMES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One event: how bad, what, and its fields. `repeats` groups lines that are thinned out when they come too fast."""

    level: int
    event: str
    fields: Fields
    repeats: tuple[str, ...] | None = None


def is_routine(notice: Notice) -> bool:
    """Whether nothing but the ordinary happened: said without building the line, since it happens per answer."""
    return isinstance(notice, BatchFinished) or (isinstance(notice, AnswerGiven) and notice.answered_by is not None)


def line_of(notice: Notice) -> LogLine:
    """The line that tells one notice."""
    match notice:
        case AnswerGiven():
            return _answer(notice)
        case BatchFinished():
            fields = _tier(notice) | {"requests": notice.requests, "rows": notice.rows}
            times = {"compute_ms": _ms(notice.compute_s), "queue_ms": _ms(notice.queue_s)}
            return LogLine(level=logging.DEBUG, event="batch_finished", fields=fields | times)
        case TierMoved() | CapabilityChanged() | ActivationMoved():
            return _change(notice)
        case DriftChanged():
            return _drift(notice)
        case RequestRefused() | FidelityShed() | CallShed():
            return _turned_away(notice)
        case TierFault() | ProbeFinished() | WorkerSpawned():
            return _of_tier(notice)


def line_of_ledger(state: LedgerState, detail: str) -> LogLine:
    """The line that tells that the ledger writes, or does not, or has something to say while it does."""
    is_well = state in {LedgerState.WRITING, LedgerState.CLOSED} and not detail
    fields = {"state": state, "detail": detail}
    return LogLine(level=logging.INFO if is_well else logging.ERROR, event="ledger_moved", fields=fields)


def alarm_line(alarm: Alarm, *, begins: bool) -> LogLine:
    """The line that tells of an alarm, or that it is over."""
    fields = {"alarm": alarm.kind, "subject": alarm.subject, "detail": alarm.detail}
    level = logging.ERROR if begins else logging.INFO
    return LogLine(level=level, event="alarm_raised" if begins else "alarm_ended", fields=fields)


def describe_exception(error: BaseException) -> Fields:
    """What may be said of an exception: its type, where it was raised, and the same of its causes."""
    return {
        "exception": _type_name(error),
        "frames": tuple(_frames(error)),
        "causes": tuple(_type_name(cause) for cause in _causes(error)),
    }


def _answer(answer: AnswerGiven) -> LogLine:
    by = answer.answered_by
    fields: dict[str, object] = {
        "pathway": answer.pathway,
        "tier": by.tier if by is not None else None,
        "rows": answer.rows,
        "elapsed_ms": _ms(answer.elapsed_s),
        "slack_ms": _ms(answer.slack_s),
        "degradations": tuple(
            {"tier": step.tier, "reason": step.reason, "detail": step.detail} for step in answer.degradations
        ),
    }
    if by is None:
        reason = answer.degradations[-1].reason if answer.degradations else ""
        repeats = ("request_unanswered", answer.pathway, reason)
        return LogLine(level=logging.ERROR, event="request_unanswered", fields=fields, repeats=repeats)
    bundle = {"bundle": f"{by.bundle.name}@{by.bundle.version}", "provider": by.execution_provider}
    return LogLine(level=logging.DEBUG, event="request_answered", fields=fields | bundle)


def _turned_away(notice: RequestRefused | FidelityShed | CallShed) -> LogLine:
    """Refusals and overload: thinned out, because they never come alone."""
    if isinstance(notice, RequestRefused):
        refused = {"pathway": notice.pathway, "reason": notice.reason}
        repeats = ("request_refused", notice.pathway, notice.reason)
        return LogLine(level=logging.INFO, event="request_refused", fields=refused, repeats=repeats)
    if isinstance(notice, CallShed):
        urgency = notice.urgency if notice.urgency is not None else "unread"
        unread: dict[str, object] = {"pathway": "", "urgency": urgency}
        return LogLine(level=logging.ERROR, event="call_shed", fields=unread, repeats=("call_shed", urgency))
    fields = {"pathway": notice.pathway, "tier": notice.tier, "urgency": notice.urgency, "requests": notice.requests}
    of_one_kind = ("fidelity_shed", notice.pathway, notice.tier, notice.urgency)
    return LogLine(level=logging.WARNING, event="fidelity_shed", fields=fields, repeats=of_one_kind)


def _change(notice: TierMoved | CapabilityChanged | ActivationMoved) -> LogLine:
    if isinstance(notice, ActivationMoved):
        return _activation(notice)
    if isinstance(notice, CapabilityChanged):
        return LogLine(
            level=_capability_level(notice),
            event="capability_changed",
            fields={"pathway": notice.pathway, "previous": notice.previous, "capability": notice.capability},
        )
    moved = {"previous": notice.previous, "state": notice.state, "reason": notice.reason, "detail": notice.detail}
    return LogLine(level=_STATE_LEVEL.get(notice.state, logging.INFO), event="tier_moved", fields=_tier(notice) | moved)


def _drift(notice: DriftChanged) -> LogLine:
    fields = {"pathway": notice.pathway, "tier": notice.tier, "channel": notice.channel, "signal": notice.signal}
    if notice.drifting:
        return LogLine(level=logging.WARNING, event="drift_began", fields=fields)
    return LogLine(level=logging.INFO, event="drift_ended", fields=fields)


def _capability_level(change: CapabilityChanged) -> int:
    """Whether it got better, worse, or as bad as can be."""
    if change.capability is Capability.NONE:
        return logging.ERROR
    better = _BEST_FIRST.index(change.capability) < _BEST_FIRST.index(change.previous)
    return logging.INFO if better else logging.WARNING


def _activation(notice: ActivationMoved) -> LogLine:
    """A version that failed is a warning; one that an operator took back, or that the server's end did, is not."""
    activation = notice.activation
    failed = activation.state is ActivationState.ROLLED_BACK and activation.reason is not None
    return LogLine(
        level=logging.WARNING if failed else logging.INFO,
        event="activation_moved",
        fields={
            "pathway": notice.pathway,
            "tier": notice.tier,
            "state": activation.state,
            "bundle": f"{activation.bundle.name}@{activation.bundle.version}",
            "sha256": activation.bundle.sha256,
            "canary_share": activation.canary_share,
            "answers": activation.answers,
            "reason": activation.reason,
            "detail": activation.detail,
        },
    )


def _of_tier(notice: TierFault | ProbeFinished | WorkerSpawned) -> LogLine:
    match notice:
        case TierFault():
            return LogLine(
                level=logging.WARNING,
                event="tier_fault",
                fields=_tier(notice) | {"reason": notice.reason, "detail": notice.detail},
                repeats=("tier_fault", notice.pathway, notice.tier, notice.reason),
            )
        case ProbeFinished():
            return LogLine(
                level=logging.WARNING if notice.error else logging.DEBUG,
                event="probe_failed" if notice.error else "probe_passed",
                fields=_tier(notice) | ({"detail": notice.error} if notice.error else {}),
                repeats=("probe", notice.pathway, notice.tier) if notice.error else None,
            )
        case WorkerSpawned():
            fields = _tier(notice) | {"attempt": notice.attempt}
            return LogLine(level=logging.INFO, event="worker_spawned", fields=fields)


def _tier(notice: TierMoved | BatchFinished | TierFault | ProbeFinished | WorkerSpawned) -> dict[str, object]:
    return {"pathway": notice.pathway, "tier": notice.tier}


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)


def _type_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _frames(error: BaseException) -> Iterator[str]:
    for number, (frame, line) in enumerate(walk_tb(error.__traceback__)):
        if number == _MOST_FRAMES:
            return
        yield f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}:{line}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    for _ in range(_DEEPEST_CAUSE):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__
