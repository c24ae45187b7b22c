"""PhysioNet/CinC 2019 stays (`.psv`) as requests: one per hour, each with the 48 hours up to it that a server looks at.

The challenge's columns are a code system of their own, with its units. Two optional columns after the label,
`Consciousness` (0 to 4 along A, C, V, P, U) and `SupplementalOxygen` (0 or 1), carry what NEWS2 needs beside them.
Refuses to mend a file, and to quote a cell of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite, isnan
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
WINDOW_H = 48
_STATIC = ("Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS")
_ALWAYS_KNOWN = ("Age", "ICULOS")
_ACVPU = "ACVPU"
_CODED: Mapping[str, int] = {"Consciousness": len(_ACVPU) - 1, "SupplementalOxygen": 1}
_HOUR = timedelta(hours=1)


class StayFormatError(ValueError):
    """A file is not a record that can be read; the message names the place, what is wrong there and what is allowed."""


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
            window = range(max(0, hour + 1 - WINDOW_H), hour + 1)
            request = encounter.request(as_of=first + _HOUR * hour)
            request.series.extend(self._series(first, window))
            request.observations.extend(self._bedside(first, window))
            yield request

    def hour(self, index: int) -> dict[str, float]:
        """The row of an hour by column."""
        return dict(zip(self.columns, self.rows[index], strict=True))

    def _encounter(self, first: datetime) -> Encounter:
        row = self.hour(0)
        sex = {0.0: "female", 1.0: "male"}.get(row["Gender"], "unknown")
        encounter = Encounter(age_years=row["Age"], sex=sex)
        indication = encounter.indication
        indication.care_setting = CareSetting.CARE_SETTING_ICU
        if row["Unit1"] == 1:
            indication.icu_unit = IcuUnit.ICU_UNIT_MEDICAL
        elif row["Unit2"] == 1:
            indication.icu_unit = IcuUnit.ICU_UNIT_SURGICAL
        indication.icu_admission_time.FromDatetime(first - timedelta(hours=row["ICULOS"]))
        # As the column that it is: some stays of the challenge begin in intensive care hours before the hospital's own
        # admission, an instant that is yet to come in their first requests and would not be believed there.
        if not isnan(row["HospAdmTime"]):
            encounter.observe("HospAdmTime", row["HospAdmTime"], "h", at=first, system=CINC2019)
        return encounter

    def _series(self, first: datetime, window: range) -> Iterator[ObservationSeries]:
        for position, column in enumerate(self.columns):
            if column not in UNITS:
                continue
            charted = [(hour, self.rows[hour][position]) for hour in window if not isnan(self.rows[hour][position])]
            if charted:
                series = ObservationSeries(code_system=CINC2019, code=column, unit=UNITS[column])
                series.base_time.FromDatetime(first)
                series.offsets_ms.extend(hour * 3_600_000 for hour, _ in charted)
                series.values.extend(value for _, value in charted)
                yield series

    def _bedside(self, first: datetime, window: range) -> Iterator[Observation]:
        for hour in window:
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
        raise StayFormatError(
            f"{path.name}: line 1: no column {', '.join(missing[:3])}: the header must name the 40 predictors of the "
            "PhysioNet/CinC 2019 challenge, with | between them"
        )
    if len(set(columns)) < len(columns):
        raise StayFormatError(f"{path.name}: line 1: two columns have the same name: keep one of them")
    if not lines:
        raise StayFormatError(f"{path.name}: line 2: holds no hour: a stay is at least one row under the header")
    return Stay(
        name=path.stem,
        columns=columns,
        rows=tuple(_row(f"{path.name}: line {number}", columns, line) for number, line in enumerate(lines, start=2)),
    )


def _row(place: str, columns: tuple[str, ...], line: str) -> tuple[float, ...]:
    cells = line.split("|")
    if len(cells) != len(columns):
        raise StayFormatError(f"{place}: {len(cells)} cells under {len(columns)} columns: each column needs one cell")
    return tuple(_number(f"{place}: {column}", column, cell) for column, cell in zip(columns, cells, strict=True))


def _number(place: str, column: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        raise StayFormatError(f"{place}: must be a number, or NaN where nothing was charted") from None
    if isnan(number):
        if column in _ALWAYS_KNOWN:
            raise StayFormatError(f"{place}: must be known in every row")
    elif not isfinite(number):
        raise StayFormatError(f"{place}: must be a finite number, or NaN where nothing was charted")
    elif column in _CODED and number not in range(_CODED[column] + 1):
        raise StayFormatError(f"{place}: must be a whole number from 0 to {_CODED[column]}, or NaN")
    return number
