"""What stands wrong with the server though every tier may serve, and would become an outage if nobody acted."""

from dataclasses import dataclass
from enum import StrEnum


class AlarmKind(StrEnum):
    """What is wrong. Published: a name never changes its meaning."""

    CERTIFICATE_EXPIRING = "CERTIFICATE_EXPIRING"
    BUNDLE_DAMAGED = "BUNDLE_DAMAGED"
    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"
    CHECKPOINT_LATE = "CHECKPOINT_LATE"
    EVIDENCE_MISSING = "EVIDENCE_MISSING"
    CHECK_FAILED = "CHECK_FAILED"
    BUNDLE_DENIED = "BUNDLE_DENIED"
    TRUST_POLICY_UNUSABLE = "TRUST_POLICY_UNUSABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One thing that is wrong. `subject` says with what (a file's role, a bundle); `detail` is for the operator."""

    kind: AlarmKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlarm:
    """An alarm and since when it stands, in Unix seconds."""

    alarm: Alarm
    since_time_s: float
