"""What is served here, as the wire's catalogue: pathways, their tiers, and the model card of every bundle in service.

Made from the roster of verified bundles, and again when another version has taken a tier over. Refuses to know how a
tier is doing: `OperationsService` does.
"""

from collections.abc import Iterator, Mapping, Sequence

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.card import CHAI_FIELDS, EVIDENCE_ATTRIBUTES, HTI1_ATTRIBUTES, CardAttribute
from stepdown.domain.reasons import RejectReason
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.transport.codec.enumerations import EXECUTION_PROVIDERS
from stepdown.transport.codec.identities import encode_bundle
from stepdown.transport.codec.provenance import encode_provenance
from stepdown.transport.codec.times import duration
from stepdown.transport.refusals import refused
from stepdown.trust.card import CARD_FILE, parse_card
from stepdown.trust.semantic_version import precedence


class Catalog:
    """Answers from what was encoded for the roster as it is."""

    def __init__(self, roster: Roster) -> None:
        """Raises: TrustError for a bundle whose card cannot be read, which verification lets nobody load."""
        self._roster = roster
        self._encoded = _Encoded(tuple(roster.pathways.values()))

    def _now(self) -> "_Encoded":
        served = tuple(self._roster.pathways.values())
        if served != self._encoded.served:
            self._encoded = _Encoded(served)
        return self._encoded

    def pathways(self) -> Sequence[wire.Pathway]:
        """Every pathway, by name."""
        return tuple(self._now().pathways.values())

    def pathway(self, name: str) -> wire.Pathway:
        """One pathway. Raises: RequestRejectedError PATHWAY_UNKNOWN."""
        pathway = self._now().pathways.get(name)
        if pathway is None:
            text = "no such pathway; ListPathways names them"
            raise refused(RejectReason.PATHWAY_UNKNOWN, field="name", description=text)
        return pathway

    def card(self, bundle: str, *, version: str) -> wire.ModelCard:
        """The card of a bundle in service; of its newest version there if `version` is empty.

        Raises: RequestRejectedError BUNDLE_UNKNOWN.
        """
        found = {
            its: card for (name, its), card in self._now().cards.items() if name == bundle and version in {"", its}
        }
        if not found:
            text = "no such bundle is in service; ListPathways names them"
            raise refused(RejectReason.BUNDLE_UNKNOWN, field="bundle", description=text)
        return found[max(found, key=precedence)]


class _Encoded:
    """One state of the roster on the wire."""

    def __init__(self, served: tuple[Pathway, ...]) -> None:
        self.served = served
        ordered = sorted(served, key=lambda pathway: pathway.name)
        self.pathways = {pathway.name: _pathway(pathway) for pathway in ordered}
        bundles = {(bundle.manifest.name, bundle.manifest.version): bundle for bundle in _bundles(ordered)}
        self.cards = {key: _card(bundle) for key, bundle in bundles.items()}


def _bundles(pathways: Sequence[Pathway]) -> Iterator[VerifiedBundle]:
    for pathway in pathways:
        yield from (tier.bundle for tier in pathway.tiers if tier.bundle is not None)
        yield from pathway.supporting


def _pathway(pathway: Pathway) -> wire.Pathway:
    return wire.Pathway(
        name=pathway.name,
        budget=duration(pathway.budget_ms / 1000),
        clinical=pathway.clinical,
        tiers=[_tier(tier) for tier in pathway.tiers],
    )


def _tier(tier: TierDescription) -> wire.PathwayTier:
    bundle = tier.bundle
    return wire.PathwayTier(
        name=tier.name,
        bundle=None if bundle is None else encode_bundle(bundle.identity),
        execution_providers=[EXECUTION_PROVIDERS[provider] for provider in tier.execution_providers],
        rules=tier.is_rules,
        description="" if bundle is None else bundle.manifest.description,
    )


def _card(bundle: VerifiedBundle) -> wire.ModelCard:
    card = parse_card(bundle.files[CARD_FILE])
    return wire.ModelCard(
        bundle=encode_bundle(bundle.identity),
        hti1=_attributes(HTI1_ATTRIBUTES, card.hti1),
        chai=_attributes(CHAI_FIELDS, card.chai),
        evidence=_attributes(EVIDENCE_ATTRIBUTES, card.evidence) if card.evidence else (),
        provenance=encode_provenance(bundle.provenance) if bundle.provenance is not None else None,
    )


def _attributes(attributes: Sequence[CardAttribute], values: Mapping[str, str]) -> list[wire.CardAttribute]:
    return [
        wire.CardAttribute(key=each.key, title=each.title, clause=each.clause, value=values[each.key])
        for each in attributes
    ]
