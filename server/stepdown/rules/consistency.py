"""Laws of a rule set that tie its tables together: citations resolve, tables and totals cover, bands never fall."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

from stepdown.domain.bands import Band
from stepdown.domain.intake import SPO2_SCALES
from stepdown.rules.document import QuotientDocument, SumDocument
from stepdown.rules.parameter_document import Parameter, Reading
from stepdown.rules.schema import Verdict

_Value = TypeVar("_Value")


def document_faults(document: SumDocument | QuotientDocument, *, bundle_name: str) -> tuple[str, ...]:
    """Say everything wrong with a document whose tables are each well formed."""
    faults = list(_head_faults(document, bundle_name))
    if isinstance(document, SumDocument):
        faults += [*_reading_faults(document), *_selecting_faults(document), *_outcome_faults(document)]
        faults += [*_single_faults(document), *_trigger_faults(document)]
    elif document.quotient.numerator.channel == document.quotient.denominator.channel:
        faults.append("quotient: numerator and denominator are the same channel")
    return tuple(faults)


def maximum_total(document: SumDocument) -> int:
    """The most points a patient can earn."""
    return sum(parameter.missing.maximum for parameter in document.parameter)


def minimum_total(document: SumDocument) -> int:
    """The fewest points a patient can earn."""
    return sum(parameter.missing.minimum for parameter in document.parameter)


def _repeated(values: Iterable[_Value]) -> list[_Value]:
    return [value for value, count in Counter(values).items() if count > 1]


def _verdicts(document: SumDocument | QuotientDocument) -> tuple[Verdict, ...]:
    single = document.single_parameter if isinstance(document, SumDocument) else None
    return (*document.outcome, *(() if single is None else (single,)))


def _cites(document: SumDocument | QuotientDocument) -> set[str]:
    cited = {key for verdict in _verdicts(document) for key in verdict.cites}
    if isinstance(document, QuotientDocument):
        return cited | set(document.quotient.cites)
    cited.update(key for parameter in document.parameter for key in parameter.cites)
    return cited.union(key for overlay in document.overlay for key in overlay.cites)


def _head_faults(document: SumDocument | QuotientDocument, bundle_name: str) -> Iterator[str]:
    if document.id != bundle_name:
        yield f"id: {document.id} does not match the bundle name {bundle_name}"
    keys = [citation.key for citation in document.citation]
    yield from (f"citation: {key} is given more than once" for key in _repeated(keys))
    yield from (f"cites: no citation has the key {key}" for key in sorted(_cites(document) - set(keys)))
    for lower, upper in pairwise(document.outcome):
        if Band[upper.band] < Band[lower.band]:
            yield f"outcome: the band falls from {lower.band} to {upper.band} as the score rises"
    if document.undetermined.classification in {verdict.classification for verdict in _verdicts(document)}:
        yield "undetermined: the classification is also that of a verdict"


def _reading_faults(document: SumDocument) -> Iterator[str]:
    channels = [reading.channel for parameter in document.parameter for reading in parameter.reading]
    yield from (f"reading: {channel} is read by more than one row" for channel in _repeated(channels))
    for parameter in document.parameter:
        for reading in parameter.reading:
            yield from _table_faults(document, reading)


def selecting_parameter(document: SumDocument) -> Parameter | None:
    """The parameter whose band selects the table of another one, where there is one."""
    channels = {reading.depends_on for parameter in document.parameter for reading in parameter.reading}
    return next((parameter for parameter in document.parameter if parameter.reading[0].channel in channels), None)


def _selecting_faults(document: SumDocument) -> Iterator[str]:
    channels = {one.depends_on for parameter in document.parameter for one in parameter.reading if one.depends_on}
    if len(channels) > 1:
        yield f"depends_on: only one channel can select tables, not {' and '.join(sorted(channels))}"
    selecting = selecting_parameter(document)
    if selecting is None:
        yield from (f"depends_on: {channel} is no parameter's first reading" for channel in sorted(channels))
        return
    first = selecting.reading[0]
    labels = [row.label for row in first.table[0].bands]
    plain = len(selecting.reading) == 1 and len(first.table) == 1 and first.depends_on is None
    if not plain or not labels or None in labels or _repeated(labels):
        yield f"depends_on: {first.channel} can select tables only by one table of bands, each with its own label"


def _table_faults(document: SumDocument, reading: Reading) -> Iterator[str]:
    selecting = selecting_parameter(document) if reading.depends_on is not None else None
    labels = [] if selecting is None else [str(row.label) for row in selecting.reading[0].table[0].bands]
    scales = {table.spo2_scale for table in reading.table}
    if scales != {None} and scales != set(SPO2_SCALES):
        yield f"{reading.channel}: tables must name every SpO2 scale or none"
    for scale in sorted(scales, key=str):
        given = [table.given for table in reading.table if table.spo2_scale == scale]
        if given != [None] and (not labels or sorted(map(str, given)) != sorted(labels)):
            where = "" if scale is None else f" on SpO2 scale {scale}"
            to_each = f" to each of {', '.join(labels)}" if labels else ""
            yield f"{reading.channel}: exactly one table must apply{where}{to_each}"


def _outcome_faults(document: SumDocument) -> Iterator[str]:
    lowest, highest = minimum_total(document), maximum_total(document)
    expected = lowest
    for outcome in document.outcome:
        if outcome.at_least != expected or outcome.at_most < outcome.at_least:
            yield f"outcome: totals {outcome.at_least}-{outcome.at_most} leave a gap or overlap; {expected} comes next"
        expected = outcome.at_most + 1
    if expected != highest + 1:
        yield f"outcome: totals end at {expected - 1}, but {highest} can be earned"
    words: dict[str, set[str]] = {}
    for verdict in _verdicts(document):
        words.setdefault(verdict.band, set()).add(verdict.classification)
    yield from (f"outcome: band {band} has several classifications" for band, names in words.items() if len(names) > 1)


def _single_faults(document: SumDocument) -> Iterator[str]:
    single = document.single_parameter
    if single is None:
        return
    if single.points > max(parameter.missing.maximum for parameter in document.parameter):
        yield "single_parameter: no parameter can earn so many points"
    if not single.points <= single.total_at_least <= single.total_at_most <= maximum_total(document):
        yield "single_parameter: the totals do not rise, or cannot be reached with such a parameter"
    for outcome in document.outcome:
        overlaps = outcome.at_least <= single.total_at_most and outcome.at_most >= single.total_at_least
        if overlaps and Band[outcome.band] > Band[single.band]:
            yield f"single_parameter: would lower {outcome.band} of totals {outcome.at_least}-{outcome.at_most}"


def _trigger_faults(document: SumDocument) -> Iterator[str]:
    highest = maximum_total(document)
    yield from (
        f"overlay: {overlay.rule_set} asks for a total that cannot be earned"
        for overlay in document.overlay
        if overlay.total_at_least > highest
    )
    words = [(overlay.rule_set, overlay.classification) for overlay in document.overlay]
    yield from (f"overlay: {' '.join(word)} is given more than once" for word in _repeated(words))
    if document.overlay and document.outcome[-1].band != "HIGH":
        yield "overlay: no outcome says what to do for band HIGH"
    trigger = document.hard_trigger_total
    if trigger is None:
        return
    bands = {outcome.band for outcome in document.outcome if outcome.at_most >= trigger}
    if bands != {"HIGH"}:
        yield "hard_trigger_total: every total from there on must be HIGH"
