"""What a run came to: the scenarios, judged, and under which conditions. Pure values."""

from dataclasses import dataclass
from datetime import datetime

from loadtests.measures import Measures
from loadtests.objectives import Finding, Verdict
from loadtests.record import ScenarioRecord
from loadtests.scenario import Scenario
from loadtests.schedule import encounters_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One scenario and what it came to. Record and measures are None where it was not played, and `why` says so."""

    name: str
    scenario: Scenario
    verdict: Verdict
    why: str = ""
    record: ScenarioRecord | None = None
    measures: Measures | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole run: the scenarios in the order of playing, and under which conditions."""

    begun: datetime
    took_s: float
    conditions: dict[str, str]
    capacity_per_s: float
    limit_per_s: float
    scenarios: tuple[Played, ...]

    def rates(self, scenario: Scenario) -> dict[str, float]:
        """Encounters a second that each load of a scenario came to, by profile."""
        return {
            load.profile: encounters_per_s(load, capacity_per_s=self.capacity_per_s, limit_per_s=self.limit_per_s)
            for load in scenario.load
        }
