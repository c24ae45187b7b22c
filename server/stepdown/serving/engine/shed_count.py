"""Counts who went without which tier for want of room, and tells it once per event rather than once per request."""

from typing import TYPE_CHECKING

from stepdown.domain.notices import FidelityShed
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.outbox import Outbox

if TYPE_CHECKING:
    from stepdown.domain.tiers import Urgency


class ShedCount:
    """What one pathway has shed since it was told last."""

    def __init__(self, *, pathway: str, outbox: Outbox) -> None:
        """Start with nothing shed."""
        self._pathway = pathway
        self._outbox = outbox
        self._requests: dict[tuple[str, Urgency], int] = {}

    def count(self, case: Case, tier: str) -> None:
        """A request went without a tier."""
        key = tier, case.request.urgency
        self._requests[key] = self._requests.get(key, 0) + 1

    def tell(self) -> None:
        """Tell observers, by tier and urgency."""
        for (tier, urgency), requests in self._requests.items():
            self._outbox.tell(FidelityShed(pathway=self._pathway, tier=tier, urgency=urgency, requests=requests))
        self._requests.clear()
