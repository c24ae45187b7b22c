"""Bringing new versions in without a gap: loaded beside, tried on a share, then promoted or taken back.

The version that serves is never ended before its successor has proved itself. Whatever goes wrong with a version on
trial ends the trial: its callers ask the tier itself, at once, and nothing else changes. Refuses two trials in one
tier.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from stepdown.domain.activations import ActivationRefusedError, ActivationState, ActivationStatus
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_events import BundleActivated, BundleRolledBack
from stepdown.domain.notices import ActivationMoved
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import SERVER_PROCESS, ExecutionProvider, TierState
from stepdown.serving.engine.candidate import Candidate
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier

_NEVER_S = float("inf")
_ALIVE = frozenset({TierState.STARTING, TierState.PROBATION, TierState.SERVING})
_WAY_TO_SERVING: Mapping[TierState, tuple[TierState, ...]] = {
    TierState.SERVING: (),
    TierState.PROBATION: (TierState.SERVING,),
    TierState.STARTING: (TierState.PROBATION, TierState.SERVING),
    TierState.SUSPENDED: (TierState.PROBATION, TierState.SERVING),
    TierState.QUARANTINED: (TierState.STARTING, TierState.PROBATION, TierState.SERVING),
    TierState.REFUSED: (TierState.STARTING, TierState.PROBATION, TierState.SERVING),
}


class Candidates:
    """Every version on its way in or out, over all pathways."""

    def __init__(
        self,
        *,
        pathways: Mapping[str, Pathway],
        cascades: Mapping[str, Cascade],
        supervision: Supervision,
        policy: EnginePolicy,
        outbox: Outbox,
    ) -> None:
        """Share supervision, which starts and ends the workers of versions on trial like any other."""
        self._pathways = pathways
        self._cascades = cascades
        self._supervision = supervision
        self._policy = policy
        self._outbox = outbox

    # --- operators -----------------------------------------------------------------------------------------------

    def check(self, event: BundleActivated | BundleRolledBack) -> None:
        """Whether the event would do anything. Raises ActivationRefusedError saying why not, KeyError for no tier."""
        self._wanted(event)

    def obey(self, event: BundleActivated | BundleRolledBack, now_s: float) -> None:
        """Bring a version in or take one back; does nothing where `check` would raise."""
        try:
            wanted = self._wanted(event)
        except ActivationRefusedError:
            return
        pathway = self._pathways[event.pathway]
        tier = pathway.tier(event.tier)
        if isinstance(event, BundleActivated):
            self._bring_in(event, now_s, keeps_predecessor=True)
        elif wanted is None:
            self._take_back(pathway, tier, reason=None, detail=event.detail, now_s=now_s)
        else:
            back = BundleActivated(pathway=event.pathway, tier=event.tier, bundle=wanted)
            self._bring_in(back, now_s, keeps_predecessor=False)

    def _wanted(self, event: BundleActivated | BundleRolledBack) -> VerifiedBundle | None:
        """The bundle that is to serve; None where the one on trial is to be taken back."""
        pathway = self._pathways[event.pathway]
        tier = pathway.tier(event.tier)
        candidate = pathway.candidates.get(tier.rank)
        if self._supervision.draining:
            raise _impossible("the server is stopping")
        if candidate is not None:
            if isinstance(event, BundleRolledBack):
                return None
            raise _under_way(candidate.status())
        if tier.state is TierState.DISABLED:
            raise _impossible("the tier is disabled: enable it first")
        wanted = tier.previous if isinstance(event, BundleRolledBack) else event.bundle
        if wanted is None:
            raise _impossible("no version that served before is known")
        if tier.spec.bundle is not None and tier.spec.bundle.sha256 == wanted.sha256:
            raise _impossible(f"version {wanted.manifest.version} serves already")
        return wanted

    def withdraw(self, tiers: Iterable[Tier], *, detail: str, now_s: float, reason: Reason | None = None) -> None:
        """Whatever is on trial in these tiers is taken back: they are disabled, it was denied, or the server stops."""
        for tier in tiers:
            pathway = self._pathways[tier.pathway]
            if tier.rank in pathway.candidates:
                self._take_back(pathway, tier, reason=reason, detail=detail, now_s=now_s)

    def _bring_in(self, event: BundleActivated, now_s: float, *, keeps_predecessor: bool) -> None:
        pathway = self._pathways[event.pathway]
        tier = pathway.tier(event.tier)
        spec = replace(tier.spec, bundle=event.bundle, refusal=None, refusal_detail="", previous=None)
        trial = Tier(spec=spec, pathway=pathway.name, rank=tier.rank, policy=self._policy, now_s=now_s)
        trial.aside = True
        candidate = Candidate(
            tier=trial,
            replaces=tier.spec.bundle.identity if tier.spec.bundle is not None else None,
            share=event.canary_share,
            observation_s=event.observation_s,
            now_s=now_s,
        )
        candidate.keeps_predecessor = keeps_predecessor
        if tier.spec.is_rules:
            self._exchange_rules(tier, candidate, now_s)
            return
        pathway.take_in(candidate)
        self._tell(tier, candidate.status())
        self._supervision.begin(trial, now_s)

    def _exchange_rules(self, tier: Tier, candidate: Candidate, now_s: float) -> None:
        """Rules run no worker and gave their known answers before they came here: from now on the new ones answer."""
        self._inherit(tier, tier, candidate)
        tier.spec = candidate.tier.spec
        tier.identity = tier.identity_on(ExecutionProvider.RULES, SERVER_PROCESS)
        self._tell_way_up(tier, now_s)
        tier.start_due_s, tier.probe_sequence, tier.probe_due_s = None, None, now_s
        self._close(tier, candidate, ActivationState.PROMOTED, now_s=now_s)

    # --- the course of a trial -----------------------------------------------------------------------------------

    def settle(self, now_s: float) -> None:
        """After each event: go on with every trial, and see off the versions that have nothing left to answer."""
        for pathway in self._pathways.values():
            if pathway.aside:
                for rank, candidate in tuple(pathway.candidates.items()):
                    self._go_on(pathway, pathway.models[rank], candidate, now_s)
                self._see_off(pathway, now_s)

    def next_due_s(self) -> float:
        """When `settle` next has something to do although nothing happens."""
        return min(
            (each.observed_until_s for pathway in self._pathways.values() for each in pathway.candidates.values()),
            default=_NEVER_S,
        )

    def _go_on(self, pathway: Pathway, tier: Tier, candidate: Candidate, now_s: float) -> None:
        trial = candidate.tier
        if trial.blemish is not None or trial.state not in _ALIVE:
            reason, detail = trial.blemish or (trial.reason, trial.detail)
            self._take_back(pathway, tier, reason=reason, detail=detail, now_s=now_s)
        elif trial.state is TierState.PROBATION and candidate.state is ActivationState.LOADING:
            self._step(tier, candidate, ActivationState.PROBATION, now_s)
        elif trial.state is TierState.SERVING and candidate.state is not ActivationState.CANARY:
            self._step(tier, candidate, ActivationState.CANARY, now_s)
            candidate.observed_until_s = now_s + candidate.observation_s
        if candidate.state is ActivationState.CANARY and now_s >= candidate.observed_until_s:
            self._promote_if_steady(pathway, tier, candidate, now_s)

    def _promote_if_steady(self, pathway: Pathway, tier: Tier, candidate: Candidate, now_s: float) -> None:
        """Not in the moment in which it is silent: the pathway's capability would fall with it."""
        if candidate.tier.stalled():
            candidate.observed_until_s = now_s + self._policy.steady_s
        elif now_s < candidate.tier.unsteady_until_s:
            candidate.observed_until_s = candidate.tier.unsteady_until_s
        else:
            self._promote(pathway, tier, candidate, now_s)

    def _promote(self, pathway: Pathway, tier: Tier, candidate: Candidate, now_s: float) -> None:
        successor, cascade = candidate.tier, self._cascades[pathway.name]
        answers = successor.answers
        waiting = tier.queue.clear()
        pathway.promote(candidate)
        successor.aside, tier.aside = False, True
        self._inherit(tier, successor, candidate)
        for case in waiting:
            case.asked_of[tier.rank] = successor
            successor.queue.put(case)
        cascade.touched.add(successor)
        successor.state, successor.since_s = tier.state, tier.since_s
        self._tell_way_up(successor, now_s)
        self._close(successor, candidate, ActivationState.PROMOTED, now_s=now_s, answers=answers)

    @staticmethod
    def _inherit(tier: Tier, successor: Tier, candidate: Candidate) -> None:
        """What belongs to the tier and not to the version that runs it."""
        successor.previous = tier.spec.bundle if candidate.keeps_predecessor else None
        successor.restarts, successor.answers = tier.restarts, tier.answers

    def _tell_way_up(self, tier: Tier, now_s: float) -> None:
        """A tier that did not serve does now: told by the legal moves, since nobody heard of those made on trial."""
        for state in _WAY_TO_SERVING[tier.state]:
            reason = None if state is TierState.SERVING else Reason(state.value)
            tier.move(
                state, reason=reason, detail="" if reason is None else "a new version", now_s=now_s, outbox=self._outbox
            )

    def _take_back(self, pathway: Pathway, tier: Tier, *, reason: Reason | None, detail: str, now_s: float) -> None:
        candidate = pathway.candidates[tier.rank]
        trial = candidate.tier
        answers = trial.answers
        pathway.drop(candidate)
        owed = self._supervision.disable(trial, detail=detail, now_s=now_s)
        told = reason or Reason.OPERATOR_DISABLED
        self._cascades[pathway.name].failed(
            owed, tier=trial, reason=told, detail="this version was taken back", now_s=now_s
        )
        self._close(
            tier, candidate, ActivationState.ROLLED_BACK, now_s=now_s, answers=answers, reason=reason, detail=detail
        )

    def _see_off(self, pathway: Pathway, now_s: float) -> None:
        """A version that was replaced ends when it has answered whoever asked it."""
        for tier in pathway.leaving:
            tier.probe_due_s = None
            if not any(flight.cases for flight in tier.flights.values()):
                pathway.see_off(tier)
                self._supervision.disable(tier, detail="replaced", now_s=now_s)

    # --- telling -------------------------------------------------------------------------------------------------

    def _step(self, tier: Tier, candidate: Candidate, state: ActivationState, now_s: float) -> None:
        candidate.state, candidate.since_s = state, now_s
        self._tell(tier, candidate.status())

    def _close(
        self,
        tier: Tier,
        candidate: Candidate,
        state: ActivationState,
        *,
        now_s: float,
        answers: int = 0,
        reason: Reason | None = None,
        detail: str = "",
    ) -> None:
        candidate.state, candidate.since_s = state, now_s
        tier.activation = replace(candidate.status(), answers=answers, worker_pid=None, reason=reason, detail=detail)
        self._tell(tier, tier.activation)

    def _tell(self, tier: Tier, activation: ActivationStatus) -> None:
        self._outbox.tell(ActivationMoved(pathway=tier.pathway, tier=tier.name, activation=activation))


def _under_way(activation: ActivationStatus) -> ActivationRefusedError:
    return ActivationRefusedError(
        RejectReason.ACTIVATION_UNDER_WAY,
        f"version {activation.bundle.version} is {activation.state.value} in this tier: "
        "wait until it is promoted, or roll it back",
    )


def _impossible(detail: str) -> ActivationRefusedError:
    return ActivationRefusedError(RejectReason.ACTIVATION_NOT_POSSIBLE, detail)
