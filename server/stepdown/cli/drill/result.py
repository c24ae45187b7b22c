"""One drill as played and judged, and several as a rehearsal. What could not be played is neither met nor not met."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from stepdown.cli.drill.plan import Drill, LoadPlan
from stepdown.cli.drill.record import DrillRecord
from stepdown.cli.drill.verdict import Finding, Measures
from stepdown.client.drills import TierView

MET, NOT_MET, NOT_PLAYED = 0, 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What was seen, as figures and as findings."""

    record: DrillRecord
    measures: Measures
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One drill. `played` None: it could not be played, and `problem` says why."""

    name: str
    drill: Drill
    played: Played | None
    problem: str = ""

    @property
    def verdict(self) -> str:
        """In words."""
        if self.played is None:
            return "NOT PLAYED"
        return "met" if all(finding.met for finding in self.played.findings) else "NOT MET"

    @property
    def exit_code(self) -> int:
        """As a process says it."""
        return {"met": MET, "NOT MET": NOT_MET}.get(self.verdict, NOT_PLAYED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Drills played one after another on one server. `tiers` and their bundles are those it began with."""

    address: str
    pathway: str
    begun_s: float
    load: LoadPlan
    tiers: tuple[TierView, ...]
    results: tuple[Result, ...]

    @property
    def exit_code(self) -> int:
        """0 if every objective of every drill was met, 1 if one was not, 2 if a drill could not be played."""
        return max((result.exit_code for result in self.results), default=NOT_PLAYED)


def result_json(result: Result) -> dict[str, object]:
    """For programs."""
    body: dict[str, object] = {"drill": result.name, "fault": result.drill.fault, "tier": result.drill.tier}
    if result.played is None:
        return body | {"met": None, "problem": result.problem}
    findings = [asdict(finding) for finding in result.played.findings]
    return body | {
        "met": result.verdict == "met",
        "findings": findings,
        "measures": asdict(result.played.measures),
    }


def rehearsal_json(rehearsal: Rehearsal) -> dict[str, object]:
    """For programs. One drill stands for itself; several stand in a list."""
    bodies = [result_json(result) for result in rehearsal.results]
    return bodies[0] if len(bodies) == 1 else {"met": rehearsal.exit_code == MET, "drills": bodies}


def worst(results: Sequence[Result]) -> str:
    """The verdict over several drills."""
    return max(results, key=lambda result: result.exit_code).verdict if results else "NOT PLAYED"
