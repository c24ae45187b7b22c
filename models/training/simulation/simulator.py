"""Simulate stays reproducibly: the same count and seed give the same bytes on every run.

Stays are drawn in blocks with one random stream per block, so memory stays bounded and a longer data set begins with a
shorter one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.simulation.charting import chart
from models.training.simulation.courses import LABEL_LEAD_H, Courses, draw_courses, labels
from models.training.simulation.patients import LONGEST_STAY_H, Patients, draw_patients
from models.training.simulation.physiology import Physiology, run_physiology
from models.training.stays import Stays, join

BLOCK_STAYS = 512

# How far sepsis stands out from its mimics. Chosen so that hour-level discrimination lies where the literature has it
# (0.80-0.87).
SEVERITY_SCALE = 0.80


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedStays:
    """Stays with the truth behind them, which no model may see: `story` maps a condition or event to who has it."""

    stays: Stays
    story: dict[str, NDArray[np.bool_]]


def simulate(count: int, *, seed: int, severity_scale: float = SEVERITY_SCALE) -> SimulatedStays:
    """Simulate `count` stays."""
    blocks = []
    for first in range(0, count, BLOCK_STAYS):
        rng = np.random.default_rng(np.random.SeedSequence((seed, first // BLOCK_STAYS)))
        block = _simulate_block(rng, first, seed, severity_scale)
        blocks.append(_truncate(block, min(BLOCK_STAYS, count - first)))
    return SimulatedStays(
        stays=join(tuple(block.stays for block in blocks)),
        story={name: np.concatenate([block.story[name] for block in blocks]) for name in blocks[0].story},
    )


def _simulate_block(rng: np.random.Generator, first: int, seed: int, severity_scale: float) -> SimulatedStays:
    patients = draw_patients(BLOCK_STAYS, rng)
    courses = draw_courses(patients, severity_scale=severity_scale, rng=rng)
    body = run_physiology(patients, courses, rng)
    table = chart(patients, courses, body, rng)
    recorded = np.arange(LONGEST_STAY_H)[None, :] < courses.length_h[:, None]
    stays = Stays(
        names=tuple(f"s{seed}-{number:06d}" for number in range(first, first + BLOCK_STAYS)),
        first_row=np.concatenate([[0], np.cumsum(courses.length_h)]),
        predictors=table[recorded],
        consciousness=body.consciousness[recorded],
        on_oxygen=body.on_oxygen.astype(np.int8)[recorded],
        label=labels(courses)[recorded],
    )
    return SimulatedStays(stays=stays, story=_story(patients, courses, body))


def _story(patients: Patients, courses: Courses, body: Physiology) -> dict[str, NDArray[np.bool_]]:
    chronic = ("beta_blocked", "copd", "kidney_disease", "liver_disease", "immunosuppressed", "ventilated")
    return courses.had | {name: getattr(patients, name) for name in chronic} | {
        "ever_on_oxygen": body.on_oxygen.any(axis=1),
        "late_onset": courses.had["sepsis"] & (courses.onset_h > 2 * LABEL_LEAD_H),
    }  # fmt: skip


def _truncate(block: SimulatedStays, count: int) -> SimulatedStays:
    chosen = np.arange(count)
    return SimulatedStays(
        stays=block.stays.select(chosen), story={name: flags[:count] for name, flags in block.story.items()}
    )
