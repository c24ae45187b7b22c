"""Drills as one page to file: verdicts, figures, and timelines drawn as SVG. Nothing is loaded from elsewhere."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape

from stepdown.cli.drill.record import DrillRecord
from stepdown.cli.drill.result import Rehearsal, Result, worst
from stepdown.cli.drill.timeline import timeline
from stepdown.cli.drill.verdict import Finding, Measures

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;color:#1b1f24}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #c8ccd1;padding:.3em .7em;text-align:left}"
    ".bad{color:#c0392b;font-weight:bold}.good{color:#1a7f37;font-weight:bold}svg{width:100%;height:auto}"
    "section{border-top:2px solid #c8ccd1;margin-top:2em;break-inside:avoid-page}td{vertical-align:top}"
    "code{overflow-wrap:anywhere}.signed td{height:2.5em;min-width:16em}"
)
_SIGNED = (
    '<section><h2>Filed</h2><table class="signed"><tr><th>reviewed by</th><td></td></tr><tr><th>on</th><td></td></tr>'
    "<tr><th>remarks, and what is done about what was not met</th><td></td></tr></table></section>"
)


def rehearsal_page(rehearsal: Rehearsal) -> str:
    """The whole page: what was rehearsed and on what, a line for each drill, then each drill."""
    results = rehearsal.results
    title = f"Drill {results[0].name}" if len(results) == 1 else f"Rehearsal of {len(results)} drills"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}: {_marked(worst(results))}</h1>{_facts(rehearsal)}"
        f"{_summary(results)}{''.join(_section(result, rehearsal) for result in results)}{_SIGNED}</body></html>\n"
    )


def _facts(rehearsal: Rehearsal) -> str:
    load, begun = rehearsal.load, _instant(rehearsal.begun_s)
    told = (
        f"{rehearsal.pathway} at {rehearsal.address}, begun {begun}, under {load.rate_per_s:g} questions a second "
        f"with {load.deadline_ms:g} ms each. Latency counts from the moment at which a question was due. Every answer "
        "was held against its tier's bundle and signers, and against what that tier answers to the same question when "
        "it is asked alone."
    )
    rows = ((tier.name, tier.sha256, ", ".join(tier.signers)) for tier in rehearsal.tiers)
    return f"<p>{escape(told)}</p>" + _table(("tier", "bundle, SHA-256", "signed by"), rows)


def _summary(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        if result.played is None:
            rows.append((result.name, result.drill.about, result.verdict, "-", "-", result.problem))
        else:
            missed = ", ".join(each.objective for each in result.played.findings if not each.met)
            measures = result.played.measures
            lost, mislabelled = str(measures.lost), str(measures.mislabelled)
            rows.append((result.name, result.drill.about, result.verdict, lost, mislabelled, missed))
    return _table(("drill", "what happens", "verdict", "lost", "mislabelled", "not met"), rows)


def _section(result: Result, rehearsal: Rehearsal) -> str:
    played = result.played
    head = f"<section><h2>{escape(result.name)}: {_marked(result.verdict)}</h2><p>{escape(result.drill.about)}</p>"
    if played is None:
        return f"{head}<p>{escape(result.problem)}</p></section>"
    measures = played.measures
    facts = (
        f"{result.drill.fault} in {result.drill.where} at {_instant(played.record.fault_start_s)} (server's clock). "
        f"This machine sent a question {measures.sent_late_ms:.0f} ms late at worst."
    )
    return (
        f"{head}<p>{escape(facts)}</p>{_findings(played.findings)}{_phases(measures)}"
        f"{timeline(played.record, deadline_ms=rehearsal.load.deadline_ms)}{_moves(played.record)}"
        f"{_failures(measures)}{_wrong(measures)}</section>"
    )


def _marked(verdict: str) -> str:
    return f'<span class="{"good" if verdict == "met" else "bad"}">{verdict}</span>'


def _instant(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, tz=UTC).isoformat(timespec="seconds")


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
    return "<h3>What the tiers did</h3>" + _table(("s after the fault", "tier", "state", "reason"), rows)


def _failures(measures: Measures) -> str:
    if not measures.failures:
        return ""
    rows = ((failure, str(count)) for failure, count in measures.failures.items())
    return "<h3>Questions without an answer</h3>" + _table(("what came instead", "how often"), rows)


def _wrong(measures: Measures) -> str:
    if not measures.wrong_given:
        return ""
    listed = " ".join(f"<code>{escape(each)}</code>" for each in measures.wrong_given)
    return f"<h3>Wrong answers given before the detection, by request id</h3><p>{listed}</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + f"</tr>{body}</table>"
