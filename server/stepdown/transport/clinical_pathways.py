"""The pathways that a clinical request may name. Refuses one that takes no observations, and a tier that is not its."""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.serving.assessment import ClinicalPathway
from stepdown.transport.refusals import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalPathways:
    """By name. `others` are served too, but take tensors."""

    clinical: Mapping[str, ClinicalPathway]
    others: frozenset[str] = frozenset()

    def configured(self, name: str) -> str:
        """The name if it is one of ours, else nothing: what a client made up goes into no metric and no log."""
        return name if name in self.clinical or name in self.others else ""

    def named(self, name: str, *, minimum_tier: str) -> ClinicalPathway:
        """The pathway, whose tiers hold `minimum_tier` unless that is empty.

        Raises: RequestRejectedError PATHWAY_NOT_CLINICAL, PATHWAY_UNKNOWN, TIER_UNKNOWN.
        """
        pathway = self.clinical.get(name)
        if pathway is None:
            raise self._unknown(name)
        if minimum_tier and minimum_tier not in {tier.name for tier in pathway.tiers}:
            known = ", ".join(tier.name for tier in pathway.tiers)
            text = f"{pathway.name} has the tiers {known}"
            raise refused(RejectReason.TIER_UNKNOWN, field="minimum_tier", description=text)
        return pathway

    def _unknown(self, name: str) -> RequestRejectedError:
        if name in self.others:
            text = "this pathway takes tensors, over the Open Inference Protocol"
            return refused(RejectReason.PATHWAY_NOT_CLINICAL, field="pathway", description=text)
        text = "no such pathway; CatalogService.ListPathways names them"
        return refused(RejectReason.PATHWAY_UNKNOWN, field="pathway", description=text)
