"""Drives the engine: one lock, one timer thread, effects carried out in order. Decides nothing itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING

from stepdown.adapters.notice_board import NoticeBoard
from stepdown.domain.assessments import Degradation
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.drills import InjectedFault
from stepdown.domain.engine_effects import (
    AnswerRequest,
    DispatchBatch,
    DispatchProbe,
    Effect,
    KillWorker,
    Outcome,
    ProveRules,
    SpawnWorker,
    Tell,
)
from stepdown.domain.engine_events import (
    BundleActivated,
    BundleDenied,
    BundleRolledBack,
    DrainStarted,
    Event,
    Request,
    RequestCancelled,
    RequestsArrived,
    TierDisabled,
    TierEnabled,
    TimePassed,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus
from stepdown.ports import Clock, RulesProver, WorkerPool
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.snapshot import snapshot

if TYPE_CHECKING:
    from stepdown.domain.notices import Notice

_LONGEST_SLEEP_S = 1.0


class EngineDriver:
    """Meets `ports.Chain`. Whoever brings an event carries out its effects, under the one lock."""

    def __init__(
        self,
        *,
        engine: Engine,
        clock: Clock,
        board: NoticeBoard,
        on_error: Callable[[Exception], object],
        injected: Callable[[], tuple[InjectedFault, ...]] = tuple,
    ) -> None:
        """`on_error` is told of every exception of our own making; answers go on.

        `injected` gives the faults that drills have put in, to be shown with the tiers: the engine knows nothing of
        them.
        """
        self._engine = engine
        self._clock = clock
        self._board = board
        self._on_error = on_error
        self._injected = injected
        self._lock = Lock()
        self._pool: WorkerPool | None = None
        self._prover: RulesProver | None = None
        self._alarm = Condition()
        self._alarm_s = float("inf")
        self._closed = False
        self._beat_s = clock.monotonic_s()
        self._timer = Thread(target=self._keep_time, name="engine-timer", daemon=True)

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self, pool: WorkerPool, prover: RulesProver | None = None) -> None:
        """Bring every tier up, with this pool to run the workers and this prover for rules that a clinician sees."""
        self._pool, self._prover = pool, prover
        with self._lock:
            self._carry_out(self._engine.start(self._clock.monotonic_s()))
        self._timer.start()

    def drain(self) -> None:
        """Start nothing new from now on."""
        self._drive((DrainStarted(),))

    def close(self) -> None:
        """Stop the timer. Requests that are still open are not answered any more."""
        with self._alarm:
            self._closed = True
            self._alarm.notify()
        self._timer.join(timeout=5.0)

    def is_alive(self) -> bool:
        """Whether the timer still turns: the liveness probe's question."""
        return self._timer.is_alive() and self._clock.monotonic_s() - self._beat_s < 10 * _LONGEST_SLEEP_S

    def open_requests(self) -> int:
        """How many accepted requests are not answered yet."""
        with self._lock:
            return self._engine.open_requests()

    # --- Chain -----------------------------------------------------------------------------------------------------

    def submit(self, requests: Sequence[Request]) -> None:
        """Hand over requests; each `reply_to` is called once with its outcome."""
        self._drive((RequestsArrived(requests=tuple(requests)),))

    def cancel(self, request: Request) -> None:
        """The caller went away."""
        self._drive((RequestCancelled(request=request),))

    def now_s(self) -> float:
        """The monotonic time that deadlines are given in."""
        return self._clock.monotonic_s()

    def status(self) -> tuple[PathwayStatus, ...]:
        """Every pathway and tier now."""
        with self._lock:
            pathways = snapshot(self._engine, now_s=self._clock.monotonic_s(), wall_s=self._clock.wall_s())
        injected = {(each.injection.pathway, each.injection.tier): each for each in self._injected()}
        return tuple(_with_faults(pathway, injected) for pathway in pathways) if injected else pathways

    def disable_tier(self, pathway: str, tier: str, *, detail: str) -> None:
        """Operator takes a tier out. Raises KeyError for an unknown one."""
        self._engine.pathways[pathway].tier(tier)
        self._drive((TierDisabled(pathway=pathway, tier=tier, detail=detail),))

    def enable_tier(self, pathway: str, tier: str) -> None:
        """Operator gives a tier back. Raises KeyError for an unknown one."""
        self._engine.pathways[pathway].tier(tier)
        self._drive((TierEnabled(pathway=pathway, tier=tier),))

    def activate_bundle(self, event: BundleActivated) -> None:
        """Bring a version into a tier. Raises ActivationRefusedError, and KeyError for an unknown tier."""
        self._drive((event,), check=lambda: self._engine.check(event))

    def roll_back_bundle(self, event: BundleRolledBack) -> None:
        """Take a version back. Raises ActivationRefusedError, and KeyError for an unknown tier."""
        self._drive((event,), check=lambda: self._engine.check(event))

    def verified_bundles(self) -> tuple[VerifiedBundle, ...]:
        """Every bundle that serves, is on trial, or could be brought back."""
        with self._lock:
            return self._engine.verified_bundles()

    def deny_bundle(self, event: BundleDenied) -> None:
        """Out with it, wherever it is."""
        self._drive((event,))

    def bundles(self, pathway: str, tier: str) -> tuple[VerifiedBundle | None, VerifiedBundle | None, bool]:
        """What serves in a tier, what served before, and whether a version is on trial. Raises KeyError."""
        with self._lock:
            chain = self._engine.pathways[pathway]
            found = chain.tier(tier)
            return found.spec.bundle, found.previous, found.rank in chain.candidates

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each tier or capability change."""
        return self._board.subscribe(listener)

    def take(self, events: Sequence[Event]) -> None:
        """The worker pool's event sink. After `close` nobody is left to hear how the workers ended."""
        if not self._closed:
            self._drive(events)

    # --- driving ---------------------------------------------------------------------------------------------------

    def _drive(self, events: Sequence[Event], *, check: Callable[[], None] = lambda: None) -> None:
        with self._lock:
            check()
            for event in events:
                try:
                    self._carry_out(self._engine.handle(event, self._clock.monotonic_s()))
                except Exception as error:  # noqa: BLE001 - our own fault must not cost a patient an answer
                    self._on_error(error)
                    self._rescue(event)
            due_s = self._engine.next_due_s()
        if due_s < self._alarm_s:
            with self._alarm:
                self._alarm_s = due_s
                self._alarm.notify()

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        notices: list[Notice] = []
        try:
            for effect in effects:
                if isinstance(effect, Tell):
                    notices.append(effect.notice)
                else:
                    self._perform(effect)
        finally:
            if notices:
                self._board.post(notices)

    def _perform(self, effect: Effect) -> None:
        try:
            if isinstance(effect, AnswerRequest):
                _reply(effect.request, effect.outcome)
            elif isinstance(effect, ProveRules):
                if self._prover is not None:
                    self._prover.prove(effect)
            elif self._pool is not None:
                self._order(self._pool, effect)
        except Exception as error:  # noqa: BLE001 - one effect that fails must not take the next ones with it
            self._on_error(error)

    @staticmethod
    def _order(pool: WorkerPool, effect: Effect) -> None:
        match effect:
            case DispatchBatch():
                pool.dispatch(effect)
            case DispatchProbe():
                pool.probe(effect)
            case SpawnWorker():
                pool.spawn(effect)
            case KillWorker():
                pool.kill(effect)

    def _rescue(self, event: Event) -> None:
        """The engine failed on this event: do what it had decided, and let the rules answer whom it left waiting."""
        effects = self._engine.salvage()
        self._carry_out(effects)
        if isinstance(event, RequestsArrived):
            answered = {id(effect.request) for effect in effects if isinstance(effect, AnswerRequest)}
            for request in event.requests:
                if id(request) not in answered:
                    self._engine.forget(request)
                    self._perform(AnswerRequest(request=request, outcome=self._by_hand(request)))

    def _by_hand(self, request: Request) -> Outcome:
        pathway = self._engine.pathways.get(request.pathway)
        rules = pathway.rules if pathway is not None else None
        permitted = request.rules_in_hand and not request.only_tier and not request.minimum_tier
        models = pathway.models if pathway is not None else ()
        return Outcome(
            answered_by=rules.identity if rules is not None and permitted else None,
            result=None,
            degradations=tuple(Degradation(tier=tier.name, reason=Reason.INTERNAL_FAULT) for tier in models),
            attempts=(),
            failure=Reason.INTERNAL_FAULT,
            failure_detail="the engine failed; the log has the incident",
        )

    def _keep_time(self) -> None:
        while True:
            with self._alarm:
                now_s = self._clock.monotonic_s()
                self._beat_s = now_s
                wait_s = min(self._alarm_s - now_s, _LONGEST_SLEEP_S)
                if self._closed:
                    return
                if wait_s > 0:
                    self._alarm.wait(wait_s)
                    continue
                self._alarm_s = float("inf")
            self._drive((TimePassed(),))


def _with_faults(pathway: PathwayStatus, injected: Mapping[tuple[str, str], InjectedFault]) -> PathwayStatus:
    tiers = tuple(replace(tier, injected_fault=injected.get((pathway.name, tier.name))) for tier in pathway.tiers)
    return replace(pathway, tiers=tiers)


def _reply(request: Request, outcome: Outcome) -> None:
    if not callable(request.reply_to):
        raise TypeError
    request.reply_to(outcome)
