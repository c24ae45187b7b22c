"""The verdict of a drill on a terminal."""

from rich.console import Console
from rich.table import Table

from stepdown.cli.drill.plan import DrillPlan
from stepdown.cli.drill.result import MET, Played, Rehearsal, Result


def show_drills(plan: DrillPlan, console: Console) -> None:
    """The drills of a file."""
    table = Table("drill", "what happens", "where", "objectives")
    for name, each in plan.drills.items():
        asked = each.objectives.model_dump(exclude_none=True)
        table.add_row(name, each.about, each.where, ", ".join(f"{key} {most:g}" for key, most in asked.items()))
    console.print(table)


def show_result(result: Result, console: Console) -> None:
    """One drill."""
    if result.played is not None:
        _show_played(result, result.played, console)


def show_summary(rehearsal: Rehearsal, console: Console) -> None:
    """Several drills, a line for each."""
    table = Table("drill", "verdict", "lost", "mislabelled", "not met")
    for result in rehearsal.results:
        verdict = result.verdict if result.exit_code == MET else f"[red]{result.verdict}[/red]"
        if result.played is None:
            table.add_row(result.name, verdict, "-", "-", result.problem)
            continue
        missed = ", ".join(each.objective for each in result.played.findings if not each.met)
        measures = result.played.measures
        table.add_row(result.name, verdict, str(measures.lost), str(measures.mislabelled), missed)
    console.print(table)


def _show_played(result: Result, played: Played, console: Console) -> None:
    table = Table("objective", "allowed", "found", "", title=f"{result.name}: {result.verdict}")
    for finding in played.findings:
        found = "did not happen" if finding.found is None else f"{finding.found:.1f}"
        table.add_row(finding.objective, f"{finding.allowed:g}", found, "met" if finding.met else "[red]NOT MET[/red]")
    phases = Table("phase", "asked", "lost", "answered by", "p50 ms", "p99 ms")
    for phase in played.measures.phases:
        shares = ", ".join(f"{tier} {count}" for tier, count in phase.shares.items())
        phases.add_row(phase.name, str(phase.asked), str(phase.lost), shares, _ms(phase.p50_ms), _ms(phase.p99_ms))
    console.print(table, phases)
    measures = played.measures
    for failure, count in measures.failures.items():
        console.print(f"{count} without an answer: {failure}", markup=False)
    if measures.wrong_given:
        console.print(f"{len(measures.wrong_given)} wrong answers were given before the detection; --json lists them")
    if measures.late_sends:
        console.print(f"{measures.late_sends} questions were sent more than 50 ms late: this machine was too busy")


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
