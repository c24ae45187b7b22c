"""What the generator writes is what the player reads."""

from pathlib import Path

from loadtests.record import Pulse, read_outcomes, write_outcomes
from tests.unit.loadtests.scenario_records import outcome


def test_outcomes_and_heartbeats_survive_the_file_and_come_in_the_order_in_which_they_were_due(tmp_path: Path) -> None:
    later = outcome(2.0, "", label_faults=("names another pathway",), urgency="urgent", unsuited=True)
    earlier, pulse = outcome(1.0), Pulse(at_s=0.5, late_s=0.01)
    path = tmp_path / "outcomes.jsonl"
    write_outcomes(path, (later, earlier), (pulse,))
    assert read_outcomes(path) == ((earlier, later), (pulse,))


def test_latency_counts_from_the_intended_moment_and_not_from_the_sending() -> None:
    assert outcome(1.0, latency_ms=80.0, late_ms=70.0).latency_ms - 80.0 < 1e-9
