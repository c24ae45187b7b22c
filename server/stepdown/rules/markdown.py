"""The rule set as a table that a clinician can check against the publication and sign: rendered, never edited.

Laid out as the published charts are: points rise to the left for values that are too low, to the right for those that
are too high.
"""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from stepdown.domain.bands import Band
from stepdown.rules.consistency import maximum_total
from stepdown.rules.document import QuotientDocument, SumDocument, Undetermined
from stepdown.rules.parameter_document import Parameter, PointTable, Reading
from stepdown.rules.rule_set import RuleSet
from stepdown.rules.schema import Verdict

_LITERAL = str.maketrans({character: f"\\{character}" for character in "\\`*_|<[]"})

_COMBINED = {
    "first-present": "the first of these that has a usable reading counts.",
    "highest": "any of these alone earns the points; the row is missing only if all of them are.",
}

_ROUNDING_AND_MISSING = (
    "A value is first rounded half-up to its charting resolution. A value that is missing, too old or unusable is "
    "never taken as normal: it may have earned anything between the two numbers under *Missing counts*."
)
_UNDECIDED = (
    "With values missing, every total that is still possible is worked out; a band is given only where all of them "
    "share it, and the verdict is undecided otherwise."
)


def render_table(rule_set: RuleSet) -> str:
    """The whole rule set as one Markdown page, ending in a newline."""
    document = rule_set.document
    body = _sum_sections(document) if isinstance(document, SumDocument) else _quotient_sections(document)
    return "\n".join([*_head(rule_set), *body, *_foot(document)]) + "\n"


def _head(rule_set: RuleSet) -> list[str]:
    document, source = rule_set.document, rule_set.document.source
    facts = (
        ("Rule set", f"`{rule_set.rule_set_id}`, variant `{document.variant}`"),
        ("Purpose", _text(document.purpose)),
        ("Population", _text(document.population)),
        ("Source", _text(f"{source.authors}: {source.title}. {source.published}. {source.identifier}")),
    )
    return [
        f"# {_text(document.title)}",
        "",
        "<!-- Rendered from rules.toml beside this file. Do not edit: change the rules and render again. -->",
        "",
        *_table(("", ""), facts),
        "",
        "Scope and limits:",
        "",
        *(f"- {_text(limit)}" for limit in document.scope_limits),
        "",
    ]


def _sum_sections(document: SumDocument) -> list[str]:
    return [*_points_section(document), *_combinations(document), *_verdict_section(document)]


def _points_section(document: SumDocument) -> list[str]:
    most = max(parameter.missing.maximum for parameter in document.parameter)
    columns = [*range(most, 0, -1), *range(most + 1)]
    rows = [row for parameter in document.parameter for row in _parameter_rows(parameter, most=most)]
    used = [index for index in range(len(columns)) if any(cells[index] for _, cells, _ in rows)]
    return [
        "## Points",
        "",
        *_table(
            ("Parameter", *(str(columns[index]) for index in used), "Missing counts", "Source"),
            ((title, *(cells[index] for index in used), *last) for title, cells, last in rows),
        ),
        "",
        _ROUNDING_AND_MISSING,
        "",
    ]


def _parameter_rows(parameter: Parameter, *, most: int) -> Iterator[tuple[str, list[str], tuple[str, str]]]:
    last = (f"{parameter.missing.minimum} to {parameter.missing.maximum}", _cites(parameter.cites))
    for reading in parameter.reading:
        for table in reading.table:
            cells = _coded_cells(table, most=most) if table.codes else _banded_cells(reading, table, most=most)
            yield _row_title(parameter, reading, table), cells, last


def _row_title(parameter: Parameter, reading: Reading, table: PointTable) -> str:
    unit = f" {_text(reading.unit)}" if reading.unit else ""
    charted = f", charted to {reading.resolution}" if reading.resolution is not None else ""
    scale = f", SpO2 scale {table.spo2_scale}" if table.spo2_scale is not None else ""
    given = f", on {_text(table.given)}" if table.given is not None else ""
    return f"**{_text(parameter.title)}**, `{reading.channel}`{unit}{charted}{scale}{given}"


def _banded_cells(reading: Reading, table: PointTable, *, most: int) -> list[str]:
    """Bands before the first that earns the fewest points stand on the left, the others on the right."""
    fewest = min(row.points for row in table.bands)
    left = len(tuple(takewhile(lambda row: row.points != fewest, table.bands)))
    cells: list[list[str]] = [[] for _ in range(2 * most + 1)]
    for position, row in enumerate(table.bands):
        span = _text(row.interval.text(resolution=reading.resolution))
        column = most - row.points if position < left else most + row.points
        cells[column].append(f"{_text(row.label)} ({span})" if row.label else span)
    return [", ".join(cell) for cell in cells]


def _coded_cells(table: PointTable, *, most: int) -> list[str]:
    cells: list[list[str]] = [[] for _ in range(2 * most + 1)]
    for code, points in table.codes.items():
        cells[most + points].append(code)
    return [", ".join(cell) for cell in cells]


def _combinations(document: SumDocument) -> list[str]:
    lines = []
    for parameter in document.parameter:
        if parameter.combine is not None:
            channels = ", ".join(f"`{reading.channel}`" for reading in parameter.reading)
            lines.append(f"- {_text(parameter.title)} ({channels}): {_COMBINED[parameter.combine]}")
        tables = (table for reading in parameter.reading for table in reading.table)
        lines += [
            f"- {_text(parameter.title)}: code {code} counts as missing, because {_text(why)}."
            for table in tables
            for code, why in table.unscored.items()
        ]
    return [*lines, ""] if lines else []


def _verdict_section(document: SumDocument) -> list[str]:
    named: list[tuple[str, Verdict]] = [(_span(one.at_least, one.at_most), one) for one in document.outcome]
    single = document.single_parameter
    if single is not None:
        span = _span(single.total_at_least, single.total_at_most)
        named.append((f"{span}, with {single.points} in any one row", single))
    rows = [_verdict_row(total, verdict) for total, verdict in sorted(named, key=lambda row: Band[row[1].band])]
    return [
        f"## Verdict (totals 0 to {maximum_total(document)})",
        "",
        *_table(
            ("Total", "Band", "Word", "Response", "Source"),
            (*rows, _undetermined_row("undecided", document.undetermined)),
        ),
        "",
        _UNDECIDED,
        "",
        *_trigger_lines(document),
    ]


def _trigger_lines(document: SumDocument) -> list[str]:
    lines = [
        f"- `{overlay.rule_set}` classified `{overlay.classification}` makes the answer {overlay.band} where the least "
        f"possible total is {overlay.total_at_least} or more ({_cites(overlay.cites)})."
        for overlay in document.overlay
    ]
    if document.hard_trigger_total is not None:
        lines.append(
            f"- A least possible total of {document.hard_trigger_total} or more is a hard trigger: it always reaches "
            "the screen, whichever tier answers."
        )
    return [*lines, ""] if lines else []


def _quotient_sections(document: QuotientDocument) -> list[str]:
    quotient = document.quotient
    terms = " over ".join(f"`{term.channel}` {_text(term.unit)}" for term in (quotient.numerator, quotient.denominator))
    sentence = (
        f"{_text(quotient.title)} ({_cites(quotient.cites)}): {terms}, both positive, charted in whole numbers and "
        f"read at most {quotient.maximum_apart_s} s apart."
    )
    rows = (
        *(_verdict_row(_text(one.interval.text()), one) for one in document.outcome),
        ("a reading is zero or less", "INDETERMINATE", f"`{quotient.invalid_classification}`", "", ""),
        _undetermined_row("a reading is missing, or they are too far apart", document.undetermined),
    )
    return [
        "## Verdict",
        "",
        sentence,
        "",
        *_table(("Ratio", "Band", "Word", "Response", "Source"), rows),
        "",
    ]


def _verdict_row(score: str, verdict: Verdict) -> tuple[str, ...]:
    return score, verdict.band, f"`{verdict.classification}`", _text(verdict.response), _cites(verdict.cites)


def _undetermined_row(score: str, undetermined: Undetermined) -> tuple[str, ...]:
    return score, "INDETERMINATE", f"`{undetermined.classification}`", _text(undetermined.response), ""


def _foot(document: SumDocument | QuotientDocument) -> list[str]:
    notes = ["## Notes", "", *(f"- {_text(note)}" for note in document.notes), ""] if document.notes else []
    citations = (f"- `{citation.key}`: {_text(citation.text)}" for citation in document.citation)
    return [*notes, "## Sources", "", *citations]


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _cites(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    ruler = tuple("---" for _ in header)
    return [f"| {' | '.join(cells)} |" for cells in (header, ruler, *rows)]


def _text(plain: str) -> str:
    """The text with every character that Markdown would act on taken literally."""
    return plain.translate(_LITERAL)
