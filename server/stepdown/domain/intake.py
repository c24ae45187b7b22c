"""What intake makes of a clinical request: a grid for models, inputs for rules, and what became of each observation."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from stepdown.domain.reasons import AbstentionReason, InputIssue

GRID_HOURS = 48
GRID_COLUMNS = 40
SPO2_SCALES = (1, 2)
CONSCIOUSNESS_LETTERS = ("A", "C", "V", "P", "U")
"""Level of consciousness, least to most depressed; C is new confusion (Royal College of Physicians, NEWS2, 2017)."""


class InputStatus(StrEnum):
    """Whether a rule parameter has a usable value."""

    PRESENT = "present"
    MISSING = "missing"
    STALE = "stale"


class RuleInput(NamedTuple):
    """One parameter as the rules see it: canonical unit, rounded half-up to charting resolution.

    `value` is a float, or one of `CONSCIOUSNESS_LETTERS`; None unless `status` is PRESENT.
    """

    value: float | str | None
    status: InputStatus = InputStatus.PRESENT
    unit: str = ""
    observed_time_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInputs:
    """Every parameter the rule sets read, keyed by channel name, and the SpO2 scale in force.

    `want_alternate_scale`: report the answering score on the other scale too (scale 2 was asked for, but not
    confirmed).
    """

    parameters: Mapping[str, RuleInput]
    spo2_scale: int = 1
    want_alternate_scale: bool = False


class UsedInput(NamedTuple):
    """An observation that reached the rules or the grid; `value` is in the canonical `unit`, before rounding.

    A packed series is one entry: so many `readings` were used, and the newest of them stands here. Consciousness counts
    0 to 4 along A, C, V, P, U.
    """

    field: str
    channel: str
    value: float
    unit: str
    observed_time_s: float
    readings: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedInput:
    """An observation that was ignored, why, and how the sender can mend it. Never echoes the value.

    `count` values share this entry: those of one packed series, or all with a code that nothing reads; `field` is the
    first of them.
    """

    field: str
    channel: str
    issue: InputIssue
    hint: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFlag:
    """A warning about input that was used. `field` names one place, or is empty for the request."""

    issue: InputIssue
    channel: str = ""
    field: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationGrid:
    """`cells`: little-endian float32 [48, 40], row-major; row = hour, oldest first, last row = the hour of `as_of`.

    NaN = missing.
    """

    cells: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The outcome of intake for a request that was not rejected.

    `abstention` stops every tier; `models_in_indication` is False where only the rules apply (age 16-17).
    """

    grid: ObservationGrid
    rule_inputs: RuleInputs
    used: tuple[UsedInput, ...]
    dropped: tuple[DroppedInput, ...]
    flags: tuple[InputFlag, ...]
    abstention: AbstentionReason | None = None
    abstention_text: str = ""
    models_in_indication: bool = True
    wrong_patient_retraction: bool = False
