"""The engine: one event in, the effects out, and when it next wants to hear that time has passed."""

from collections.abc import Callable, Iterator
from typing import Any

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import AnswerRequest, Effect, Outcome
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    BundleActivated,
    BundleDenied,
    BundleRolledBack,
    DrainStarted,
    Event,
    ProbeCompleted,
    Request,
    RequestCancelled,
    RequestsArrived,
    RulesProved,
    TierDisabled,
    TierEnabled,
    TimePassed,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState, Urgency
from stepdown.serving.engine.batching import Batching
from stepdown.serving.engine.candidates import Candidates
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.denials import Denials
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec
from stepdown.serving.engine.probation import Probation
from stepdown.serving.engine.replies import Replies
from stepdown.serving.engine.rules_watch import RulesWatch
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier
from stepdown.serving.engine.watch import Watch
from stepdown.serving.tier_plan import TierView, TierWish, plan_tiers

_NEVER_S = float("inf")


class Engine:
    """Not thread-safe.

    Its driver holds one lock. `now_s` never goes back (an earlier one is taken as no time passed).
    """

    def __init__(self, *, pathways: tuple[PathwaySpec, ...], policy: EnginePolicy, now_s: float) -> None:
        """Lay out the chains; `start` brings them up."""
        self._policy = policy
        self._outbox = Outbox()
        probation = Probation(policy=policy, outbox=self._outbox)
        self._supervision = Supervision(policy=policy, probation=probation, outbox=self._outbox)
        self._batching = Batching(supervision=self._supervision, outbox=self._outbox)
        self.pathways = {spec.name: Pathway(spec=spec, policy=policy, now_s=now_s) for spec in pathways}
        self._cascades = {
            name: Cascade(pathway=pathway, policy=policy, outbox=self._outbox)
            for name, pathway in self.pathways.items()
        }
        self._replies = Replies(cascades=self._cascades, supervision=self._supervision, outbox=self._outbox)
        self._watch = Watch(policy=policy, supervision=self._supervision)
        self._rules_watch = RulesWatch(policy, self._supervision, probation=probation, outbox=self._outbox)
        self._candidates = Candidates(
            pathways=self.pathways,
            cascades=self._cascades,
            supervision=self._supervision,
            policy=policy,
            outbox=self._outbox,
        )
        self._denials = Denials(
            pathways=self.pathways,
            cascades=self._cascades,
            supervision=self._supervision,
            candidates=self._candidates,
        )
        self._now_s = now_s
        self._due_s = _NEVER_S
        self._actions = self._action_table()

    def _action_table(self) -> dict[type[Event], Callable[[Any], None]]:
        return {
            RequestsArrived: self._requests_arrived,
            RequestCancelled: self._request_cancelled,
            WorkerReady: self._worker_ready,
            WorkerRefused: self._worker_refused,
            WorkerExited: self._worker_exited,
            BatchCompleted: lambda event: self._replies.completed(event, self._now_s),
            BatchFailed: lambda event: self._replies.failed(event, self._now_s),
            ProbeCompleted: lambda event: self._replies.probed(event, self._now_s),
            RulesProved: self._rules_proved,
            TierDisabled: self._tier_disabled,
            TierEnabled: self._tier_enabled,
            BundleActivated: lambda event: self._candidates.obey(event, self._now_s),
            BundleRolledBack: lambda event: self._candidates.obey(event, self._now_s),
            BundleDenied: lambda event: self._denials.obey(event, self._now_s),
            DrainStarted: self._drain_started,
            TimePassed: self._time_passed,
        }

    def start(self, now_s: float) -> list[Effect]:
        """Bring every tier up."""
        self._now_s = now_s
        for pathway in self.pathways.values():
            for tier in pathway.tiers:
                self._supervision.begin(tier, now_s)
        self._tick_rules()
        return self._finish()

    def handle(self, event: Event, now_s: float) -> list[Effect]:
        """Take one event; returns what is to be done, in order. Never raises for an event of its type."""
        now_s = max(now_s, self._now_s)
        if self._due_s < now_s:
            self._watch.forgive(self._running(), late_s=now_s - max(self._due_s, self._now_s))
        self._now_s = now_s
        self._actions[type(event)](event)
        return self._finish()

    def check(self, event: BundleActivated | BundleRolledBack) -> None:
        """Whether it would do anything. Raises ActivationRefusedError, and KeyError where there is no such tier."""
        self._candidates.check(event)

    def next_due_s(self) -> float:
        """When the driver must send `TimePassed` unless something else happens before; infinite when never."""
        return self._due_s

    def salvage(self) -> list[Effect]:
        """After `handle` raised (a defect of ours): what it had decided before, so that nothing decided is lost."""
        return self._finish()

    def forget(self, request: Request) -> None:
        """The driver answers this request itself."""
        self._request_cancelled(RequestCancelled(request=request))

    def verified_bundles(self) -> tuple[VerifiedBundle, ...]:
        """Every bundle that serves in a tier, is on trial in one, or could be brought back."""
        tiers = [tier for pathway in self.pathways.values() for tier in (*pathway.tiers, *pathway.aside)]
        held = [bundle for tier in tiers for bundle in (tier.spec.bundle, tier.previous) if bundle is not None]
        return tuple({bundle.sha256: bundle for bundle in held}.values())

    def open_requests(self) -> int:
        """How many accepted requests are not answered yet."""
        return sum(cascade.open_cases() for cascade in self._cascades.values())

    # --- requests ------------------------------------------------------------------------------------------------

    def _requests_arrived(self, event: RequestsArrived) -> None:
        views: dict[tuple[str, Urgency, str], tuple[TierView, ...]] = {}
        for request in event.requests:
            pathway = self.pathways.get(request.pathway)
            if pathway is None:
                self._refuse(request)
                continue
            key = request.pathway, request.urgency, request.client
            if key not in views:
                views[key] = pathway.views(request.urgency, request.client)
                self._shadow(pathway, request)
            self._open_case(request, pathway, views[key])

    def _open_case(self, request: Request, pathway: Pathway, views: tuple[TierView, ...]) -> None:
        reserve_s = max(self._policy.reserve_s, self._policy.reserve_share * (request.deadline_s - self._now_s))
        answer_by_s = request.deadline_s - reserve_s
        plan = plan_tiers(
            views,
            remaining_s=answer_by_s - self._now_s,
            wish=TierWish(
                minimum_tier=request.minimum_tier,
                only_tier=request.only_tier,
                models_permitted=request.payload is not None,
                models_spared=request.models_spared,
            ),
        )
        case = Case(request=request, arrived_s=self._now_s, answer_by_s=answer_by_s, order=plan.order)
        cascade = self._cascades[pathway.name]
        for skipped in plan.skipped:
            tier = pathway.tier(skipped.tier)
            cascade.skip(case, skipped, rank=tier.rank)
            if skipped.reason is Reason.DEADLINE_TOO_SHORT and tier.seems_slow():
                self._supervision.doubt(tier, self._now_s)
                cascade.touched.add(tier)
        cascade.start(case, self._now_s)

    def _shadow(self, pathway: Pathway, request: Request) -> None:
        if request.payload is not None and request.vetted:
            for tier in (*pathway.models, *pathway.aside):
                if tier.state is TierState.PROBATION:
                    self._batching.shadow(tier, request.payload, self._now_s)

    def _refuse(self, request: Request) -> None:
        outcome = Outcome(answered_by=None, result=None, degradations=(), attempts=(), failure=Reason.NOT_CONFIGURED)
        self._outbox.put(AnswerRequest(request=request, outcome=outcome))

    def _request_cancelled(self, event: RequestCancelled) -> None:
        cascade = self._cascades.get(event.request.pathway)
        if cascade is not None:
            cascade.cancelled(event.request)

    # --- workers -------------------------------------------------------------------------------------------------

    def _worker_ready(self, event: WorkerReady) -> None:
        self._supervision.ready(event.worker, event.report, self._now_s)
        self._tick_worker(event.worker)

    def _worker_refused(self, event: WorkerRefused) -> None:
        self._supervision.refused(event.worker, reason=event.reason, detail=event.detail, now_s=self._now_s)

    def _worker_exited(self, event: WorkerExited) -> None:
        tier, owed = self._supervision.exited(event.worker, reason=event.reason, detail=event.detail, now_s=self._now_s)
        if tier is not None:
            cascade = self._cascades[tier.pathway]
            cascade.failed(owed, tier=tier, reason=event.reason, detail=event.detail, now_s=self._now_s)
            self._supervision.tick(tier, self._now_s)

    def _tick_worker(self, worker: int) -> None:
        tier = self._supervision.tier_of_worker.get(worker)
        if tier is not None:
            self._supervision.tick(tier, self._now_s)

    def _rules_proved(self, event: RulesProved) -> None:
        tier = self.pathways[event.pathway].tier(event.tier)
        self._rules_watch.proved(tier, event, self._cascades[event.pathway], self._now_s)

    def _tick_rules(self) -> None:
        for pathway in self.pathways.values():
            if pathway.rules is not None:
                self._rules_watch.tick(pathway.rules, self._now_s)

    # --- operators -----------------------------------------------------------------------------------------------

    def _tier_disabled(self, event: TierDisabled) -> None:
        tier = self.pathways[event.pathway].tier(event.tier)
        self._candidates.withdraw((tier,), detail="the tier was disabled", now_s=self._now_s)
        owed = self._supervision.disable(tier, detail=event.detail, now_s=self._now_s)
        self._cascades[event.pathway].failed(
            owed, tier=tier, reason=Reason.OPERATOR_DISABLED, detail="disabled by an operator", now_s=self._now_s
        )

    def _tier_enabled(self, event: TierEnabled) -> None:
        self._supervision.enable(self.pathways[event.pathway].tier(event.tier), self._now_s)

    def _drain_started(self, _event: DrainStarted) -> None:
        self._supervision.draining = True
        every = tuple(tier for pathway in self.pathways.values() for tier in pathway.models)
        self._candidates.withdraw(every, detail="the server is stopping", now_s=self._now_s)

    # --- time ----------------------------------------------------------------------------------------------------

    def _time_passed(self, _event: TimePassed) -> None:
        self._tick_rules()  # First: rules that come back at this moment may answer whoever's time is up.
        for cascade in self._cascades.values():
            cascade.tick(self._now_s)
        for tier in self._running():
            self._watch.look(tier, self._cascades[tier.pathway], self._now_s)
            self._supervision.tick(tier, self._now_s)

    def _running(self) -> Iterator[Tier]:
        """Everything that may have a worker: the model tiers, and the versions beside them."""
        for pathway in self.pathways.values():
            yield from pathway.models
            yield from pathway.aside

    def _finish(self) -> list[Effect]:
        self._candidates.settle(self._now_s)
        for name, cascade in self._cascades.items():
            while cascade.touched:
                tier = cascade.touched.pop()
                self._supervision.probe_if_due(tier, self._now_s)
                self._batching.fill(tier, self._now_s)
            cascade.shed.tell()
            self.pathways[name].update_capability(now_s=self._now_s, outbox=self._outbox)
        self._due_s = self._earliest_due_s()
        return self._outbox.drain()

    def _earliest_due_s(self) -> float:
        due_s = min((cascade.next_due_s() for cascade in self._cascades.values()), default=_NEVER_S)
        due_s = min(due_s, self._candidates.next_due_s())
        for tier in self._running():
            due_s = min(due_s, self._supervision.next_due_s(tier), self._watch.due_s(tier, self._now_s))
        for pathway in self.pathways.values():
            if pathway.rules is not None:
                due_s = min(due_s, self._rules_watch.due_s(pathway.rules))
        return due_s
