"""Who the patient is and since when in the unit: from the indication, else from columns that a record carries along."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.findings import Findings
from stepdown.clinical.readings import Timeline
from stepdown.clinical.window import HOUR_S, Window
from stepdown.domain.observations import IcuUnit, Indication, Sex
from stepdown.domain.reasons import InputIssue

NOT_KNOWN = float("nan")

_SEXES = {Sex.FEMALE: 0.0, Sex.MALE: 1.0}
_UNITS = {IcuUnit.MEDICAL: (1.0, 0.0), IcuUnit.SURGICAL: (0.0, 1.0)}
# Two systems may count a birthday differently; more is a disagreement about who the patient is.
_AGE_TOLERANCE_YEARS = 1.0
# Instants are binary floating point: a whole number of hours may come out a fraction of a microsecond too long.
_CLOCK_RESOLUTION_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Demographics:
    """The six columns of the grid that are not measured; NaN = not known, never a default.

    `hospital_admission_h`: hospital admission in hours from intensive care admission, negative before it.
    `icu_hours_now`: the hour of the intensive care stay in the last row of the grid, counted from 1.
    """

    age_years: float
    gender: float
    medical_unit: float
    surgical_unit: float
    hospital_admission_h: float
    icu_hours_now: float


def demographics(
    indication: Indication, timelines: Mapping[str, Timeline], *, window: Window, findings: Findings
) -> Demographics:
    """Read each item from the indication; a column stands in for what the indication leaves open."""
    columns = _Columns(timelines=timelines, findings=findings)
    medical, surgical = _UNITS.get(indication.icu_unit, (None, None))
    since_icu_s = _elapsed_s(indication.icu_admission_time_s, window)
    since_hospital_s = _elapsed_s(indication.hospital_admission_time_s, window)
    hospital_h = None
    if since_icu_s is not None and since_hospital_s is not None:
        hospital_h = (since_icu_s - since_hospital_s) / HOUR_S
    icu_hours = _possible(None if since_icu_s is None else _hours_begun(since_icu_s), "ICULOS")
    return Demographics(
        age_years=columns.unless(indication.age_years, "Age", tolerance=_AGE_TOLERANCE_YEARS),
        gender=columns.unless(_SEXES.get(indication.sex), "Gender"),
        medical_unit=columns.unless(medical, "Unit1"),
        surgical_unit=columns.unless(surgical, "Unit2"),
        hospital_admission_h=columns.unless(_possible(hospital_h, "HospAdmTime"), "HospAdmTime", tolerance=1.0),
        icu_hours_now=columns.icu_hours(window) if icu_hours is None else icu_hours,
    )


def _hours_begun(elapsed_s: float) -> float:
    """The hour of the stay as the challenge counts it: 1 up to the end of the first hour, then 2."""
    return max(float(ceil((elapsed_s - _CLOCK_RESOLUTION_S) / HOUR_S)), 1.0)


def _elapsed_s(time_s: float | None, window: Window) -> float | None:
    """Seconds since `time_s`; None for a time not known or not yet come."""
    return None if time_s is None or time_s > window.as_of_s else window.age_s(time_s)


def _possible(value: float | None, name: str) -> float | None:
    """The value, unless no stay can have it: an admission long before any record is a field never filled in."""
    return value if value is not None and CHANNELS[name].hard.hold(value) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Columns of a record, as timelines."""

    timelines: Mapping[str, Timeline]
    findings: Findings

    def unless(self, stated: float | None, name: str, *, tolerance: float = 0.0) -> float:
        """What the indication states, else the newest value of a column; a disagreement is flagged."""
        timeline = self.timelines.get(name)
        if timeline is None:
            return NOT_KNOWN if stated is None else stated
        if stated is None:
            return timeline.values[-1]
        if abs(timeline.values[-1] - stated) > tolerance:
            self.findings.flag(
                InputIssue.CONFLICT,
                channel=name,
                field=timeline.place(len(timeline.values) - 1),
                detail="differs from the indication, which counts",
            )
        return stated

    def icu_hours(self, window: Window) -> float:
        """The hour of the stay now, from the newest row counter."""
        timeline = self.timelines.get("ICULOS")
        return NOT_KNOWN if timeline is None else timeline.values[-1] + window.hours_ago(timeline.times_s[-1])
