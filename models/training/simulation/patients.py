"""Who lies in the bed: demographics, chronic conditions that move baselines, and how strongly each body responds.

Chronic conditions are what make one channel misleading without the others: a beta-blocked heart does not race, a COPD patient is well at
a saturation of 90 %, a creatinine of 3 is old news in chronic kidney disease.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

LONGEST_STAY_H = 120
SHORTEST_STAY_H = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Patients:
    """One array entry per stay. Responses multiply what inflammation does to a channel; 1 is typical, negative reverses it."""

    age: Numbers
    is_male: Flags
    unit_known: Flags
    is_medical_unit: Flags
    hospital_admission_h: Numbers
    planned_hours: NDArray[np.int64]
    beta_blocked: Flags
    copd: Flags
    kidney_disease: Flags
    liver_disease: Flags
    diabetes: Flags
    hypertension: Flags
    immunosuppressed: Flags
    ventilated: Flags
    heart_rate_response: Numbers
    temperature_response: Numbers
    white_cell_response: Numbers

    def __len__(self) -> int:
        """Return the number of patients."""
        return len(self.age)


def draw_patients(count: int, rng: np.random.Generator) -> Patients:
    """Draw `count` independent patients."""
    age = np.clip(np.round(rng.normal(63, 16, count)), 18, 100)
    older = 1 / (1 + np.exp(-(age - 60) / 10))
    beta_blocked = rng.random(count) < 0.08 + 0.30 * older
    immunosuppressed = rng.random(count) < 0.09
    cold_responder = rng.random(count) < 0.05 + 0.12 * older
    temperature = rng.lognormal(0, 0.35, count) * np.where(cold_responder, -0.9, 1 - 0.35 * older)
    white_cells = rng.lognormal(0, 0.35, count) * np.where(rng.random(count) < 0.12, -0.9, 1)
    return Patients(
        age=age,
        is_male=rng.random(count) < 0.56,
        unit_known=rng.random(count) < 0.61,
        is_medical_unit=rng.random(count) < 0.5,
        hospital_admission_h=-np.minimum(rng.lognormal(np.log(6.0), 2.0, count), 5000.0),
        planned_hours=_planned_hours(count, rng),
        beta_blocked=beta_blocked,
        copd=rng.random(count) < 0.06 + 0.12 * older,
        kidney_disease=rng.random(count) < 0.05 + 0.12 * older,
        liver_disease=rng.random(count) < 0.05,
        diabetes=rng.random(count) < 0.25,
        hypertension=rng.random(count) < 0.15 + 0.40 * older,
        immunosuppressed=immunosuppressed,
        ventilated=rng.random(count) < 0.28,
        heart_rate_response=rng.lognormal(0, 0.3, count) * np.where(beta_blocked, 0.2, 1),
        temperature_response=temperature * np.where(immunosuppressed, 0.25, 1),
        white_cell_response=white_cells * np.where(immunosuppressed, 0.1, 1),
    )


def _planned_hours(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    # Median 38 h, quartiles near 24 and 47, with a tail of long stays.
    ordinary = rng.lognormal(np.log(35.0), 0.42, count)
    drawn = np.where(rng.random(count) < 0.10, ordinary * rng.uniform(1.5, 4.0, count), ordinary)
    return np.clip(np.round(drawn), SHORTEST_STAY_H, LONGEST_STAY_H).astype(np.int64)
