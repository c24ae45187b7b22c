"""The dozen stays of the demonstration: the first of each kind drawn, not the ones a model likes best."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.training.psv import BEDSIDE_COLUMNS, write_folder
from models.training.recipe import DEMO_SEED
from models.training.simulation.courses import MIMICS
from models.training.simulation.simulator import SimulatedStays, simulate

POOL_STAYS = 16_384
SHORTEST_H, LONGEST_H = 24, 72
CHRONIC = ("beta_blocked", "copd", "kidney_disease", "liver_disease", "immunosuppressed", "ventilated")

# file name: (what the reader sees, events and conditions the stay has; every other one it has not)
KINDS: dict[str, tuple[str, frozenset[str]]] = {
    "septic": ("sepsis, no chronic condition", frozenset({"sepsis"})),
    "septic-beta-blocked": (
        "sepsis under beta-blockers: the pulse hardly rises",
        frozenset({"sepsis", "beta_blocked"}),
    ),
    "septic-copd": ("sepsis on top of COPD", frozenset({"sepsis", "copd"})),
    "septic-immunosuppressed": (
        "sepsis with little fever and few white cells",
        frozenset({"sepsis", "immunosuppressed"}),
    ),
    "well": ("nothing happens", frozenset()),
    "well-copd": ("COPD, saturation at its usual 88-92 %", frozenset({"copd"})),
    "well-kidney-disease": ("chronic kidney disease, creatinine high from the start", frozenset({"kidney_disease"})),
    "contained-infection": ("infection that stays without organ failure", frozenset({"contained_infection"})),
    "sterile-inflammation": ("fever and fast pulse without infection", frozenset({"sterile_inflammation"})),
    "bleeding": ("haemorrhage", frozenset({"bleeding"})),
    "pump-failure": ("low output, lactate up, no inflammation", frozenset({"pump_failure"})),
    "respiratory-failure": ("oxygen need rising", frozenset({"respiratory_failure"})),
}


def write_demo_stays(folder: Path) -> tuple[Path, ...]:
    """Write the stays with bedside columns and a README that says what each one is."""
    simulated = simulate(POOL_STAYS, seed=DEMO_SEED)
    chosen = np.array([_first(simulated, has) for _, has in KINDS.values()])
    stays = replace(simulated.stays.select(chosen), names=tuple(KINDS))
    paths = write_folder(stays, folder, bedside=True)
    readme = folder / "README.md"
    readme.write_text(_readme(), encoding="utf-8")
    return (*paths, readme)


def _first(simulated: SimulatedStays, has: frozenset[str]) -> int:
    lengths = np.diff(simulated.stays.first_row)
    fits = (lengths >= SHORTEST_H) & (lengths <= LONGEST_H)
    for name in ("sepsis", *MIMICS, *CHRONIC):
        fits &= simulated.story[name] == (name in has)
    return int(np.flatnonzero(fits)[0])


def _readme() -> str:
    lines = [f"| `{name}.psv` | {text} |" for name, (text, _) in KINDS.items()]
    consciousness, oxygen = BEDSIDE_COLUMNS
    return (
        "# Stays of the demonstration\n\n"
        "Simulated: nobody lay in these beds. Format of the PhysioNet/CinC 2019 challenge (one row an hour, `|` "
        "between numbers, `NaN` where "
        "nothing was charted), followed by two columns that the challenge lacks and NEWS2 needs:\n\n"
        f"- `{consciousness}`: 0 alert, 1 new confusion, 2 responds to voice, 3 responds to pain, 4 unresponsive\n"
        f"- `{oxygen}`: 0 air, 1 oxygen\n\n"
        "Each is the first stay of its kind that the simulator draws, with no other event or condition. In a septic "
        "one `SepsisLabel` turns 1 six "
        "hours before onset. Written anew by `python -m models.training demo-stays`.\n\n"
        "| File | What happens |\n|---|---|\n" + "\n".join(lines) + "\n"
    )
