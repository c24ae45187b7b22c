"""Watching silent workers: callers are sent on early, the worker is ended late, and our own lateness blames nobody."""

from collections.abc import Iterable

from stepdown.domain.reasons import Reason
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier

_NEVER_S = float("inf")


class Watch:
    """Two limits on one silence: `stall` (ask the next tier beside it) and `watchdog` (SIGKILL)."""

    def __init__(self, *, policy: EnginePolicy, supervision: Supervision) -> None:
        """Share supervision's power to kill."""
        self._policy = policy
        self._supervision = supervision

    def look(self, tier: Tier, cascade: Cascade, now_s: float) -> None:
        """Send the callers of a silent worker on after the stall time; end the worker after the watchdog's."""
        head = tier.head()
        if head is None:
            return
        if now_s >= head.running_s + self._policy.watchdog_s:
            owed = self._supervision.kill(tier, reason=Reason.WORKER_HUNG, detail="no reply", now_s=now_s)
            cascade.failed(owed, tier=tier, reason=Reason.WORKER_HUNG, detail="no reply", now_s=now_s)
        elif not head.stalled and now_s >= head.running_s + self._stall_after_s(tier):
            head.stalled = True
            if tier.aside:
                self._relieve(tier, cascade, now_s)
            else:
                cascade.hurry(tier.cases(), now_s)

    @staticmethod
    def _relieve(tier: Tier, cascade: Cascade, now_s: float) -> None:
        """Whoever waits for a version that is silent asks the tier itself; a late reply may still be the first."""
        waiting = tier.cases()
        tier.queue.clear()
        cascade.failed(waiting, tier=tier, reason=Reason.WORKER_HUNG, detail="silent for too long", now_s=now_s)

    def due_s(self, tier: Tier, now_s: float) -> float:
        """When `look` next has something to do for this tier, or its steadiness counts again."""
        steady_s = tier.unsteady_until_s if tier.unsteady_until_s > now_s else _NEVER_S
        head = tier.head()
        if head is None:
            return steady_s
        limit_s = self._policy.watchdog_s if head.stalled else self._stall_after_s(tier)
        return min(steady_s, head.running_s + limit_s)

    def forgive(self, tiers: Iterable[Tier], *, late_s: float) -> None:
        """This process itself was held up for `late_s`: the silence meanwhile was not the workers' fault."""
        if late_s > self._policy.lateness_s:
            for tier in tiers:
                head = tier.head()
                if head is not None:
                    head.running_s += late_s

    def _stall_after_s(self, tier: Tier) -> float:
        head = tier.head()
        slow_s = tier.normal_run_s(head.rows) if head is not None else 0.0
        return min(max(self._policy.stall_s, self._policy.stall_factor * slow_s), self._policy.watchdog_s)
