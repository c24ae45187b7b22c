"""One pathway at run time: its tiers, best first, the versions beside them, and what it can do now."""

from stepdown.domain.activations import ActivationState
from stepdown.domain.assessments import TierIdentity
from stepdown.domain.notices import CapabilityChanged
from stepdown.domain.tiers import Capability, TierState, Urgency
from stepdown.serving.engine.candidate import Candidate
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_plan import TierView


class Pathway:
    """The model tiers by rank (0 = best), the rules tier if there is one, and the capability they add up to.

    `candidates` are the versions on trial by rank, `leaving` those replaced that still owe an answer; both together are
    `aside`.
    """

    def __init__(self, *, spec: PathwaySpec, policy: EnginePolicy, now_s: float) -> None:
        """Make the tiers; none is started yet."""
        self.name = spec.name
        self.tiers = tuple(
            Tier(spec=tier, pathway=spec.name, rank=rank, policy=policy, now_s=now_s)
            for rank, tier in enumerate(spec.tiers)
        )
        self.models = tuple(tier for tier in self.tiers if not tier.spec.is_rules)
        self.rules = next((tier for tier in self.tiers if tier.spec.is_rules), None)
        self.candidates: dict[int, Candidate] = {}
        self.leaving: tuple[Tier, ...] = ()
        self.aside: tuple[Tier, ...] = ()
        self.supporting = spec.supporting
        self.capability = Capability.NONE
        self.since_s = now_s

    def tier(self, name: str) -> Tier:
        """The tier of that name. Raises KeyError."""
        for tier in self.tiers:
            if tier.name == name:
                return tier
        raise KeyError(name)

    def views(self, urgency: Urgency, client: str) -> tuple[TierView, ...]:
        """The model tiers as planning sees them for requests of that urgency and client."""
        return tuple(self._view(tier, urgency, client) for tier in self.models)

    def _view(self, tier: Tier, urgency: Urgency, client: str) -> TierView:
        """A tier that does not serve is worth planning with while a version on trial may take the request."""
        view = tier.view(urgency, client)
        candidate = self.candidates.get(tier.rank)
        if view.unfit is None or candidate is None or candidate.state is not ActivationState.CANARY:
            return view
        trial = candidate.tier.view(urgency, client)
        return trial if trial.unfit is None else view

    def taker(self, rank: int, *, rows: int, answer_by_s: float, now_s: float) -> Tier:
        """Who is asked at this rank: the tier, or by its share the version on trial."""
        candidate = self.candidates.get(rank)
        if candidate is not None and candidate.takes(rows=rows, answer_by_s=answer_by_s, now_s=now_s):
            return candidate.tier
        return self.models[rank]

    def count_answer(self, identity: TierIdentity) -> None:
        """One more answer of the tier, and of the version on trial if that gave it."""
        tier = self.tier(identity.tier)
        tier.answers += 1
        candidate = self.candidates.get(tier.rank)
        if candidate is not None and candidate.tier.identity == identity:
            candidate.tier.answers += 1

    # --- versions ------------------------------------------------------------------------------------------------

    def take_in(self, candidate: Candidate) -> None:
        """A version goes on trial."""
        self.candidates[candidate.tier.rank] = candidate
        self._recount()

    def drop(self, candidate: Candidate) -> None:
        """A version on trial is not wanted any more."""
        del self.candidates[candidate.tier.rank]
        self._recount()

    def promote(self, candidate: Candidate) -> None:
        """A version on trial becomes the tier; the one before is on its way out."""
        successor, replaced = candidate.tier, self.models[candidate.tier.rank]
        self.tiers = tuple(successor if tier is replaced else tier for tier in self.tiers)
        self.models = tuple(successor if tier is replaced else tier for tier in self.models)
        self.leaving = (*self.leaving, replaced)
        self.drop(candidate)

    def see_off(self, tier: Tier) -> None:
        """A version that was replaced owes nobody an answer any more."""
        self.leaving = tuple(each for each in self.leaving if each is not tier)
        self._recount()

    def _recount(self) -> None:
        self.aside = (*(candidate.tier for candidate in self.candidates.values()), *self.leaving)

    # --- capability ----------------------------------------------------------------------------------------------

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
