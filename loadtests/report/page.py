"""The page: verdicts first, then each scenario with its picture and figures, last the conditions of the run.

It loads nothing from elsewhere, prints, and follows the reader's choice of light or dark.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files

from loadtests.measures import Group, Measures
from loadtests.objectives import Finding, Verdict
from loadtests.record import ScenarioRecord
from loadtests.report.words import MEANINGS, milliseconds, seconds, share, value
from loadtests.results import Played, Results

_OVERVIEW = (
    "scenario", "", "answered", "lost", "mis­labelled", "detected", "next tier answered", "recovered", "p50", "p99",
    "p99.9",
)  # fmt: skip
_MARKS = {Verdict.MET: "✓", Verdict.NOT_MET: "✗", Verdict.INVALID: "?", Verdict.NOT_PLAYED: "—"}


def page(results: Results, pictures: Mapping[str, str]) -> str:
    """The whole page; `pictures` holds an SVG for each scenario that was played."""
    style = (files("loadtests.report") / "page.css").read_text("utf-8")
    body = (_head(results), _overview(results), *(_scenario(played, results, pictures) for played in results.scenarios))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Load test of degraded capacity</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
        f"<body><main>{''.join(body)}{_conditions(results)}</main></body></html>\n"
    )


def _head(results: Results) -> str:
    counts = [(verdict, sum(each.verdict is verdict for each in results.scenarios)) for verdict in Verdict]
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    worst = next(each for each in (*reversed(Verdict),) if any(played.verdict is each for played in results.scenarios))
    begun = results.begun.strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"<header><h1>Load test of degraded capacity</h1><p class='sum {_css(worst)}'>{escape(words)}</p>"
        f"<p>{begun}, {results.took_s:.0f} s. The first tier answered {results.capacity_per_s:.0f} encounters a second "
        "when it was asked for as much as it could; every rate below is a multiple of that. Questions are sent on a "
        "schedule that waits for no answer, and latency counts from the moment a question was due.</p></header>"
    )


def _overview(results: Results) -> str:
    rows = []
    for played in results.scenarios:
        name = f'<a href="#{escape(played.name)}">{escape(played.name)}</a>'
        cells = _overview_cells(played.measures) if played.measures is not None else ["—"] * 9
        rows.append((name, _badge(played.verdict), *cells))
    return f"<section><h2>Overview</h2>{_table(_OVERVIEW, rows, numbers_from=2)}</section>"


def _overview_cells(measures: Measures) -> list[str]:
    return [
        share(measures.availability),
        f"{measures.lost} of {measures.asked}",
        str(measures.mislabelled),
        milliseconds(measures.detected_ms),
        milliseconds(measures.fell_back_ms),
        seconds(measures.recovered_s),
        *map(milliseconds, (measures.p50_ms, measures.p99_ms, measures.p99_9_ms)),
    ]


def _scenario(played: Played, results: Results, pictures: Mapping[str, str]) -> str:
    why = f"<p class='why {_css(played.verdict)}'>{escape(_because(played))}</p>" if played.why else ""
    rates = ", ".join(f"{profile} {rate:.0f}" for profile, rate in results.rates(played.scenario).items())
    parts = [
        f"<h2>{escape(played.name)} {_badge(played.verdict)}</h2>",
        f"<p>{escape(played.scenario.about)} <span class='quiet'>Encounters a second: {escape(rates)}.</span></p>{why}",
    ]
    if played.record is not None and played.measures is not None:
        parts += [
            f"<figure>{pictures[played.name]}{_steps(played.record)}</figure>",
            "<div class='pair'>" + _findings(played.findings) + _generator(played.measures, played.record) + "</div>",
            _tiers(played.measures),
            _groups("by profile", played.measures.profiles),
            _groups("by urgency", played.measures.urgencies),
            _failures(played.measures),
        ]
    return f'<section id="{escape(played.name)}">{"".join(parts)}</section>'


def _because(played: Played) -> str:
    return {
        Verdict.INVALID: f"Says nothing about the server: {played.why}.",
        Verdict.NOT_PLAYED: f"Not played: {played.why}.",
        Verdict.NOT_MET: f"Not met: {', '.join(MEANINGS[each.objective] for each in played.findings if not each.met)}.",
    }.get(played.verdict, played.why)


def _steps(record: ScenarioRecord) -> str:
    listed = [f"<li><b>{step.at_s:.1f} s</b> {escape(step.name)}</li>" for step in record.steps]
    surge = ""
    if record.surge is not None:
        surge = f"Shaded: {record.surge[0]:g} to {record.surge[1]:g} s, more is asked than can be answered. "
    marks = f"<ol>{''.join(listed)}</ol>" if listed else ""
    return f"<figcaption>{surge}{marks}</figcaption>" if surge or marks else ""


def _findings(findings: Sequence[Finding]) -> str:
    rows = [
        (
            escape(MEANINGS[finding.objective]),
            f"{'at least' if finding.at_least else 'at most'} {value(finding.objective, finding.asked)}",
            "did not happen" if finding.found is None else value(finding.objective, finding.found),
            _badge(Verdict.MET if finding.met else Verdict.NOT_MET),
        )
        for finding in findings
    ]
    return "<div>" + _table(("objective", "asked", "found", ""), rows, numbers_from=1) + "</div>"


def _generator(measures: Measures, record: ScenarioRecord) -> str:
    figures = measures.generator
    rows = [
        ("late more than allowed", share(figures.late_share)),
        ("99 % were at most so late", milliseconds(figures.p99_late_ms)),
        ("worst", milliseconds(figures.worst_late_ms)),
    ]
    if (use := record.machine) is not None:
        rows += [
            (f"server's share of {use.cores} cores", share(use.server)),
            ("generator's", share(use.generator)),
            ("of everybody else", share(use.others)),
        ]
    return "<div>" + _table(("the generator itself", ""), rows, numbers_from=1) + "</div>"


def _tiers(measures: Measures) -> str:
    rows = [
        (
            f"<i class='tier tier-{min(place, 3)}'></i>{escape(tier.answers.name)}",
            share(tier.in_service),
            str(tier.answers.asked),
            share(tier.share),
            str(tier.answers.mislabelled),
            *map(milliseconds, (tier.answers.p50_ms, tier.answers.p99_ms, tier.answers.p99_9_ms)),
        )
        for place, tier in enumerate(measures.tiers)
    ]
    head = ("tier", "in service", "answers", "share", "mis­labelled", "p50", "p99", "p99.9")
    return _table(head, rows, numbers_from=1)


def _groups(title: str, groups: Sequence[Group]) -> str:
    rows = [
        (
            escape(group.name),
            str(group.asked),
            share(group.availability),
            str(group.lost),
            *map(milliseconds, (group.p50_ms, group.p99_ms, group.p99_9_ms)),
        )
        for group in groups
    ]
    return _table((title, "asked", "answered", "lost", "p50", "p99", "p99.9"), rows, numbers_from=1)


def _failures(measures: Measures) -> str:
    rows = [(escape(text), str(count)) for text, count in measures.failures.items()]
    return _table(("what came instead of a right answer", "times"), rows, numbers_from=1) if rows else ""


def _conditions(results: Results) -> str:
    rows = [(escape(name), escape(text)) for name, text in results.conditions.items()]
    rows.append(("Limit of any load", f"{results.limit_per_s:g} encounters a second"))
    return f"<section><h2>Conditions</h2>{_table(('', ''), rows, numbers_from=2)}</section>"


def _badge(verdict: Verdict) -> str:
    return f"<span class='badge {_css(verdict)}'>{_MARKS[verdict]} {escape(verdict)}</span>"


def _css(verdict: Verdict) -> str:
    return verdict.name.lower().replace("_", "-")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int) -> str:
    """Cells are HTML already; from the column `numbers_from` on they are figures."""
    kinds = ["" if column < numbers_from else " class='n'" for column in range(len(head))]
    top = "".join(f"<th{kind}>{text}</th>" for kind, text in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<div class='scroll'><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
