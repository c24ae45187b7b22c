"""One pathway at run time: its tiers, best first, and what it can do now."""

from stepdown.domain.notices import CapabilityChanged
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_plan import TierView


class Pathway:
    """The model tiers by rank (0 = best), the rules tier if there is one, and the capability they add up to."""

    def __init__(self, *, spec: PathwaySpec, policy: EnginePolicy, now_s: float) -> None:
        """Make the tiers; none is started yet."""
        self.name = spec.name
        self.tiers = tuple(
            Tier(spec=tier, pathway=spec.name, rank=rank, policy=policy, now_s=now_s)
            for rank, tier in enumerate(spec.tiers)
        )
        self.models = tuple(tier for tier in self.tiers if not tier.spec.is_rules)
        self.rules = next((tier for tier in self.tiers if tier.spec.is_rules), None)
        self.capability = Capability.NONE
        self.since_s = now_s

    def tier(self, name: str) -> Tier:
        """The tier of that name. Raises KeyError."""
        for tier in self.tiers:
            if tier.name == name:
                return tier
        raise KeyError(name)

    def views(self) -> tuple[TierView, ...]:
        """The model tiers as planning sees them."""
        return tuple(tier.view() for tier in self.models)

    def update_capability(self, *, now_s: float, outbox: Outbox) -> None:
        """Work out the capability afresh and tell a change."""
        capability = self._capability(now_s)
        if capability is not self.capability:
            outbox.tell(CapabilityChanged(pathway=self.name, previous=self.capability, capability=capability))
            self.capability = capability
            self.since_s = now_s

    def _capability(self, now_s: float) -> Capability:
        serving = [
            tier.state is TierState.SERVING and not tier.stalled() and now_s >= tier.unsteady_until_s
            for tier in self.models
        ]
        if serving and serving[0]:
            return Capability.FULL
        if any(serving):
            return Capability.DEGRADED
        if self.rules is not None and self.rules.state is TierState.SERVING:
            return Capability.RULES_ONLY
        return Capability.NONE
