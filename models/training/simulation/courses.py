"""What goes wrong during a stay: sepsis, its mimics, and the hourly severities they leave behind.

Sepsis is infection *and* organ dysfunction, as Sepsis-3 defines it. Each half also occurs alone (infection that stays
contained, sterile inflammation, bleeding, pump failure, respiratory failure, kidney injury) and does to the channels
exactly what it does in sepsis, so no single channel tells them apart: what does is which of them move together, in
which order, from which baseline.

Onset has a constant hazard per hour at risk. An onset drawn over the planned stay instead would make late hours mostly
septic, and a model would learn the clock.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.simulation.patients import LONGEST_STAY_H, Patients

Hourly = NDArray[np.float64]

HAZARD_PER_H = 0.0028
EARLIEST_ONSET_H = 5
LABEL_LEAD_H = 6
RECORD_AFTER_ONSET_H = 3
NEVER = 10_000

# How likely an organ system is to fail in a septic patient; perfusion and metabolism stand in when fewer than two do.
SEPTIC_ORGANS: dict[str, float] = {
    "hypoperfusion": 0.70,
    "hypoxaemia": 0.55,
    "kidney_injury": 0.50,
    "coagulopathy": 0.35,
    "acidosis": 0.60,
    "encephalopathy": 0.45,
}

# Events that strike septic and other patients alike: share of stays, and the severities each one drives.
MIMICS: dict[str, tuple[float, tuple[str, ...]]] = {
    "sterile_inflammation": (0.30, ("inflammation",)),
    "contained_infection": (0.16, ("inflammation", "infection")),
    "bleeding": (0.10, ("bleeding",)),
    "pump_failure": (0.09, ("hypoperfusion", "acidosis")),
    "respiratory_failure": (0.15, ("hypoxaemia",)),
    "kidney_injury": (0.10, ("kidney_injury",)),
    "coagulopathy": (0.06, ("coagulopathy",)),
    "delirium": (0.12, ("encephalopathy",)),
    "metabolic": (0.07, ("acidosis",)),
}

SEVERITIES = ("inflammation", "infection", "bleeding", *SEPTIC_ORGANS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """What happens to each patient.

    `onset_h` [n] is the hour of sepsis (NEVER if none), `length_h` [n] the recorded stay; `severity` maps a name to
    [n, T], 0 = absent, about 1 = full; `had` maps an event to who had it.
    """

    onset_h: NDArray[np.int64]
    length_h: NDArray[np.int64]
    severity: dict[str, Hourly]
    had: dict[str, NDArray[np.bool_]]


def draw_courses(patients: Patients, *, severity_scale: float, rng: np.random.Generator) -> Courses:
    """Draw every patient's events over `LONGEST_STAY_H` hours; the smaller `severity_scale`, the milder sepsis is."""
    count = len(patients)
    hours = np.arange(LONGEST_STAY_H, dtype=np.float64)[None, :]
    onset = EARLIEST_ONSET_H + np.floor(rng.exponential(1 / HAZARD_PER_H, count)).astype(np.int64)
    septic = onset < patients.planned_hours
    onset = np.where(septic, onset, NEVER)
    severity = {name: np.zeros((count, LONGEST_STAY_H)) for name in SEVERITIES}
    had = {name: _strike(name, severity, patients, hours, rng) for name in MIMICS}
    _add_sepsis(severity, onset, hours, severity_scale, rng)
    length = np.minimum(patients.planned_hours, onset + RECORD_AFTER_ONSET_H + 1)
    return Courses(onset_h=onset, length_h=length, severity=severity, had=had | {"sepsis": septic})


def labels(courses: Courses) -> NDArray[np.int8]:
    """Challenge labels [n, T]: 1 from six hours before onset. Never shift them again."""
    hours = np.arange(LONGEST_STAY_H)[None, :]
    return (hours >= courses.onset_h[:, None] - LABEL_LEAD_H).astype(np.int8)


def _episode(start: Hourly, rise: Hourly, amplitude: Hourly, fade: Hourly, hours: Hourly) -> Hourly:
    since = hours - start[:, None]
    risen = 1 / (1 + np.exp(np.clip(-(4 * since / rise[:, None] - 2), -60, 60)))
    fading = np.exp(-np.maximum(since - 1.5 * rise[:, None], 0) / fade[:, None])
    return amplitude[:, None] * risen * fading


def _strike(
    name: str, severity: dict[str, Hourly], patients: Patients, hours: Hourly, rng: np.random.Generator
) -> NDArray[np.bool_]:
    share, driven = MIMICS[name]
    count = len(patients)
    struck = rng.random(count) < share
    start = rng.uniform(-14, patients.planned_hours)
    rise, fade = rng.uniform(2, 9, count), rng.uniform(10, 40, count)
    for target in driven:
        amplitude = np.where(struck, rng.lognormal(-0.05, 0.35, count), 0.0)
        severity[target] += _episode(start + rng.normal(0, 1, count), rise, amplitude, fade, hours)
    return struck


def _add_sepsis(
    severity: dict[str, Hourly], onset: NDArray[np.int64], hours: Hourly, scale: float, rng: np.random.Generator
) -> None:
    count = len(onset)
    septic = onset < NEVER
    when = onset.astype(np.float64)
    begun = when - rng.uniform(8, 18, count)
    inflamed = np.where(septic, scale * rng.lognormal(-0.05, 0.35, count), 0.0)
    for target in ("inflammation", "infection"):
        severity[target] += _episode(begun, rng.uniform(4, 10, count), inflamed, np.full(count, 60.0), hours)
    fails = {organ: rng.random(count) < share for organ, share in SEPTIC_ORGANS.items()}
    too_few = sum(failed.astype(int) for failed in fails.values()) < 2  # noqa: PLR2004 -- Sepsis-3: two points of SOFA
    for organ, failed in fails.items():
        stands_in = too_few if organ in {"hypoperfusion", "acidosis"} else np.zeros(count, dtype=np.bool_)
        amplitude = np.where(septic & (failed | stands_in), scale * rng.lognormal(-0.1, 0.4, count), 0.0)
        start = when - rng.uniform(4, 12, count)
        severity[organ] += _episode(start, rng.uniform(5, 12, count), amplitude, np.full(count, 60.0), hours)
