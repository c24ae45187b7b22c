"""Bundles that have been denied since they were verified: out of every tier, at once, wherever they are.

A tier that served one is REFUSED, and its callers ask the next one. Refuses to bring anything in by itself: not the
version before, and not the same bundle when it is denied no longer; an operator's activation does.
"""

from collections.abc import Mapping
from dataclasses import replace

from stepdown.domain.engine_events import BundleDenied
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from stepdown.serving.engine.candidates import Candidates
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier


class Denials:
    """Acts over all pathways."""

    def __init__(
        self,
        *,
        pathways: Mapping[str, Pathway],
        cascades: Mapping[str, Cascade],
        supervision: Supervision,
        candidates: Candidates,
    ) -> None:
        """Share what starts and ends workers."""
        self._pathways = pathways
        self._cascades = cascades
        self._supervision = supervision
        self._candidates = candidates

    def obey(self, event: BundleDenied, now_s: float) -> None:
        """Withdraw the bundle with this digest."""
        for pathway in self._pathways.values():
            _withdraw_supporting(pathway, event)
            on_trial = [
                pathway.models[rank]
                for rank, candidate in pathway.candidates.items()
                if _holds(candidate.tier, event.sha256)
            ]
            self._candidates.withdraw(on_trial, reason=Reason.BUNDLE_DENIED, detail=event.detail, now_s=now_s)
            for tier in (*pathway.tiers, *pathway.leaving):
                if tier.previous is not None and tier.previous.sha256 == event.sha256:
                    tier.previous = None
                if _holds(tier, event.sha256):
                    tier.spec = replace(
                        tier.spec, bundle=None, refusal=Reason.BUNDLE_DENIED, refusal_detail=event.detail
                    )
                    owed = self._supervision.disable(tier, detail=event.detail, now_s=now_s, denied=True)
                    self._cascades[pathway.name].failed(
                        owed, tier=tier, reason=Reason.BUNDLE_DENIED, detail="its bundle was denied", now_s=now_s
                    )


def _holds(tier: Tier, sha256: str) -> bool:
    return tier.spec.bundle is not None and tier.spec.bundle.sha256 == sha256


def _withdraw_supporting(pathway: Pathway, event: BundleDenied) -> None:
    pathway.supporting = tuple(
        replace(each, state=TierState.REFUSED, bundle=None, reason=Reason.BUNDLE_DENIED, detail=event.detail)
        if each.bundle is not None and each.bundle.sha256 == event.sha256
        else each
        for each in pathway.supporting
    )
