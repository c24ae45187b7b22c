"""Requests as an interface engine would send them, short enough to be read in a test."""

from array import array
from dataclasses import replace
from itertools import count

from stepdown.clinical.channels import GRID_COLUMN
from stepdown.clinical.intake import take_in
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS, Intake, RuleInput
from stepdown.domain.observations import (
    ClinicalRequest,
    CodeSystem,
    Indication,
    Observation,
    ObservationSeries,
)
from stepdown.domain.reasons import InputIssue, RejectReason

AS_OF_S = 1_790_000_000.0
POLICY = IntakePolicy()
ADULT = Indication(age_years=62.0)

LOINC = {
    "HR": ("8867-4", "/min"),
    "O2Sat": ("59408-5", "%"),
    "Temp": ("8310-5", "Cel"),
    "SBP": ("8480-6", "mm[Hg]"),
    "DBP": ("8462-4", "mm[Hg]"),
    "MAP": ("8478-0", "mm[Hg]"),
    "Resp": ("9279-1", "/min"),
    "Lactate": ("32693-4", "mmol/L"),
    "Creatinine": ("2160-0", "mg/dL"),
    "Glucose": ("2345-7", "mg/dL"),
    "Potassium": ("2823-3", "mmol/L"),
    "WBC": ("6690-2", "10*3/uL"),
    "FiO2": ("3150-0", "%"),
    "OxygenFlow": ("3151-8", "L/min"),
    "Consciousness": ("67775-7", ""),
    "PaCO2": ("2019-8", "mm[Hg]"),
    "pH": ("11558-4", "[pH]"),
    "GCS": ("9269-2", "{score}"),
    "GCSEye": ("9267-6", "{score}"),
    "GCSVerbal": ("9270-0", "{score}"),
    "GCSMotor": ("9268-4", "{score}"),
    "Bilirubin_direct": ("1968-7", "mg/dL"),
    "Bilirubin_total": ("1975-2", "mg/dL"),
    "TroponinI": ("10839-9", "ng/mL"),
    "Bands": ("26508-2", "%"),
    "BaseExcess": ("11555-0", "mmol/L"),
}

_places = count()


def seen(channel: str, value: float | None = None, ago_s: float = 300.0, **more: object) -> Observation:
    """One observation of a channel under its LOINC code and unit, unless `more` says otherwise."""
    code, unit = LOINC[channel]
    plain = Observation(
        field=f"observations[{next(_places)}]",
        code_system=CodeSystem.LOINC,
        code=code,
        value=value,
        unit=unit,
        effective_time_s=AS_OF_S - ago_s,
    )
    return plain._replace(**more)  # type: ignore[arg-type]


def column(name: str, value: float | None, ago_s: float = 300.0, **more: object) -> Observation:
    """One observation under the column names of the challenge, without a unit."""
    plain = Observation(
        field=f"observations[{next(_places)}]",
        code_system=CodeSystem.CINC2019,
        code=name,
        value=value,
        effective_time_s=AS_OF_S - ago_s,
    )
    return plain._replace(**more)  # type: ignore[arg-type]


def packed(channel: str, *readings: tuple[float, float], **more: object) -> ObservationSeries:
    """A packed series of (seconds ago, value)."""
    code, unit = LOINC[channel]
    plain = ObservationSeries(
        field="series[0]",
        code_system=CodeSystem.LOINC,
        code=code,
        unit=unit,
        times_s=tuple(AS_OF_S - ago_s for ago_s, _ in readings),
        values=tuple(value for _, value in readings),
    )
    return plain._replace(**more)  # type: ignore[arg-type]


def request(*observations: Observation, **more: object) -> ClinicalRequest:
    """A request that nothing speaks against, unless `more` does."""
    plain = ClinicalRequest(
        request_id="4b1d7a52-9c11-4f0e-8a39-0a6f6b1c2d3e",
        pathway="sepsis-early-warning",
        subject_token="s-7f3a9c21e5",  # noqa: S106 - a pseudonym
        encounter_token="e-51c0de77a2",  # noqa: S106 - a pseudonym
        as_of_time_s=AS_OF_S,
        indication=ADULT,
        observations=observations,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def vitals(*, leave_out: tuple[str, ...] = (), ago_s: float = 300.0) -> tuple[Observation, ...]:
    """A full, normal set of vital signs, on air and alert."""
    values = {"HR": 80.0, "O2Sat": 97.0, "Temp": 36.8, "SBP": 125.0, "Resp": 16.0, "FiO2": 21.0}
    measured = tuple(seen(name, value, ago_s=ago_s) for name, value in values.items() if name not in leave_out)
    alert = seen("Consciousness", coded_value="A", ago_s=ago_s)
    return measured if "Consciousness" in leave_out else (*measured, alert)


def taken(*observations: Observation, **more: object) -> Intake:
    """Intake of a request made of these observations, under the default policy."""
    return taken_under(POLICY, *observations, **more)


def taken_under(policy: IntakePolicy, *observations: Observation, **more: object) -> Intake:
    """Intake of a request made of these observations, under a site's policy."""
    return take_in(request(*observations, **more), received_time_s=AS_OF_S, policy=policy)


def refusal(*observations: Observation, **more: object) -> RequestRejectedError:
    """The error with which intake refuses a request made of these observations."""
    try:
        taken(*observations, **more)
    except RequestRejectedError as error:
        return error
    raise AssertionError("the request was not refused")


def reasons(error: RequestRejectedError) -> dict[str, RejectReason]:
    """Each field at fault with its reason."""
    return {violation.field: violation.reason for violation in error.violations}


def parameter(intake: Intake, name: str) -> RuleInput:
    """What the rules read."""
    return intake.rule_inputs.parameters[name]


def dropped(intake: Intake) -> list[tuple[str, InputIssue]]:
    """Channel and issue of everything dropped."""
    return [(entry.channel, entry.issue) for entry in intake.dropped]


def flagged(intake: Intake) -> list[tuple[str, InputIssue]]:
    """Channel and issue of every flag."""
    return [(flag.channel, flag.issue) for flag in intake.flags]


def cells(intake: Intake, name: str) -> list[float]:
    """One column of the grid, oldest hour first."""
    values = array("f")
    values.frombytes(intake.grid.cells)
    assert len(values) == GRID_HOURS * GRID_COLUMNS
    return values[GRID_COLUMN[name] :: GRID_COLUMNS].tolist()


def known_cells(intake: Intake, name: str) -> dict[int, float]:
    """The cells of a column that hold a value, by hours ago."""
    return {GRID_HOURS - 1 - row: value for row, value in enumerate(cells(intake, name)) if value == value}  # noqa: PLR0124
