"""How soon drift of the input is told, and how often it is told for nothing: wards of simulated stays, hour by hour.

The reference is that of the distilled model's bundle; the stays are those of the test split's seed, which no bundle
has seen. A fault begins after a quiet week. `python -m bench.drift [--stays N] [--days D]`
"""

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.training.columns import NAMES
from models.training.publishing.reference import newest
from models.training.recipe import TEST_SEED
from models.training.simulation.simulator import simulate
from models.training.stays import Stays
from stepdown.drift.input_monitor import InputMonitor
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.reference import DriftReference, parse_reference

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "models" / "sepsis-distilled" / "1.0.0" / "reference.json"
BEDS = (20, 60, 400)
QUIET_BLOCKS = 4
FAULT_BLOCKS = 12
COUNTER = "ICULOS"

Values = NDArray[np.float32]
Fault = Callable[[Values, Values], None]


def _column(name: str) -> int:
    return NAMES.index(name)


def _glucose(values: Values, _ages: Values) -> None:
    values[:, _column("Glucose")] /= 18.0


def _gone(*names: str) -> Fault:
    def fault(values: Values, ages: Values) -> None:
        for name in names:
            values[:, _column(name)] = ages[:, _column(name)] = np.nan

    return fault


def _labs_silent(_values: Values, ages: Values) -> None:
    for name in ("BUN", "Creatinine", "Potassium", "Glucose", "Chloride", "HCO3"):
        ages[:, _column(name)] += 12.0


def _stuck(values: Values, _ages: Values) -> None:
    values[:, _column("HR")] = 80.0


def _older(values: Values, _ages: Values) -> None:
    values[:, _column("Age")] += 10.0


FAULTS: dict[str, Fault] = {
    "glucose in mmol/L": _glucose,
    "temperature in Fahrenheit (refused by intake)": _gone("Temp"),
    "SBP and DBP swapped (pairs dropped by intake)": _gone("SBP", "DBP"),
    "lab feed silent for 12 hours": _labs_silent,
    "heart rate stuck at 80": _stuck,
    "patients ten years older": _older,
}


class Ward:
    """Beds that are always taken: when a stay ends the next begins. Rows are given in the order of the hours."""

    def __init__(self, stays: Stays, *, beds: int, seed: int) -> None:
        """Start each bed somewhere in a stay, longer stays more often, as a ward is found on any day."""
        self._rng = np.random.default_rng(seed)
        self._first, self._ends = stays.first_row[:-1], stays.first_row[1:]
        hours = self._ends - self._first
        found = self._rng.choice(len(hours), size=beds, replace=False, p=hours / hours.sum())
        self._at = self._first[found] + (self._rng.random(beds) * hours[found]).astype(np.int64)
        self._until = self._ends[found]
        self._waiting = iter(np.setdiff1d(self._rng.permutation(len(hours)), found, assume_unique=True))

    def rows(self, hours: int) -> NDArray[np.int64]:
        """Row numbers of so many hours, ended early when no stay is left."""
        return np.concatenate(list(self._hours(hours)))

    def _hours(self, hours: int) -> Iterator[NDArray[np.int64]]:
        for _ in range(hours):
            for bed in np.flatnonzero(self._at >= self._until):
                stay = next(self._waiting, None)
                if stay is None:
                    return
                self._at[bed], self._until[bed] = self._first[stay], self._ends[stay]
            yield self._at.copy()
            self._at += 1


def alarms(monitor: InputMonitor) -> set[str]:
    """Channels that drift, the counter of hours left out: it says how the ward began."""
    return {name for comparison in monitor.comparisons() for name in comparison.drifting()} - {COUNTER}


class Trial:
    """Stays and what a monitor would be given of them."""

    def __init__(self, stays: Stays, reference: DriftReference) -> None:
        """Look up the newest values of every hour once."""
        self.stays = stays
        self.values, self.ages = newest(stays, np.arange(len(stays.label)))
        self.stay = stays.stay_of_row
        self.reference = reference
        self.policy = DriftPolicy()

    def false_alarms(self, rows: NDArray[np.int64]) -> int:
        """How often quiet traffic raises an alarm; each is acknowledged."""
        monitor, raised = InputMonitor(self.reference, self.policy), 0
        for block in self._blocks(rows):
            monitor.observe(self.values[block], self.ages[block], self.stay[block], now_s=0.0)
            if alarms(monitor):
                raised += 1
                monitor.acknowledge()
        return raised

    def delay(self, rows: NDArray[np.int64], fault: Fault) -> int | None:
        """Assessments from the start of the fault to the first alarm; None if there is none."""
        monitor = InputMonitor(self.reference, self.policy)
        for at, block in enumerate(self._blocks(rows)):
            values, ages = self.values[block], self.ages[block]
            if at >= QUIET_BLOCKS:
                fault(values, ages)
            monitor.observe(values, ages, self.stay[block], now_s=0.0)
            if at >= QUIET_BLOCKS and alarms(monitor):
                return (at + 1 - QUIET_BLOCKS) * self.policy.block_rows
        return None

    def _blocks(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        size = self.policy.block_rows
        return (rows[at : at + size] for at in range(0, len(rows) - size + 1, size))


def cost_us(trial: Trial) -> float:
    """CPU microseconds per assessment: count a block and look at it."""
    monitor, size, rounds = InputMonitor(trial.reference, trial.policy), trial.policy.block_rows, 40
    begun_s = time.process_time()
    for _ in range(rounds):
        monitor.observe(trial.values[:size], trial.ages[:size], trial.stay[:size], now_s=0.0)
        alarms(monitor)
    return (time.process_time() - begun_s) / rounds / size * 1e6


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stays", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args()
    trial = Trial(simulate(options.stays, seed=TEST_SEED).stays, parse_reference(REFERENCE.read_bytes()))
    console = Console()
    quiet = Table("beds", "assessments", "false alarms", title=f"{options.days} quiet days")
    for beds in BEDS:
        rows = Ward(trial.stays, beds=beds, seed=beds).rows(24 * options.days)
        quiet.add_row(str(beds), str(len(rows)), str(trial.false_alarms(rows)))
    console.print(quiet)
    delays = Table("fault", *(f"{beds} beds" for beds in BEDS), title="assessments until the alarm")
    hours = (QUIET_BLOCKS + FAULT_BLOCKS) * trial.policy.block_rows
    wards = {beds: Ward(trial.stays, beds=beds, seed=beds + 1).rows(hours // beds + 1) for beds in BEDS}
    for name, fault in FAULTS.items():
        delays.add_row(name, *(str(trial.delay(wards[beds], fault) or "none") for beds in BEDS))
    console.print(delays)
    console.print(f"CPU per assessment: {cost_us(trial):.1f} µs")


if __name__ == "__main__":
    main()
