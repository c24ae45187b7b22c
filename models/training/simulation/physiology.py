"""What the body shows: hourly true values of every channel, whatever gets charted of them.

Each channel is `baseline + noise + sum(effect x severity)`, skewed laboratory values on the log scale; the effects
stand in one table. Blood gases obey Henderson-Hasselbalch, pressures are built from mean and pulse pressure,
haematocrit follows haemoglobin.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.simulation.courses import Courses, Hourly
from models.training.simulation.patients import LONGEST_STAY_H, Patients

# channel: (typical, spread between patients, spread within a stay, persistence per hour, log scale)
CHANNELS: dict[str, tuple[float, float, float, float, bool]] = {
    "HR": (83.5, 12.5, 6.5, 0.80, False),
    "Temp": (36.86, 0.45, 0.40, 0.86, False),
    "MAP": (82.0, 10.5, 9.0, 0.72, False),
    "PulsePressure": (60.0, 15.5, 9.0, 0.75, False),
    "Resp": (17.8, 3.1, 3.1, 0.62, False),
    "Saturation": (98.0, 1.2, 1.2, 0.70, False),
    "DeadSpace": (7.0, 2.5, 1.5, 0.80, False),
    "HCO3": (24.4, 3.1, 1.3, 0.95, False),
    "PaCO2": (39.6, 6.0, 3.5, 0.85, False),
    "AST": (np.log(38), 1.5, 0.25, 0.97, True),
    "BUN": (np.log(15.2), 0.60, 0.10, 0.98, True),
    "Alkalinephos": (np.log(74), 0.65, 0.10, 0.98, True),
    "Calcium": (8.4, 0.55, 0.25, 0.93, False),
    "Chloride": (105.8, 5.2, 1.9, 0.96, False),
    "Creatinine": (np.log(0.84), 0.48, 0.08, 0.98, True),
    "Bilirubin_total": (np.log(0.80), 0.95, 0.12, 0.97, True),
    "DirectShare": (-0.85, 0.45, 0.10, 0.97, True),
    "Glucose": (np.log(114), 0.20, 0.22, 0.80, True),
    "Lactate": (np.log(1.60), 0.48, 0.22, 0.88, True),
    "Magnesium": (2.0, 0.34, 0.17, 0.94, False),
    "Phosphate": (np.log(3.22), 0.31, 0.15, 0.92, True),
    "Potassium": (4.02, 0.48, 0.36, 0.88, False),
    "TroponinI": (np.log(0.26), 2.2, 0.30, 0.96, True),
    "Hgb": (10.7, 1.7, 0.35, 0.96, False),
    "PTT": (np.log(31.5), 0.45, 0.14, 0.92, True),
    "WBC": (np.log(10.0), 0.38, 0.10, 0.96, True),
    "Fibrinogen": (np.log(250), 0.46, 0.10, 0.97, True),
    "Platelets": (np.log(188), 0.40, 0.08, 0.98, True),
}

# severity: what one unit of it does to each channel, in the channel's own unit (natural logarithm for skewed channels)
EFFECTS: dict[str, dict[str, float]] = {
    "inflammation": {"HR": 14.0, "Temp": 0.95, "Resp": 2.2, "MAP": -3.0, "PulsePressure": 4.0, "WBC": 0.36,
                     "Glucose": 0.12, "Fibrinogen": 0.25, "Calcium": -0.2},
    "infection": {"Temp": 0.15, "WBC": 0.10, "Platelets": -0.05},
    "hypoperfusion": {"HR": 9.0, "MAP": -13.0, "PulsePressure": -7.0, "Lactate": 0.38, "AST": 0.5, "TroponinI": 0.8,
                      "Creatinine": 0.08},
    "hypoxaemia": {"HR": 5.0, "Resp": 3.6, "Saturation": -5.0, "PaCO2": 2.0},
    "kidney_injury": {"Creatinine": 0.50, "BUN": 0.40, "Potassium": 0.40, "Phosphate": 0.25, "HCO3": -1.5,
                      "Magnesium": 0.1},
    "coagulopathy": {"Platelets": -0.45, "PTT": 0.32, "Fibrinogen": -0.35, "Bilirubin_total": 0.45},
    "acidosis": {"HCO3": -4.5, "Lactate": 0.50, "Resp": 2.2, "PaCO2": -4.0, "Potassium": 0.25, "Chloride": 1.0},
    "encephalopathy": {"Resp": -0.8},
    "bleeding": {"HR": 16.0, "MAP": -12.0, "PulsePressure": -10.0, "Hgb": -2.4, "Lactate": 0.35, "Temp": -0.25,
                 "Platelets": -0.2},
}  # fmt: skip


ON_VASOPRESSORS = 0.5
ANTIPYRETIC_ABOVE = 0.4  # of a standard normal: a third of hours
VENOUS_SAMPLES = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Physiology:
    """True hourly values before anyone charts them, [n, T] each."""

    channel: dict[str, Hourly]
    inspired_oxygen: Hourly
    consciousness: NDArray[np.int8]
    on_oxygen: NDArray[np.bool_]


def run_physiology(patients: Patients, courses: Courses, rng: np.random.Generator) -> Physiology:
    """Turn severities into hourly channel values."""
    level = {name: _noise(row, len(patients), rng) for name, row in CHANNELS.items()}
    _add_chronic_conditions(level, patients, rng)
    _add_effects(level, patients, courses, rng)
    _add_time_of_day(level, rng)
    on_oxygen, inspired = _oxygen(level, patients, rng)
    channel = {name: np.exp(level[name]) if CHANNELS[name][4] else level[name] for name in CHANNELS}
    _derive(channel, rng)
    return Physiology(
        channel=channel,
        inspired_oxygen=inspired,
        consciousness=_consciousness(patients, courses, rng),
        on_oxygen=on_oxygen,
    )


def autoregressive(shape: tuple[int, int], persistence: float, rng: np.random.Generator) -> Hourly:
    """Stationary AR(1) noise of unit variance along the hours, [n, T]."""
    shocks = rng.standard_normal(shape, dtype=np.float32).astype(np.float64)
    shocks[:, 1:] *= np.sqrt(1 - persistence**2)
    for hour in range(1, shape[1]):
        shocks[:, hour] += persistence * shocks[:, hour - 1]
    return shocks


def _noise(row: tuple[float, float, float, float, bool], count: int, rng: np.random.Generator) -> Hourly:
    typical, between, within, persistence, _ = row
    baseline = typical + between * rng.standard_normal((count, 1))
    return baseline + within * autoregressive((count, LONGEST_STAY_H), persistence, rng)


def _add_chronic_conditions(level: dict[str, Hourly], patients: Patients, rng: np.random.Generator) -> None:
    def shift(name: str, who: NDArray[np.bool_], by: float) -> None:
        level[name] += np.where(who, by * rng.lognormal(0, 0.25, len(patients)), 0.0)[:, None]

    shift("HR", patients.beta_blocked, -13.0)
    shift("Saturation", patients.copd, -7.0)
    shift("PaCO2", patients.copd, 12.0)
    shift("HCO3", patients.copd, 4.5)
    shift("Resp", patients.copd, 2.0)
    shift("Creatinine", patients.kidney_disease, 1.05)
    shift("BUN", patients.kidney_disease, 0.75)
    shift("Potassium", patients.kidney_disease, 0.35)
    shift("Hgb", patients.kidney_disease, -0.9)
    shift("Bilirubin_total", patients.liver_disease, 1.2)
    shift("Platelets", patients.liver_disease, -0.5)
    shift("Lactate", patients.liver_disease, 0.35)
    shift("Glucose", patients.diabetes, 0.25)
    shift("MAP", patients.hypertension, 7.0)
    shift("PulsePressure", patients.hypertension, 9.0)
    shift("WBC", patients.immunosuppressed, -0.7)
    shift("Resp", patients.ventilated, -1.5)


def _add_effects(level: dict[str, Hourly], patients: Patients, courses: Courses, rng: np.random.Generator) -> None:
    response = {
        "HR": patients.heart_rate_response,
        "Temp": patients.temperature_response,
        "WBC": patients.white_cell_response,
    }
    for severity, effects in EFFECTS.items():
        for name, effect in effects.items():
            strength = response.get(name, np.ones(len(patients))) * rng.lognormal(0, 0.3, len(patients))
            level[name] += effect * strength[:, None] * courses.severity[severity]
    _treat(level, patients, courses, rng)


def _treat(level: dict[str, Hourly], patients: Patients, courses: Courses, rng: np.random.Generator) -> None:
    # Paracetamol hides part of a fever; vasopressors hold the pressure that the disease lets go.
    shape = (len(patients), LONGEST_STAY_H)
    fever = np.maximum(level["Temp"] - 37.8, 0)
    level["Temp"] -= 0.6 * fever * (autoregressive(shape, 0.85, rng) > ANTIPYRETIC_ABOVE)
    supported = (rng.random(len(patients)) < ON_VASOPRESSORS)[:, None] * np.clip(
        courses.severity["hypoperfusion"] - 0.6, 0, 1
    )
    level["MAP"] += 11.0 * supported
    level["HR"] += 3.0 * supported
    agitation = np.maximum(autoregressive(shape, 0.6, rng) - 1.6, 0)
    level["HR"] += 12.0 * agitation
    level["MAP"] += 9.0 * agitation
    level["Resp"] += 4.0 * agitation


def _add_time_of_day(level: dict[str, Hourly], rng: np.random.Generator) -> None:
    count = len(level["HR"])
    clock = np.arange(LONGEST_STAY_H)[None, :] + rng.integers(0, 24, (count, 1))
    daily = np.cos(2 * np.pi * (clock - 17) / 24)
    level["HR"] += 2.5 * daily
    level["Temp"] += 0.18 * daily
    level["MAP"] += 2.0 * daily


def _oxygen(level: dict[str, Hourly], patients: Patients, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Hourly]:
    # Nurses titrate to a target: 88-92 % in COPD, 94-98 % otherwise. Oxygen hides the very fall that called for it.
    target = np.where(patients.copd, 89.0, 94.5)[:, None]
    shortfall = target - level["Saturation"] + autoregressive(level["Saturation"].shape, 0.93, rng)
    on_oxygen = (shortfall > 0) | patients.ventilated[:, None]
    needed = np.maximum(shortfall, 0) + np.where(patients.ventilated, 4.6, 0.0)[:, None]
    level["Saturation"] += np.where(on_oxygen, np.minimum(0.75 * needed + 0.8, 9.0), 0.0)
    steps = np.array([0.21, 0.30, 0.40, 0.50, 0.60, 1.00])
    step = np.clip(np.ceil(needed / 1.8), 1, 5).astype(np.int64)
    return on_oxygen, np.where(on_oxygen, steps[step], steps[0])


def _derive(channel: dict[str, Hourly], rng: np.random.Generator) -> None:
    shape = channel["HR"].shape
    pulse = np.maximum(channel["PulsePressure"], 14.0)
    channel["MAP"] = np.maximum(channel["MAP"], 28.0)
    channel["SBP"] = channel["MAP"] + 0.64 * pulse
    channel["DBP"] = channel["MAP"] - 0.34 * pulse + rng.normal(0, 1.0, shape)
    # Above 98.5 % the dissociation curve is flat: differences upstream hardly show.
    channel["O2Sat"] = np.minimum(channel["Saturation"], 98.5 + 0.15 * (channel["Saturation"] - 98.5))
    venous = rng.random(shape) < VENOUS_SAMPLES
    channel["SaO2"] = np.where(venous, rng.normal(68, 8, shape), channel["O2Sat"] + rng.normal(-0.3, 1.0, shape))
    channel["EtCO2"] = channel["PaCO2"] - channel["DeadSpace"]
    channel["HCO3"] = np.clip(channel["HCO3"], 5.0, 50.0)
    # The lungs answer a metabolic shift within hours.
    channel["PaCO2"] = np.clip(channel["PaCO2"] + 0.8 * (channel["HCO3"] - 24.4), 15.0, 110.0)
    channel["pH"] = 6.1 + np.log10(channel["HCO3"] / (0.0307 * channel["PaCO2"]))
    channel["BaseExcess"] = 0.93 * (channel["HCO3"] - 24.4 + 14.8 * (channel["pH"] - 7.4))
    channel["Hct"] = 2.95 * channel["Hgb"] + rng.normal(0, 0.7, shape)
    channel["Bilirubin_direct"] = channel["Bilirubin_total"] * np.minimum(channel["DirectShare"], 0.95)


def _consciousness(patients: Patients, courses: Courses, rng: np.random.Generator) -> NDArray[np.int8]:
    # 0 alert, 1 new confusion, 2 responds to voice, 3 to pain, 4 unresponsive
    shape = (len(patients), LONGEST_STAY_H)
    clouding = 0.9 * courses.severity["encephalopathy"] + 0.35 * autoregressive(shape, 0.85, rng)
    sedation = np.where(patients.ventilated, rng.uniform(0.8, 2.6, len(patients)), 0.0)[:, None]
    depth = clouding + sedation * np.exp(-np.arange(LONGEST_STAY_H) / 30.0)[None, :]
    return np.digitize(depth, (0.75, 1.25, 1.9, 2.6)).astype(np.int8)
