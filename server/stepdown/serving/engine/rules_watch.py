"""Rules that go on proving themselves as workers do: asked their known answers, closed when they fail, loaded afresh.

They answer in the server's own process, so nothing is killed and nothing hangs: what can go wrong is that the tables in
memory are not what was verified. Refuses to let rules that failed answer again before they have passed probation.
"""

from stepdown.domain.engine_effects import ProveRules
from stepdown.domain.engine_events import RulesProved
from stepdown.domain.notices import ProbeFinished
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import SERVER_PROCESS, ExecutionProvider, TierState
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.probation import Probation
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier

_NEVER_S = float("inf")
_ANSWERING = frozenset({TierState.SERVING, TierState.PROBATION})


class RulesWatch:
    """Proves the rules tiers, one proof at a time for each."""

    def __init__(self, policy: EnginePolicy, supervision: Supervision, *, probation: Probation, outbox: Outbox) -> None:
        """Share supervision, which plans a tier's return."""
        self._policy = policy
        self._supervision = supervision
        self._probation = probation
        self._outbox = outbox

    def tick(self, tier: Tier, now_s: float) -> None:
        """Loads, proofs and graduations whose time has come."""
        if tier.start_due_s is not None and now_s >= tier.start_due_s and not self._supervision.draining:
            self._load_afresh(tier, now_s)
        elif tier.state in _ANSWERING and tier.probe_due_s is not None and now_s >= tier.probe_due_s:
            in_probation = tier.state is TierState.PROBATION
            period_s = self._policy.probation_probe_period_s if in_probation else self._policy.probe_period_s
            self._order(tier, anew=False)
            tier.probe_due_s = now_s + period_s
        self._probation.tick(tier, now_s)

    def _load_afresh(self, tier: Tier, now_s: float) -> None:
        if tier.state is not TierState.STARTING:
            tier.move(TierState.STARTING, reason=Reason.STARTING, detail="", now_s=now_s, outbox=self._outbox)
        tier.start_due_s = None
        tier.attempt += 1
        tier.restarts += 1
        self._order(tier, anew=True)

    def _order(self, tier: Tier, *, anew: bool) -> None:
        """A proof that has not come back is waited for, unless the rules are to be loaded afresh."""
        bundle = tier.spec.bundle
        if bundle is None or (tier.probe_sequence is not None and not anew):
            return
        tier.probe_sequence = self._supervision.next_sequence()
        self._outbox.put(
            ProveRules(pathway=tier.pathway, tier=tier.name, sequence=tier.probe_sequence, bundle=bundle, anew=anew)
        )

    def proved(self, tier: Tier, event: RulesProved, cascade: Cascade, now_s: float) -> None:
        """A proof came back. Rules that failed are closed at once, and what they have said is given to nobody."""
        if event.sequence != tier.probe_sequence:
            return
        tier.probe_sequence = None
        tier.last_probe_s = now_s
        tier.probe_error = event.error
        self._outbox.tell(ProbeFinished(pathway=tier.pathway, tier=tier.name, error=event.error))
        if event.error:
            cascade.distrust_rules()
            self._supervision.lost(tier, reason=Reason.KNOWN_ANSWER_MISMATCH, detail=event.error, now_s=now_s)
        elif tier.state is TierState.STARTING:
            tier.identity = tier.identity_on(ExecutionProvider.RULES, SERVER_PROCESS)
            self._probation.enter(tier, detail="proving the rules loaded afresh", now_s=now_s)
        elif tier.state is TierState.PROBATION:
            tier.probes_passed += 1
        self.tick(tier, now_s)

    def due_s(self, tier: Tier) -> float:
        """The earliest moment at which `tick` may have something to do."""
        due_s = self._probation.due_s(tier)
        if tier.start_due_s is not None and not self._supervision.draining:
            due_s = min(due_s, tier.start_due_s)
        if tier.state in _ANSWERING and tier.probe_due_s is not None:
            due_s = min(due_s, tier.probe_due_s)
        return due_s
