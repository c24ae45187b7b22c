"""One published rule set: parsed from its signed text with every fault named, compiled once, immutable."""

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from stepdown.domain.bands import Band
from stepdown.domain.errors import RuleSetError
from stepdown.domain.intake import RuleInputs
from stepdown.domain.scores import ScoreResult
from stepdown.rules.compilation import compile_quotient, compile_sum
from stepdown.rules.consistency import document_faults
from stepdown.rules.document import Overlay, QuotientDocument, RuleSetDocument, SumDocument
from stepdown.rules.quotient_rule import QuotientRule
from stepdown.rules.sum_rule import SumRule
from stepdown.rules.totals import bits

_DOCUMENT: TypeAdapter[SumDocument | QuotientDocument] = TypeAdapter(RuleSetDocument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The published response for the totals in the bit set `totals`, where their band is `band`."""

    band: Band
    totals: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A rule set ready to score. `rule_set_id` is `<bundle name>@<bundle version>`; `document` is what was signed.

    `overlays` and `hard_trigger_total` are for the composite that this rule set answers in.
    """

    rule_set_id: str
    document: SumDocument | QuotientDocument = field(repr=False)
    rule: SumRule | QuotientRule = field(repr=False)
    responses: tuple[Response, ...] = field(repr=False)
    overlays: tuple[Overlay, ...] = field(default=(), repr=False)
    hard_trigger_total: int | None = None

    def score(self, inputs: RuleInputs) -> ScoreResult:
        """Apply the rule set to one encounter, however sparse its inputs; microseconds, no side effect.

        Raises:
            ValueError: the SpO2 scale is neither 1 nor 2, which intake never lets through.
        """
        return self.rule.score(inputs)

    def band_of_total(self, total: int) -> Band:
        """The lowest band that the published responses give to a total."""
        return min((each.band for each in self.responses if each.totals >> total & 1), default=Band.INDETERMINATE)

    def response(self, band: Band, *, maximum_total: int) -> str:
        """The published response for a band; where its totals differ in it, that of the highest that can be reached."""
        of_band = [response for response in self.responses if response.band is band]
        if not of_band:
            return self.document.undetermined.response
        return next((one.text for one in of_band if one.totals >> maximum_total & 1), of_band[0].text)


def parse_rule_set(text: bytes, *, rule_set_id: str) -> RuleSet:
    """Parse, check and compile the bytes of a `rules.toml`.

    Args:
        text: the bytes, as verified.
        rule_set_id: `<bundle name>@<bundle version>`; the name must be the document's own `id`.

    Raises:
        RuleSetError: naming every fault found; whatever the bytes are, nothing else is raised.
    """
    document = _document(text, rule_set_id)
    faults = document_faults(document, bundle_name=rule_set_id.partition("@")[0])
    if faults:
        raise _refusal(rule_set_id, faults)
    if isinstance(document, QuotientDocument):
        return RuleSet(
            rule_set_id=rule_set_id,
            document=document,
            rule=compile_quotient(document, rule_set_id=rule_set_id),
            responses=tuple(_response(outcome.band, 0, outcome.response) for outcome in document.outcome),
        )
    return RuleSet(
        rule_set_id=rule_set_id,
        document=document,
        rule=compile_sum(document, rule_set_id=rule_set_id),
        responses=_sum_responses(document),
        overlays=document.overlay,
        hard_trigger_total=document.hard_trigger_total,
    )


def _sum_responses(document: SumDocument) -> tuple[Response, ...]:
    single = document.single_parameter
    return tuple(
        _response(outcome.band, bits(outcome.at_least, outcome.at_most), outcome.response)
        for outcome in document.outcome
    ) + (() if single is None else (_response(single.band, 0, single.response),))


def _response(band: str, totals: int, text: str) -> Response:
    return Response(band=Band[band], totals=totals, text=text)


def _document(text: bytes, rule_set_id: str) -> SumDocument | QuotientDocument:
    try:
        tables = tomllib.loads(text.decode(), parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _refusal(rule_set_id, (f"not a TOML document: {error}",)) from error
    try:
        return _DOCUMENT.validate_python(tables)
    except ValidationError as error:
        # Kind tags ("sum") stand first in every location of a tagged union and say nothing to the author.
        raise _refusal(
            rule_set_id,
            tuple(
                f"{'.'.join(str(key) for key in fault['loc'][1:]) or 'document'}: "
                f"{fault['msg'].removeprefix('Value error, ')}"
                for fault in error.errors(include_url=False, include_input=False)
            ),
        ) from error


def _refusal(rule_set_id: str, faults: tuple[str, ...]) -> RuleSetError:
    return RuleSetError("\n".join(f"{rule_set_id}: {fault}" for fault in faults))
