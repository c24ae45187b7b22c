"""Who lies in the bed: demographics, chronic conditions that move baselines, and how strongly each body responds.

Chronic conditions are what make one channel misleading without the others: a beta-blocked heart does not race, a COPD
patient is well at a saturation of 90 %, a creatinine of 3 is old news in chronic kidney disease.
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
    """One array entry per stay; responses multiply what inflammation does to a channel, 1 is typical."""

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


# condition: share of the young who have it, and how much larger the share grows with age
CONDITIONS: dict[str, tuple[float, float]] = {
    "beta_blocked": (0.08, 0.30),
    "copd": (0.06, 0.12),
    "kidney_disease": (0.05, 0.12),
    "liver_disease": (0.05, 0.0),
    "diabetes": (0.25, 0.0),
    "hypertension": (0.15, 0.40),
    "immunosuppressed": (0.09, 0.0),
    "ventilated": (0.28, 0.0),
    "cools_when_inflamed": (0.05, 0.12),
    "loses_white_cells": (0.12, 0.0),
    "stays_long": (0.10, 0.0),
    "is_male": (0.56, 0.0),
    "unit_known": (0.61, 0.0),
    "is_medical_unit": (0.50, 0.0),
}
AGE_MEAN, AGE_SPREAD, YOUNGEST, OLDEST = 63.0, 16.0, 18.0, 100.0
LONGEST_ADMITTED_H = 5000.0


def draw_patients(count: int, rng: np.random.Generator) -> Patients:
    """Draw `count` independent patients."""
    age = np.clip(np.round(rng.normal(AGE_MEAN, AGE_SPREAD, count)), YOUNGEST, OLDEST)
    older = 1 / (1 + np.exp(-(age - 60) / 10))
    has = {name: rng.random(count) < share + added * older for name, (share, added) in CONDITIONS.items()}
    temperature = rng.lognormal(0, 0.35, count) * np.where(has.pop("cools_when_inflamed"), -0.9, 1 - 0.35 * older)
    white_cells = rng.lognormal(0, 0.35, count) * np.where(has.pop("loses_white_cells"), -0.9, 1)
    return Patients(
        age=age,
        hospital_admission_h=-np.minimum(rng.lognormal(np.log(6.0), 2.0, count), LONGEST_ADMITTED_H),
        planned_hours=_planned_hours(has.pop("stays_long"), rng),
        heart_rate_response=rng.lognormal(0, 0.3, count) * np.where(has["beta_blocked"], 0.2, 1),
        temperature_response=temperature * np.where(has["immunosuppressed"], 0.25, 1),
        white_cell_response=white_cells * np.where(has["immunosuppressed"], 0.1, 1),
        **has,
    )


def _planned_hours(stays_long: Flags, rng: np.random.Generator) -> NDArray[np.int64]:
    # Median about 37 h, quartiles near 26 and 49, with a tail of long stays.
    ordinary = rng.lognormal(np.log(35.0), 0.42, len(stays_long))
    drawn = np.where(stays_long, ordinary * rng.uniform(1.5, 4.0, len(stays_long)), ordinary)
    return np.clip(np.round(drawn), SHORTEST_STAY_H, LONGEST_STAY_H).astype(np.int64)
