"""From a faultless document to the form that scores: edges to bisect, totals as bit sets, ratios as integer pairs."""

from types import MappingProxyType

from stepdown.domain.bands import Band
from stepdown.domain.intake import SPO2_SCALES
from stepdown.rules.consistency import maximum_total, selecting_parameter
from stepdown.rules.document import QuotientDocument, RatioOutcome, SumDocument, Term
from stepdown.rules.interval import cuts
from stepdown.rules.parameter_document import Parameter, PointTable, Reading
from stepdown.rules.points import Banding, Coding, PointScale
from stepdown.rules.quotient_rule import CompiledTerm, QuotientRule, RatioVerdict
from stepdown.rules.row import CompiledReading, Row, Selector, absent_score
from stepdown.rules.sum_rule import SumRule
from stepdown.rules.totals import CompiledVerdict, VerdictTable, bits


def compile_sum(document: SumDocument, *, rule_set_id: str) -> SumRule:
    """Compile a score that adds points."""
    labels = _state_labels(document)
    rows = tuple(_row(document, parameter, labels=labels) for parameter in document.parameter)
    return SumRule(
        rule_set_id=rule_set_id,
        rows=rows,
        selector=next((row.selector for row in rows if row.selector is not None), None),
        verdicts=_verdict_table(document),
        maximum_possible=maximum_total(document),
    )


def compile_quotient(document: QuotientDocument, *, rule_set_id: str) -> QuotientRule:
    """Compile a score that divides one reading by another."""
    quotient = document.quotient
    return QuotientRule(
        rule_set_id=rule_set_id,
        numerator=_term(quotient.numerator),
        denominator=_term(quotient.denominator),
        maximum_apart_s=quotient.maximum_apart_s,
        verdicts=tuple(_ratio_verdict(outcome) for outcome in document.outcome),
        invalid=quotient.invalid_classification,
        undetermined=document.undetermined.classification,
    )


def _term(term: Term) -> CompiledTerm:
    return CompiledTerm(channel=term.channel, unit=term.unit)


def _ratio_verdict(outcome: RatioOutcome) -> RatioVerdict:
    edge = outcome.at_most if outcome.below is None else outcome.below
    return RatioVerdict(
        band=Band[outcome.band],
        classification=outcome.classification,
        edge=None if edge is None else edge.as_integer_ratio(),
        inclusive=outcome.at_most is not None,
    )


def _verdict_table(document: SumDocument) -> VerdictTable:
    single = document.single_parameter
    taken = 0 if single is None else bits(single.total_at_least, single.total_at_most)
    verdicts = [
        CompiledVerdict(
            band=Band[outcome.band],
            classification=outcome.classification,
            plain=bits(outcome.at_least, outcome.at_most),
            flagged=bits(outcome.at_least, outcome.at_most) & ~taken,
        )
        for outcome in document.outcome
    ]
    if single is not None:
        verdicts.append(
            CompiledVerdict(band=Band[single.band], classification=single.classification, plain=0, flagged=taken)
        )
    table = VerdictTable(
        verdicts=tuple(verdicts),
        trigger=maximum_total(document) + 1 if single is None else single.points,
        undetermined=document.undetermined.classification,
    )
    return table.settled_up_to(maximum_total(document))


def _state_labels(document: SumDocument) -> tuple[str | None, ...]:
    """The labels of the states, in band order; a single unnamed state where no table depends on another channel."""
    selecting = selecting_parameter(document)
    return (None,) if selecting is None else tuple(row.label for row in selecting.reading[0].table[0].bands)


def _row(document: SumDocument, parameter: Parameter, *, labels: tuple[str | None, ...]) -> Row:
    first = parameter.reading[0]
    selects = parameter is selecting_parameter(document)
    readings = tuple(_reading(reading, labels=labels) for reading in parameter.reading)
    return Row(
        readings=readings,
        highest=parameter.combine == "highest",
        absent=absent_score(readings[0], minimum=parameter.missing.minimum, maximum=parameter.missing.maximum),
        dependent=first.depends_on is not None,
        selector=Selector(channel=first.channel, banding=_banding(first, first.table[0])) if selects else None,
    )


def _reading(reading: Reading, *, labels: tuple[str | None, ...]) -> CompiledReading:
    return CompiledReading(
        channel=reading.channel,
        unit=reading.unit,
        tables=tuple(
            tuple(_scale(reading, _table(reading, spo2_scale=spo2_scale, label=label)) for label in labels)
            for spo2_scale in SPO2_SCALES
        ),
        unscored=frozenset(code for table in reading.table for code in table.unscored),
    )


def _table(reading: Reading, *, spo2_scale: int, label: str | None) -> PointTable:
    """The one table that applies; the consistency laws leave exactly one."""
    return next(
        table for table in reading.table if table.spo2_scale in (None, spo2_scale) and table.given in (None, label)
    )


def _scale(reading: Reading, table: PointTable) -> PointScale:
    if table.bands:
        return _banding(reading, table)
    return Coding(codes=MappingProxyType(dict(table.codes)), attainable=tuple(sorted(table.attainable)))


def _banding(reading: Reading, table: PointTable) -> Banding:
    return Banding(
        cuts=cuts(tuple(row.interval for row in table.bands), resolution=reading.resolution),
        points=tuple(row.points for row in table.bands),
        attainable=tuple(sorted(table.attainable)),
    )
