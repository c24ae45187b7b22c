"""All scenarios of a run, one after the other, each on fresh servers or all on those of an address."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadtests.generator.capacity import Capacity
from loadtests.generator_process import ROOT, GeneratorProcess
from loadtests.measures import measure
from loadtests.objectives import ObjectivesFile, Verdict, doubts, judge, verdict
from loadtests.play import Conditions, order, play, whole_chain
from loadtests.record import ScenarioRecord
from loadtests.results import Played, Results
from loadtests.scenario import Scenario
from loadtests.servers import ENGINE, OwnServer, OwnServers
from loadtests.target import Target
from stepdown import __version__
from stepdown.client import AssessmentError
from stepdown.domain.errors import StepdownError

_CALIBRATED_WITHIN_S = 60.0
_SERVER_PYTHON = ROOT / ".venv" / "bin" / "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for. `target` None: servers of our own; `capacity_per_s` None: measure it first."""

    scenarios: dict[str, Scenario]
    objectives: ObjectivesFile
    target: Target | None
    pathway: str
    stays: Path
    out: Path
    capacity_per_s: float | None
    limit_per_s: float
    seed: int


class Campaign:
    """Measures the capacity and plays every scenario of a plan."""

    def __init__(self, plan: Plan, scratch: Path, *, tell: Callable[[str], None]) -> None:
        """`scratch`: an empty folder for servers and for what the generator writes."""
        self._plan = plan
        self._scratch = scratch
        self._tell = tell

    def run(self) -> Results:
        """Everything. Raises: StepdownError, AssessmentError when not even the capacity can be measured."""
        begun, begun_s = datetime.now(UTC), time.monotonic()
        capacity_per_s, found = self._capacity()
        self._tell(f"capacity of the first tier: {capacity_per_s:.0f} encounters a second ({found})")
        conditions = self._conditions(capacity_per_s)
        played = tuple(self._play(name, each, conditions) for name, each in self._plan.scenarios.items())
        return Results(
            begun=begun,
            took_s=time.monotonic() - begun_s,
            conditions=self._described() | {"Capacity of the first tier": f"{capacity_per_s:.0f} a second, {found}"},
            capacity_per_s=capacity_per_s,
            limit_per_s=self._plan.limit_per_s,
            scenarios=played,
        )

    def _conditions(self, capacity_per_s: float) -> Conditions:
        return Conditions(
            pathway=self._plan.pathway,
            stays=self._plan.stays,
            folder=self._scratch,
            capacity_per_s=capacity_per_s,
            limit_per_s=self._plan.limit_per_s,
            seed=self._plan.seed,
        )

    def _capacity(self) -> tuple[float, str]:
        if self._plan.capacity_per_s is not None:
            return self._plan.capacity_per_s, "as given"
        measured = self._calibrate()
        if measured.first_tier_per_s < 1:
            raise StepdownError("the first tier answers less than one encounter a second: nothing can be measured")
        return measured.first_tier_per_s, f"measured, with {measured.any_tier_per_s:.0f} by any tier"

    def _calibrate(self) -> Capacity:
        conditions = self._conditions(1.0)
        with self._servers("calibration", 1) as (target, _):
            chain = whole_chain(target, self._plan.pathway)
            told = order("calibration", None, conditions, target=target, chain=chain)
            with GeneratorProcess(told, log=self._scratch / "calibration.log") as generator:
                generator.wait(_CALIBRATED_WITHIN_S)
        return Capacity.model_validate_json(told.outcomes.read_text("utf-8"))

    def _play(self, name: str, scenario: Scenario, conditions: Conditions) -> Played:
        self._tell(f"{name}: {scenario.about}")
        if scenario.needs_own_servers and self._plan.target is not None:
            why = "it restarts servers, or needs several of its own"
            return Played(name=name, scenario=scenario, verdict=Verdict.NOT_PLAYED, why=why)
        try:
            with self._servers(name, scenario.servers) as (target, servers):
                record = play(name, scenario, conditions, target=target, servers=servers, tell=self._tell)
        except (StepdownError, AssessmentError, OSError) as error:
            return Played(name=name, scenario=scenario, verdict=Verdict.NOT_PLAYED, why=str(error))
        return self._judged(name, scenario, record, conditions)

    def _judged(self, name: str, scenario: Scenario, record: ScenarioRecord, conditions: Conditions) -> Played:
        objectives = self._plan.objectives
        measures = measure(record, capacity_per_s=conditions.capacity_per_s, late_ms=objectives.conditions.late_ms)
        findings = judge(measures, objectives.of(name))
        doubt = doubts(measures, record.machine, objectives.conditions)
        came_to = verdict(findings, late=doubt.late, busy=doubt.busy)
        return Played(
            name=name,
            scenario=scenario,
            verdict=came_to,
            why=doubt.text
            if came_to is Verdict.INVALID
            else ", ".join(each.objective for each in findings if not each.met),
            record=record,
            measures=measures,
            findings=findings,
        )

    @contextmanager
    def _servers(self, name: str, count: int) -> Iterator[tuple[Target, Sequence[OwnServer]]]:
        if self._plan.target is not None:
            yield self._plan.target, ()
            return
        with OwnServers(self._scratch / name, count=count, python=_SERVER_PYTHON) as own:
            yield own.target, own.servers

    def _described(self) -> dict[str, str]:
        own = ", ".join(f"{key} = {value:g}" for key, value in ENGINE.items())
        return {
            "Servers": self._plan.target.addresses if self._plan.target else f"its own, on loopback, with {own}",
            "Stepdown": __version__,
            "Machine of the generator": f"{platform.system()} {platform.release()}, {platform.machine()}",
            "Stays": self._plan.stays.name,
            "Seed of the arrivals": str(self._plan.seed),
        }
