"""The promises that no schedule may break, whatever fails and whenever."""

from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import AnswerRequest
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import CapabilityChanged, Notice, TierMoved
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_states import LEGAL_MOVES
from tests.simulation.chain import CHAIN, MAXIMUM_BATCH, POLICY
from tests.simulation.workers import SimulatedWorker

RANKS = {tier.name: rank for rank, tier in enumerate(CHAIN.tiers)}
_SPIN_LIMIT = 50


class Violation(AssertionError):  # noqa: N818 - it is an assertion, named for what was broken
    """A promise was broken."""


def _number(request: Request) -> int:
    number = request.reply_to
    if not isinstance(number, int):
        raise TypeError
    return number


class Ledger:
    """What was promised to whom, and what every worker is."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, Request] = {}
        self._gone: set[int] = set()
        self._reports: dict[int, tuple[SimulatedWorker, WorkerReport]] = {}
        self._wakes_at: tuple[float, int] = (0.0, 0)
        self._starts_s: dict[str, list[float]] = {}
        self._fresh_budgets: dict[str, int] = {}
        self.answers = dict.fromkeys((*RANKS, "none"), 0)
        self.moves = 0

    def next_number(self) -> int:
        """A number for the next request, which workers echo."""
        self._number += 1
        return self._number

    def accepted(self, request: Request) -> None:
        """A request is owed exactly one answer from now on."""
        self._open[_number(request)] = request

    def cancelled(self, request: Request) -> None:
        """Nothing is owed any more."""
        self._open.pop(_number(request), None)
        self._gone.add(_number(request))

    def worker_ready(self, worker: SimulatedWorker, report: WorkerReport) -> None:
        """Remember what a worker said it is."""
        self._reports[worker.order.worker] = (worker, report)

    def operator_enabled(self, tier: str) -> None:
        """An operator gave a tier back: its budget of starts is new."""
        self._fresh_budgets[tier] = self._fresh_budgets.get(tier, 0) + 1

    def started(self, tier: str, now_s: float) -> None:
        """A process was ordered: no more of them in a window than faults are allowed in it."""
        starts = self._starts_s.setdefault(tier, [])
        starts.append(now_s)
        recent = sum(now_s - moment_s <= POLICY.fault_window_s for moment_s in starts)
        looks = POLICY.fault_window_s / POLICY.unavailable_retry_s
        if recent > (POLICY.fault_limit + looks) * (1 + self._fresh_budgets.get(tier, 0)) + 1:
            raise Violation("a tier's workers are started in a storm")

    def answered(self, effect: AnswerRequest, now_s: float) -> None:
        """Check one answer against everything that is known about it."""
        request = effect.request
        if _number(request) in self._gone:
            raise Violation("a caller that went away was answered")
        if self._open.pop(_number(request), None) is None:
            raise Violation("a request was answered twice")
        if now_s > request.deadline_s + 1e-9:
            raise Violation("an answer came after its deadline")
        outcome = effect.outcome
        if outcome.answered_by is None:
            self._check_failure(effect)
            return
        identity = outcome.answered_by
        self.answers[identity.tier] += 1
        self._check_wish(request, identity.tier)
        self._check_silence(request, identity.tier, outcome.degradations)
        if outcome.result is None:
            if identity.tier != "rules" or not request.rules_in_hand:
                raise Violation("an answer without a result that is not the rules'")
            return
        self._check_result(effect)

    def _check_failure(self, effect: AnswerRequest) -> None:
        self.answers["none"] += 1
        request = effect.request
        could = request.rules_in_hand and request.minimum_tier in {"", "rules"} and not request.only_tier
        if could:
            raise Violation("no answer was given although the rules had answered")
        if effect.outcome.failure is None:
            raise Violation("no answer was given and no reason either")

    def _check_result(self, effect: AnswerRequest) -> None:
        identity, result = effect.outcome.answered_by, effect.outcome.result
        payload = effect.request.payload
        if identity is None or result is None or result.outputs is None or payload is None:
            raise Violation("a model answered without a result, or without having been asked")
        if result.outputs["echo"] != bytes(payload.tensors[0]):
            raise Violation("an answer bears another request's numbers")
        worker, report = self._reports[int(result.outputs["worker"])]
        if worker.order.tier != identity.tier or identity.bundle.sha256 != worker.order.bundle.sha256:
            raise Violation("an answer bears another tier's name or digest")
        if identity.device != report.device:
            raise Violation("an answer names a device that did not compute it")
        if worker.condemned and worker.killed:
            raise Violation("a worker that had been given up answered")

    @staticmethod
    def _check_wish(request: Request, tier: str) -> None:
        if request.only_tier and tier != request.only_tier:
            raise Violation("another tier than the one addressed answered")
        if request.minimum_tier and RANKS[tier] > RANKS[request.minimum_tier]:
            raise Violation("a tier below the caller's minimum answered")

    @staticmethod
    def _check_silence(request: Request, tier: str, degradations: tuple[Degradation, ...]) -> None:
        named = [RANKS[degradation.tier] for degradation in degradations]
        expected = [] if request.only_tier else list(range(RANKS[tier]))
        if named != expected:
            raise Violation("a better tier did not answer and the answer does not say why")

    def told(self, notice: Notice) -> None:
        """Check the moves that observers are told."""
        if isinstance(notice, TierMoved):
            legal = notice.state is notice.previous or notice.state in LEGAL_MOVES[notice.previous]
            if not legal:
                raise Violation("a tier made an illegal move")
            if notice.state is not TierState.SERVING and notice.reason is None:
                raise Violation("a tier is out of service without a reason")
            self.moves += notice.state is not notice.previous
        elif isinstance(notice, CapabilityChanged) and notice.previous is notice.capability:
            raise Violation("a change of capability that is none")

    def check_deadlines(self, now_s: float) -> None:
        """Nobody may wait past his deadline."""
        if any(request.deadline_s < now_s - 1e-9 for request in self._open.values()):
            raise Violation("a request was not answered by its deadline")

    def note_wake(self, now_s: float, next_due_s: float) -> None:
        """The engine may not ask to be woken for nothing again and again."""
        moment_s, count = self._wakes_at
        self._wakes_at = (now_s, count + 1 if now_s == moment_s else 0)
        if self._wakes_at[1] > _SPIN_LIMIT and next_due_s <= now_s:
            raise Violation("the engine spins without time passing")

    def check_nobody_waits(self) -> None:
        """At the end nothing is owed."""
        if self._open:
            raise Violation("a request was never answered")


def check_state(engine: Engine) -> None:
    """Bounds and truths that hold between any two events."""
    for pathway in engine.pathways.values():
        for tier in pathway.tiers:
            if tier.queue.rows > POLICY.maximum_queue_rows + MAXIMUM_BATCH or tier.queue.rows < 0:
                raise Violation("a queue left its bounds")
            if len(tier.flights) > 2:
                raise Violation("more than two batches in flight")
            if tier.state is TierState.SERVING and tier.identity is None:
                raise Violation("a tier serves without an identity")
        if pathway.capability is Capability.FULL and pathway.tiers[0].state is not TierState.SERVING:
            raise Violation("full capability is claimed while the first tier does not serve")


def check_nobody_is_forgotten(engine: Engine) -> None:
    """Every open request is with a living worker or in a queue that somebody serves."""
    for name, pathway in engine.pathways.items():
        for case in engine._cascades[name]._open.values():  # noqa: SLF001 - a simulation looks inside
            held = case.held is not None and not case.asked_s
            if held or not any(_with_tier(pathway.tiers[rank], case) for rank in case.asked_s):
                raise Violation("a request waits for a tier that does not know of it")
        for tier in pathway.models:
            waiting = sum(case.rows for queue in tier.queue._waiting.values() for case in queue)  # noqa: SLF001
            if waiting != tier.queue.rows:
                raise Violation("a queue miscounts what waits in it")
            if tier.state is TierState.SERVING and tier.queue.cases() and tier.free_slot() is not None:
                raise Violation("requests wait although a slot is free")


def _with_tier(tier: Tier, case: Case) -> bool:
    return any(waiting is case for waiting in tier.cases())


def check_recovered(engine: Engine) -> None:
    """All faults have ended and time has passed: full capability is back."""
    for pathway in engine.pathways.values():
        if pathway.capability is not Capability.FULL:
            states = [f"{tier.name} {tier.state} {tier.reason}" for tier in pathway.tiers]
            raise Violation(f"full capability did not come back: {states}")
