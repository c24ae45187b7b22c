"""A drill as one page to file: verdict, figures, and a timeline drawn as SVG. Nothing is loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from stepdown.cli.drill.plan import Drill, LoadPlan
from stepdown.cli.drill.record import DrillRecord
from stepdown.cli.drill.timeline import timeline
from stepdown.cli.drill.verdict import Finding, Measures

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;color:#1b1f24}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #c8ccd1;padding:.3em .7em;text-align:left}"
    ".bad{color:#c0392b;font-weight:bold}.good{color:#1a7f37;font-weight:bold}svg{width:100%;height:auto}"
)


def drill_page(
    name: str, drill: Drill, load: LoadPlan, record: DrillRecord, measures: Measures, findings: Sequence[Finding]
) -> str:
    """The whole page."""
    met = all(finding.met for finding in findings)
    verdict = '<span class="good">met</span>' if met else '<span class="bad">NOT MET</span>'
    played = datetime.fromtimestamp(record.fault_start_s, tz=UTC).isoformat(timespec="seconds")
    facts = (
        f"{drill.fault} in tier {drill.tier} at {played} (server's clock), under {load.rate_per_s:g} questions a "
        f"second with {load.deadline_ms:g} ms each. {measures.late_sends} were sent more than 50 ms late."
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Drill {escape(name)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>Drill {escape(name)}: {verdict}</h1>"
        f"<p>{escape(drill.about)}</p><p>{escape(facts)}</p>{_findings(findings)}{_phases(measures)}"
        f"<h2>Timeline</h2>{timeline(record, deadline_ms=load.deadline_ms)}{_moves(record)}{_doubtful(measures)}"
        "</body></html>\n"
    )


def _findings(findings: Sequence[Finding]) -> str:
    rows = (
        (
            finding.objective,
            f"{finding.allowed:g}",
            "did not happen" if finding.found is None else f"{finding.found:.1f}",
            "met" if finding.met else "NOT MET",
        )
        for finding in findings
    )
    return _table(("objective", "at most", "found", ""), rows)


def _phases(measures: Measures) -> str:
    rows = (
        (
            phase.name,
            str(phase.asked),
            str(phase.lost),
            ", ".join(f"{tier} {count}" for tier, count in phase.shares.items()),
            "-" if phase.p50_ms is None else f"{phase.p50_ms:.1f}",
            "-" if phase.p99_ms is None else f"{phase.p99_ms:.1f}",
        )
        for phase in measures.phases
    )
    return _table(("phase", "asked", "lost", "answered by", "p50 ms", "p99 ms"), rows)


def _moves(record: DrillRecord) -> str:
    rows = (
        (f"{move.at_s - record.fault_start_s:+.3f}", move.tier, move.state, move.reason)
        for move in record.moves
        if move.at_s >= record.fault_start_s
    )
    return "<h2>What the tiers did</h2>" + _table(("s after the fault", "tier", "state", "reason"), rows)


def _doubtful(measures: Measures) -> str:
    if not measures.doubtful:
        return ""
    listed = " ".join(f"<code>{escape(each)}</code>" for each in measures.doubtful)
    return f"<h2>Answers between fault and detection, by request id</h2><p>{listed}</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + f"</tr>{body}</table>"
