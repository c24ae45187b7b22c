"""The way into service: golden answers and a dwell first, and a long quiet time before earlier failures are forgotten.

Refuses to let a tier serve that has not proved itself, however long it has waited.
"""

from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from stepdown.resilience.circuit_breaker import BreakerState
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.tier import Tier

_NEVER_S = float("inf")


class Probation:
    """Holds tiers back until they have proved themselves."""

    def __init__(self, *, policy: EnginePolicy, outbox: Outbox) -> None:
        """Judge by this policy."""
        self._policy = policy
        self._outbox = outbox

    def enter(self, tier: Tier, *, detail: str, now_s: float) -> None:
        """What has loaded must prove itself, the longer the more often it has failed of late."""
        recent = tier.faults.recent(now_s)
        dwell_s = 0.0 if recent == 0 else self._policy.probation_dwell_s * 2 ** min(recent - 1, 16)
        tier.probation_until_s = now_s + min(dwell_s, self._policy.maximum_dwell_s)
        tier.probes_passed = 0
        tier.probe_due_s = now_s
        tier.shadow_due_s = now_s
        tier.move(TierState.PROBATION, reason=Reason.PROBATION, detail=detail, now_s=now_s, outbox=self._outbox)

    def graduate_if_due(self, tier: Tier, now_s: float) -> None:
        """From PROBATION to SERVING after enough right answers and the dwell."""
        proved = tier.probes_passed >= self._policy.probation_probes and now_s >= tier.probation_until_s
        if tier.state is not TierState.PROBATION or not proved:
            return
        if tier.breaker.state is BreakerState.HALF_OPEN:
            tier.breaker.close()
        tier.probe_due_s = now_s + self._policy.probe_period_s
        tier.move(TierState.SERVING, reason=None, detail="", now_s=now_s, outbox=self._outbox)

    def tick(self, tier: Tier, now_s: float) -> None:
        """Graduate it, or forget its failures after a long time in service, if the time for that has come."""
        self.graduate_if_due(tier, now_s)
        if tier.state is TierState.SERVING and tier.attempt > 0 and now_s >= tier.since_s + self._policy.stable_s:
            tier.attempt = 0
            tier.breaker.forgive()

    def due_s(self, tier: Tier) -> float:
        """When `tick` has something to do if nothing happens before."""
        if tier.state is TierState.PROBATION and tier.probes_passed >= self._policy.probation_probes:
            return tier.probation_until_s
        if tier.state is TierState.SERVING and tier.attempt > 0:
            return tier.since_s + self._policy.stable_s
        return _NEVER_S
