"""PhysioNet/CinC 2019 stays (`.psv`) as requests: one per hour, each with everything charted up to that hour.

The challenge's columns are a code system of their own, with its units. Two optional columns after the label,
`Consciousness` (0 to 4 along A, C, V, P, U) and `SupplementalOxygen` (0 or 1), carry what NEWS2 needs beside them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from pathlib import Path

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.api.v1.observations_pb2 import CareSetting, IcuUnit, Observation, ObservationSeries, ObservationStatus
from stepdown.client.encounter import LEVEL_OF_RESPONSIVENESS, LOINC, Encounter

CINC2019 = "https://physionet.org/content/challenge-2019"
UNITS = {
    "HR": "/min", "O2Sat": "%", "Temp": "Cel", "SBP": "mm[Hg]", "MAP": "mm[Hg]", "DBP": "mm[Hg]", "Resp": "/min",
    "EtCO2": "mm[Hg]", "BaseExcess": "mmol/L", "HCO3": "mmol/L", "FiO2": "1", "pH": "[pH]", "PaCO2": "mm[Hg]",
    "SaO2": "%", "AST": "U/L", "BUN": "mg/dL", "Alkalinephos": "U/L", "Calcium": "mg/dL", "Chloride": "mmol/L",
    "Creatinine": "mg/dL", "Bilirubin_direct": "mg/dL", "Glucose": "mg/dL", "Lactate": "mmol/L",
    "Magnesium": "mg/dL", "Phosphate": "mg/dL", "Potassium": "mmol/L", "Bilirubin_total": "mg/dL",
    "TroponinI": "ng/mL", "Hct": "%", "Hgb": "g/dL", "PTT": "s", "WBC": "10*3/uL", "Fibrinogen": "mg/dL",
    "Platelets": "10*3/uL",
}  # fmt: skip
_STATIC = ("Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS")
_ACVPU = "ACVPU"
_HOUR = timedelta(hours=1)


class StayFormatError(ValueError):
    """A file is not a stay of the challenge; the message names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One stay: its name, its columns and a row of numbers per hour."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]

    def requests(self, *, ending: datetime) -> Iterator[AssessRiskRequest]:
        """A request for every hour of the stay, the last of them as of `ending`."""
        first = ending - _HOUR * (len(self.rows) - 1)
        encounter = self._encounter(first)
        for hour in range(len(self.rows)):
            as_of = first + _HOUR * hour
            request = encounter.request(as_of=as_of)
            request.series.extend(self._series(first, hour))
            request.observations.extend(self._bedside(first, hour))
            yield request

    def hour(self, index: int) -> dict[str, float]:
        """The row of an hour by column."""
        return dict(zip(self.columns, self.rows[index], strict=True))

    def _encounter(self, first: datetime) -> Encounter:
        row = self.hour(0)
        sex = {0.0: "female", 1.0: "male"}.get(row.get("Gender", float("nan")), "unknown")
        encounter = Encounter(age_years=row["Age"], sex=sex)
        indication = encounter.indication
        indication.care_setting = CareSetting.CARE_SETTING_ICU
        if row.get("Unit1") == 1:
            indication.icu_unit = IcuUnit.ICU_UNIT_MEDICAL
        elif row.get("Unit2") == 1:
            indication.icu_unit = IcuUnit.ICU_UNIT_SURGICAL
        admitted = first - timedelta(hours=row["ICULOS"])
        indication.icu_admission_time.FromDatetime(admitted)
        if not isnan(row["HospAdmTime"]):
            indication.hospital_admission_time.FromDatetime(admitted + timedelta(hours=row["HospAdmTime"]))
        return encounter

    def _series(self, first: datetime, last_hour: int) -> Iterator[ObservationSeries]:
        for position, column in enumerate(self.columns):
            if column not in UNITS:
                continue
            charted = [
                (hour, self.rows[hour][position])
                for hour in range(last_hour + 1)
                if not isnan(self.rows[hour][position])
            ]
            if charted:
                series = ObservationSeries(code_system=CINC2019, code=column, unit=UNITS[column])
                series.base_time.FromDatetime(first)
                series.offsets_ms.extend(hour * 3_600_000 for hour, _ in charted)
                series.values.extend(value for _, value in charted)
                yield series

    def _bedside(self, first: datetime, last_hour: int) -> Iterator[Observation]:
        for hour in range(last_hour + 1):
            row = self.hour(hour)
            level, oxygen = row.get("Consciousness", float("nan")), row.get("SupplementalOxygen", float("nan"))
            made = []
            if not isnan(level):
                made.append(
                    Observation(code_system=LOINC, code=LEVEL_OF_RESPONSIVENESS, coded_value=_ACVPU[int(level)])
                )
            if not isnan(oxygen):
                made.append(Observation(code_system=CINC2019, code="SupplementalOxygen", value=oxygen, unit="1"))
            for observation in made:
                observation.status = ObservationStatus.OBSERVATION_STATUS_FINAL
                observation.effective_time.FromDatetime(first + _HOUR * hour)
                yield observation


def read_stay(path: Path) -> Stay:
    """Read one file. Raises StayFormatError."""
    header, *lines = path.read_text("ascii", errors="replace").splitlines() or [""]
    columns = tuple(header.split("|"))
    missing = [name for name in (*UNITS, *_STATIC) if name not in columns]
    if missing:
        raise StayFormatError(f"{path.name}: line 1: not a challenge file: no column {', '.join(missing[:3])}")
    if not lines:
        raise StayFormatError(f"{path.name}: holds no hour")
    return Stay(
        name=path.stem,
        columns=columns,
        rows=tuple(_row(path, columns, index, line) for index, line in enumerate(lines)),
    )


def _row(path: Path, columns: tuple[str, ...], index: int, line: str) -> tuple[float, ...]:
    cells = line.split("|")
    try:
        row = tuple(float(cell) for cell in cells)
    except ValueError:
        raise StayFormatError(f"{path.name}: line {index + 2}: every cell must be a number or NaN") from None
    if len(row) != len(columns):
        raise StayFormatError(f"{path.name}: line {index + 2}: {len(row)} cells under {len(columns)} columns")
    return row
