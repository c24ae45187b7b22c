"""What is put on the ledger, and how the ledger is doing. No record holds a patient's value, token or free text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from stepdown.domain.errors import StepdownError

Fact: TypeAlias = str | int | bool | Sequence["Fact"] | Mapping[str, "Fact"] | None
"""What a record may hold. No fractions: a number that is written in two ways would have two digests."""


class RecordKind(StrEnum):
    """What happened. Published: a name never changes its meaning."""

    SERVER_STARTED = "SERVER_STARTED"
    SERVER_STOPPED = "SERVER_STOPPED"
    ANSWER = "ANSWER"
    REFUSAL = "REFUSAL"
    DENIAL = "DENIAL"
    TIER_CHANGE = "TIER_CHANGE"
    CAPABILITY_CHANGE = "CAPABILITY_CHANGE"
    ACTIVATION = "ACTIVATION"
    OPERATOR_ACT = "OPERATOR_ACT"
    POLICY_CHANGE = "POLICY_CHANGE"
    OUTCOME = "OUTCOME"
    FEEDBACK = "FEEDBACK"
    LEDGER_READ = "LEDGER_READ"
    RECORDS_MISSED = "RECORDS_MISSED"
    RECORDS_PRUNED = "RECORDS_PRUNED"
    PAYLOADS_ERASED = "PAYLOADS_ERASED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record before it has its place in the ledger. `time_s` is Unix time: when it happened, not when written."""

    kind: RecordKind
    time_s: float
    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A row of the ledger: `leaf` is the digest of `body`, which is None once retention has let it go.

    `kind` and `time_us` are what the row can be found by; None where that is not known.
    """

    sequence: int
    leaf: bytes
    body: bytes | None
    kind: str | None = None
    time_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecord:
    """A row with what it can be found by. `time_s` is Unix time."""

    sequence: int
    time_s: float
    kind: str
    leaf: bytes
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the body of a record says. `previous` is the digest of the record before it; empty for the first one."""

    sequence: int
    previous: bytes
    kind: str
    time: str
    facts: Mapping[str, Fact]


class LedgerState(StrEnum):
    """Whether records get onto the disk."""

    OPENING = "OPENING"
    WRITING = "WRITING"
    UNAVAILABLE = "UNAVAILABLE"
    REFUSED = "REFUSED"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStatus:
    """The ledger now. `detail` says why it does not write.

    `waiting`: records in memory that are not on the disk yet. `unrecorded`: answers that left without a record.
    `missed`: records given up because memory is bounded; the ledger says so itself when it writes again.
    `checkpoint_lag_s`: for how long the oldest record without a signed checkpoint has been on the disk.
    `checkpoint_problem`: why the last checkpoint could not be signed; empty when it could.
    """

    name: str
    state: LedgerState
    detail: str
    size: int
    waiting: int
    unrecorded: int
    missed: int
    checkpoint_size: int
    checkpoint_lag_s: float
    commits: int
    commit_total_s: float
    checkpoint_problem: str = ""


class LedgerError(StepdownError):
    """The ledger, a copy of it, a checkpoint or a proof is not what it must be. The text names what and where."""


class LedgerUnavailableError(LedgerError):
    """The ledger cannot be read or written now."""
