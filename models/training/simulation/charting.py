"""What gets charted: which hours of which channel are written down, and at which resolution.

Vital signs are near hourly, laboratory values come in panels with a morning peak, and a worried clinician orders more
of them. That worry is a noisy reading of how ill the patient is, so missingness carries a little information, as it
does in real records.
"""

import numpy as np
from numpy.typing import NDArray

from models.training.columns import COLUMNS, INDEX, NAMES
from models.training.simulation.courses import Courses, Hourly
from models.training.simulation.patients import LONGEST_STAY_H, Patients
from models.training.simulation.physiology import Physiology, autoregressive

# vital sign: share of hours charted, and share of stays in which the channel is not followed at all
VITAL_CHARTING: dict[str, tuple[float, float]] = {
    "HR": (0.965, 0.0),
    "O2Sat": (0.935, 0.005),
    "Temp": (0.360, 0.0),
    "SBP": (0.945, 0.03),
    "MAP": (0.955, 0.015),
    "DBP": (0.945, 0.22),
    "Resp": (0.925, 0.015),
}
HOUR_CHARTED = 0.935
ROOM_AIR_WRITTEN = 0.08
CAPNOGRAPHY_SHARE = 0.35
CAPNOGRAPHY_CHARTED = 0.40

# panel: draws per hour at average worry, how much the morning round adds, how strongly worry drives it, its members
# with the share reported
PANELS: dict[str, tuple[float, float, float, dict[str, float]]] = {
    "chemistry": (0.047, 4.0, 0.45, {
        "BUN": 0.97, "Chloride": 0.65, "Creatinine": 0.90, "Potassium": 1.0, "HCO3": 0.60,
        "Calcium": 0.85, "Magnesium": 0.90, "Phosphate": 0.58, "Glucose": 0.95,
    }),
    "blood_count": (0.048, 4.0, 0.45, {"Hct": 1.0, "Hgb": 0.97, "WBC": 0.86, "Platelets": 0.80}),
    "blood_gas": (0.073, 0.4, 0.80, {
        "pH": 0.92, "PaCO2": 0.74, "BaseExcess": 0.72, "SaO2": 0.47, "FiO2": 0.60, "Lactate": 0.25,
        "Potassium": 0.30, "Hct": 0.25,
    }),
    "lactate": (0.008, 0.2, 1.20, {"Lactate": 1.0}),
    "liver": (0.0105, 4.0, 0.60, {"AST": 1.0, "Alkalinephos": 1.0, "Bilirubin_total": 0.95, "Bilirubin_direct": 0.11}),
    "coagulation": (0.0215, 3.0, 0.55, {"PTT": 1.0, "Fibrinogen": 0.21}),
    "troponin": (0.0105, 0.5, 0.50, {"TroponinI": 1.0}),
    "bedside_glucose": (0.142, 0.3, 0.15, {"Glucose": 1.0}),
    "ventilator": (0.125, 0.0, 0.20, {"FiO2": 1.0}),
}  # fmt: skip

MORNING_H = 5.0


def chart(patients: Patients, courses: Courses, body: Physiology, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the charted table [n, T, 40], NaN where nothing was written down."""
    shape = (len(patients), LONGEST_STAY_H)
    table = np.full((*shape, len(NAMES)), np.nan, dtype=np.float32)
    written = _vitals_written(shape, rng)
    _add_panels(written, patients, _worry(courses, rng), rng)
    # Room air is seldom written down; a set fraction is.
    written["FiO2"] &= body.on_oxygen | (rng.random(shape) < ROOM_AIR_WRITTEN)
    values = body.channel | {"FiO2": body.inspired_oxygen}
    for name, mask in written.items():
        column = COLUMNS[INDEX[name]]
        rounded = np.round(np.clip(values[name], column.lowest, column.highest), column.decimals)
        table[:, :, INDEX[name]] = np.where(mask, rounded, np.nan)
    _add_context(table, patients)
    return table


def _vitals_written(shape: tuple[int, int], rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    hour_charted = rng.random(shape) < HOUR_CHARTED
    hour_charted[:, 0] = True
    return {
        name: hour_charted & (rng.random(shape) < share) & (rng.random((shape[0], 1)) >= never)
        for name, (share, never) in VITAL_CHARTING.items()
    }


def _worry(courses: Courses, rng: np.random.Generator) -> Hourly:
    total = sum(courses.severity.values(), start=np.zeros_like(courses.severity["infection"]))
    return 0.22 * total + 0.9 * autoregressive(total.shape, 0.92, rng)


def _add_panels(
    written: dict[str, NDArray[np.bool_]], patients: Patients, worry: Hourly, rng: np.random.Generator
) -> None:
    count = len(patients)
    admitted_at = rng.uniform(0, 24, (count, 1))
    clock = (np.arange(LONGEST_STAY_H)[None, :] + admitted_at) % 24
    morning = np.exp(-0.5 * ((clock - MORNING_H) / 1.6) ** 2)
    first_hours = 3.0 * np.exp(-np.arange(LONGEST_STAY_H) / 1.5)[None, :]
    habit = rng.lognormal(-0.08, 0.4, (count, 1))
    for panel, (rate, peak, urgency, members) in PANELS.items():
        intensity = rate * habit * np.exp(urgency * (worry - 0.2)) * (0.6 + peak * morning + first_hours)
        if panel == "ventilator":
            intensity = intensity * np.where(patients.ventilated, 2.6, 0.15)[:, None]
        drawn = rng.random(worry.shape) < intensity
        for name, share in members.items():
            reported = drawn & (rng.random(worry.shape) < share)
            written[name] = written.get(name, np.zeros_like(drawn)) | reported
    written["EtCO2"] = (patients.ventilated & (rng.random(count) < CAPNOGRAPHY_SHARE))[:, None] & (
        rng.random(worry.shape) < CAPNOGRAPHY_CHARTED
    )


def _add_context(table: NDArray[np.float32], patients: Patients) -> None:
    medical = np.where(patients.unit_known, patients.is_medical_unit.astype(np.float64), np.nan)
    constant = {
        "Age": patients.age,
        "Gender": patients.is_male.astype(np.float64),
        "Unit1": medical,
        "Unit2": 1 - medical,
        "HospAdmTime": np.round(patients.hospital_admission_h, 2),
    }
    for name, value in constant.items():
        table[:, :, INDEX[name]] = value[:, None]
    table[:, :, INDEX["ICULOS"]] = np.arange(1, LONGEST_STAY_H + 1)[None, :]
