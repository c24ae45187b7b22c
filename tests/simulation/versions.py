"""Which version of each tier's bundle may answer whom, and what an operator's wish must lead to."""

from dataclasses import dataclass, field

from stepdown.domain.activations import ActivationState
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.engine_effects import AnswerRequest
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import ActivationMoved
from stepdown.domain.tiers import TierState
from stepdown.serving.engine.engine import Engine
from tests.simulation.invariants import Violation, number_of
from tests.simulation.workers import SimulatedWorker

Key = tuple[str, str]
_ENOUGH = 8.0
"""Requests of its share that a version on trial may miss before that is held against the split."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Versions:
    """Of one tier.

    `trial`: on its way in, and how far; `first`: the first request since it is on trial; `gone_s`: until when each
    earlier version was asked.
    """

    serving: BundleIdentity | None
    predecessor: BundleIdentity | None = None
    trial: BundleIdentity | None = None
    stage: ActivationState = ActivationState.LOADING
    share: float = 0.0
    is_going_back: bool = False
    gone_s: dict[str, float] = field(default_factory=dict)
    asked: int = 0
    first: int = 0
    with_trial: set[int] = field(default_factory=set)
    with_other: set[int] = field(default_factory=set)


class Versions:
    """Follows every activation by what is told of it. Times are the engine's own."""

    def __init__(self, engine: Engine, workers: dict[int, SimulatedWorker]) -> None:
        self._engine = engine
        self._workers = workers
        self._tiers = {
            (name, tier.name): _Versions(serving=tier.spec.bundle.identity if tier.spec.bundle is not None else None)
            for name, pathway in engine.pathways.items()
            for tier in pathway.tiers
        }
        self._told = self._last = 0

    # --- what is done ----------------------------------------------------------------------------------------------

    def told(self, notice: ActivationMoved, now_s: float) -> None:
        """One step of an activation."""
        self._told += 1
        tier, bundle = self._tiers[notice.pathway, notice.tier], notice.activation.bundle
        stage = tier.stage = notice.activation.state
        if stage is ActivationState.LOADING:
            if tier.trial is not None:
                raise Violation("two versions are on trial in one tier")
            tier.trial = bundle
        elif stage is ActivationState.CANARY:
            tier.share = notice.activation.canary_share
            tier.asked, tier.first = self._engine.open_requests(), self._last + 1
            tier.with_trial.clear()
            tier.with_other.clear()
        elif stage is ActivationState.PROMOTED:
            if tier.serving is not None:
                tier.gone_s[tier.serving.sha256] = now_s
            tier.predecessor = None if tier.is_going_back else tier.serving
            tier.serving, tier.trial, tier.is_going_back = bundle, None, False
        elif stage is ActivationState.ROLLED_BACK:
            tier.gone_s[bundle.sha256] = now_s
            tier.trial, tier.is_going_back = None, False

    def going_back(self, key: Key) -> None:
        """An operator is about to take a version back; `went_back` follows."""
        self._told = 0
        self._tiers[key].is_going_back = self._tiers[key].trial is None

    def went_back(self, key: Key, *, is_draining: bool) -> None:
        """He did: a version on trial is gone, or the predecessor is on its way."""
        tier = self._tiers[key]
        state = self._engine.pathways[key[0]].tier(key[1]).state
        possible = not is_draining and state is not TierState.DISABLED
        if possible and tier.is_going_back and tier.predecessor is not None and not self._told:
            raise Violation("an operator took a version back and nothing followed")
        if not self._told:
            tier.is_going_back = False

    def accepted(self, request: Request) -> None:
        """One more may be asked of a version on trial."""
        self._last = number_of(request)
        for (pathway, _), tier in self._tiers.items():
            tier.asked += pathway == request.pathway and request.payload is not None

    def dispatched(self, worker: SimulatedWorker, requests: list[Request]) -> None:
        """Live work goes to the version that serves, to one on trial by its share, and to nobody else."""
        order = worker.order
        tier = self._tiers[order.pathway, order.tier]
        numbers = {number_of(request) for request in requests}
        if tier.trial is not None and order.bundle.identity == tier.trial:
            if tier.stage is not ActivationState.CANARY:
                raise Violation("a version served before it was on trial")
            tier.with_trial |= numbers
            if len(tier.with_trial) > tier.share * tier.asked + 1:
                raise Violation("a version on trial is given more than its share")
        elif order.bundle.identity == tier.serving:
            tier.with_other |= {number for number in numbers if number >= tier.first}
        elif order.bundle.sha256 not in tier.gone_s:
            raise Violation("work was sent to a version that does not serve")

    def answered(self, effect: AnswerRequest, since_s: float) -> None:
        """The version named in an answer served when the request came, or has come to serve since."""
        identity = effect.outcome.answered_by
        if identity is None:
            return
        tier, bundle = self._tiers[effect.request.pathway, identity.tier], identity.bundle
        if bundle == tier.serving or (bundle == tier.trial and tier.stage is ActivationState.CANARY):
            return
        if tier.gone_s.get(bundle.sha256, -1.0) < since_s:
            raise Violation("an answer bears a version that did not serve any more")

    # --- between any two events, and at the end --------------------------------------------------------------------

    def check(self, now_s: float) -> None:
        """A version on trial gets its share where it can take it: one that was silent a moment ago may not."""
        for (name, tier_name), versions in self._tiers.items():
            if versions.trial is None or versions.stage is not ActivationState.CANARY or versions.with_trial:
                continue
            pathway = self._engine.pathways[name]
            candidate = pathway.candidates[pathway.tier(tier_name).rank].tier
            worker = self._workers.get(candidate.worker or 0)
            unsteady = candidate.stalled() or now_s < candidate.unsteady_until_s
            if worker is None or not worker.sound or unsteady:
                versions.with_other.clear()
            elif versions.share * len(versions.with_other) > _ENOUGH:
                raise Violation("a version on trial is given nothing")

    def check_at_rest(self) -> None:
        """Nothing is on its way, and what runs is what was promoted last."""
        for (pathway, name), versions in self._tiers.items():
            bundle = self._engine.pathways[pathway].tier(name).spec.bundle
            if versions.trial is not None or (bundle.identity if bundle is not None else None) != versions.serving:
                raise Violation("a tier runs another version than the one promoted last")
        for worker in self._workers.values():
            order = worker.order
            if (
                worker.alive
                and not worker.killed
                and order.bundle.identity != self._tiers[order.pathway, order.tier].serving
            ):
                raise Violation("a worker of a version that was taken back lives on")
