"""What every caller was promised: one answer, in time, with its own numbers and the name of who really gave it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import AnswerRequest, DispatchBatch
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.serving.engine.policy import PathwaySpec
from tests.simulation.chain import MAXIMUM_BATCH
from tests.simulation.workers import SimulatedWorker

_EPSILON_S = 1e-9
AMPLE_S = 0.15
"""Time in which a sound tier with a short queue answers, whatever was asked before it."""


class Violation(AssertionError):  # noqa: N818 - it is an assertion, named for what was broken
    """A promise was broken."""


def number_of(request: Request) -> int:
    """The number that the world gave the request, which workers echo."""
    number = request.reply_to
    if not isinstance(number, int):
        raise TypeError
    return number


@dataclass(slots=True, kw_only=True, eq=False)
class Promise:
    """One answer owed.

    `is_crowded`: more was open beside it than one batch holds. `heard_from`: workers whose good answer to it has
    reached the engine.
    """

    request: Request
    since_s: float
    is_crowded: bool = False
    heard_from: list[SimulatedWorker] = field(default_factory=list)


class Readiness(Protocol):
    """What the ledger asks of the tiers."""

    def able_since_s(self, pathway: str, tier: str) -> float:
        """Since when the tier could have answered anybody, without a break."""

    def rules_serve(self, pathway: str) -> bool:
        """Whether the rules of a pathway may answer now."""


class Ledger:
    """What was promised to whom. Times are the engine's own."""

    def __init__(self, pathways: tuple[PathwaySpec, ...], readiness: Readiness, gave_up: Callable[[str], int]) -> None:
        """`gave_up`: the last request of a pathway whose answer of the rules is void."""
        self.ranks = {path.name: {tier.name: rank for rank, tier in enumerate(path.tiers)} for path in pathways}
        self._rules = {path.name: next((tier.name for tier in path.tiers if tier.is_rules), "") for path in pathways}
        self._models = {path.name: [tier.name for tier in path.tiers if not tier.is_rules] for path in pathways}
        self._readiness = readiness
        self._gave_up = gave_up
        self.last_number = 0
        self._open: dict[int, Promise] = {}
        self._deadlines: list[tuple[float, int]] = []
        self._reports: dict[int, tuple[SimulatedWorker, WorkerReport]] = {}
        self.excused_until_s = 0.0
        self.answers = dict.fromkeys([*{name for path in self.ranks.values() for name in path}, "none"], 0)

    def next_number(self) -> int:
        """A number for the next request, which workers echo."""
        self.last_number += 1
        return self.last_number

    def accepted(self, request: Request, now_s: float) -> None:
        """A request is owed exactly one answer from now on."""
        number = number_of(request)
        self._open[number] = Promise(request=request, since_s=now_s)
        rows = [each.request.payload.rows for each in self._open.values() if each.request.payload is not None]
        if sum(rows) > MAXIMUM_BATCH:
            for promise in self._open.values():
                promise.is_crowded = True
        heappush(self._deadlines, (request.deadline_s, number))

    def cancelled(self, request: Request) -> None:
        """Nothing is owed any more."""
        self._open.pop(number_of(request), None)

    def worker_ready(self, worker: SimulatedWorker, report: WorkerReport) -> None:
        """Remember what a worker said it is."""
        self._reports[worker.order.worker] = (worker, report)

    def excuse(self, until_s: float) -> None:
        """The server itself is held up until then: what falls due meanwhile may come late, and no later."""
        self.excused_until_s = max(self.excused_until_s, until_s)

    def dispatched(self, batch: DispatchBatch, now_s: float) -> list[Request]:
        """Live work is for callers who still wait, and in time; returns their requests."""
        requests = []
        for payload in batch.payloads:
            promise = self._open.get(int.from_bytes(payload.tensors[0], "little"))
            if promise is None:
                raise Violation("work was sent for a request that had ended")
            if now_s >= promise.request.deadline_s:
                raise Violation("work was sent for a request whose deadline had passed")
            if promise.request.models_spared:
                raise Violation("work was sent for a request that was to be spared it")
            requests.append(promise.request)
        return requests

    def heard(self, worker: SimulatedWorker, numbers: list[int]) -> None:
        """A good answer of a worker that nobody has given up reaches the engine."""
        for number in numbers:
            promise = self._open.get(number)
            if promise is not None:
                promise.heard_from.append(worker)

    def answered(self, effect: AnswerRequest, now_s: float) -> float:
        """Check one answer against everything that is known about it; returns since when it was owed."""
        request = effect.request
        promise = self._open.pop(number_of(request), None)
        if promise is None:
            raise Violation("a request was answered twice, or after its caller had left")
        self._check_time(promise, now_s)
        outcome, identity = effect.outcome, effect.outcome.answered_by
        self.answers[identity.tier if identity is not None else "none"] += 1
        rank = len(self.ranks[request.pathway])
        if identity is None:
            self._check_failure(effect)
        else:
            rank = self.ranks[request.pathway][identity.tier]
            self._check_wish(request, identity.tier)
            self._check_silence(request, identity.tier, outcome.degradations)
            self._check_giver(effect, identity.tier)
        self._check_nobody_better(promise, rank, outcome.degradations)
        return promise.since_s

    def _check_time(self, promise: Promise, now_s: float) -> None:
        allowed_s = max(promise.request.deadline_s, self.excused_until_s, promise.since_s)
        if now_s > allowed_s + _EPSILON_S:
            raise Violation("an answer came after its deadline")

    def _check_failure(self, effect: AnswerRequest) -> None:
        request, rules = effect.request, self._rules[effect.request.pathway]
        accepted = {request.minimum_tier, request.only_tier} <= {"", rules}
        void = number_of(request) <= self._gave_up(request.pathway)
        if request.rules_in_hand and accepted and not void and self._readiness.rules_serve(request.pathway):
            raise Violation("no answer was given although the rules had answered")
        if effect.outcome.failure is None:
            raise Violation("no answer was given and no reason either")

    def _check_giver(self, effect: AnswerRequest, tier: str) -> None:
        if effect.outcome.result is not None:
            self._check_result(effect)
        elif tier != self._rules[effect.request.pathway] or not effect.request.rules_in_hand:
            raise Violation("an answer without a result that is not the rules'")
        elif not self._readiness.rules_serve(effect.request.pathway):
            raise Violation("the rules answered although they were out of service")
        elif number_of(effect.request) <= self._gave_up(effect.request.pathway):
            raise Violation("what rules had said before they failed was given out")

    def _check_result(self, effect: AnswerRequest) -> None:
        identity, result = effect.outcome.answered_by, effect.outcome.result
        payload = effect.request.payload
        if identity is None or result is None or result.outputs is None or payload is None:
            raise Violation("a model answered without a result, or without having been asked")
        if result.outputs["echo"] != bytes(payload.tensors[0]):
            raise Violation("an answer bears another request's numbers")
        worker, report = self._reports[int(result.outputs["worker"])]
        order = worker.order
        if (order.pathway, order.tier) != (identity.pathway, identity.tier) or identity.bundle != order.bundle.identity:
            raise Violation("an answer bears another tier's name or digest")
        if identity.device != report.device:
            raise Violation("an answer names a device that did not compute it")
        if worker.condemned and worker.killed:
            raise Violation("a worker that had been given up answered")

    def _check_wish(self, request: Request, tier: str) -> None:
        ranks = self.ranks[request.pathway]
        if request.only_tier and tier != request.only_tier:
            raise Violation("another tier than the one addressed answered")
        if request.minimum_tier and ranks[tier] > ranks[request.minimum_tier]:
            raise Violation("a tier below the caller's minimum answered")

    def _check_silence(self, request: Request, tier: str, degradations: tuple[Degradation, ...]) -> None:
        ranks = self.ranks[request.pathway]
        named = [ranks[degradation.tier] for degradation in degradations]
        expected = [] if request.only_tier else list(range(ranks[tier]))
        if named != expected:
            raise Violation("a better tier did not answer and the answer does not say why")

    def _check_nobody_better(self, promise: Promise, rank: int, degradations: tuple[Degradation, ...]) -> None:
        request, ranks = promise.request, self.ranks[promise.request.pathway]
        for worker in promise.heard_from:
            if ranks[worker.order.tier] < rank and not (worker.killed or worker.condemned):
                raise Violation("a better tier had answered, and its answer was not given")
        said = {each.tier for each in degradations if each.reason is Reason.QUEUE_FULL}
        ample = request.deadline_s - promise.since_s >= AMPLE_S and promise.since_s > self.excused_until_s
        if (
            not ample
            or promise.is_crowded
            or request.models_spared
            or request.payload is None
            or request.payload.rows > MAXIMUM_BATCH
        ):
            return
        lowest = ranks.get(request.minimum_tier, rank)
        for tier in self._models[request.pathway]:
            wanted = request.only_tier in {"", tier} and ranks[tier] <= lowest and tier not in said
            if wanted and ranks[tier] < rank and self._readiness.able_since_s(request.pathway, tier) <= promise.since_s:
                raise Violation("a tier that could have answered was passed over")

    def check_deadlines(self, now_s: float) -> None:
        """Nobody may wait past his deadline."""
        while self._deadlines and self._deadlines[0][1] not in self._open:
            heappop(self._deadlines)
        if self._deadlines and now_s > max(self._deadlines[0][0], self.excused_until_s) + _EPSILON_S:
            raise Violation("a request was not answered by its deadline")

    def check_nobody_waits(self) -> None:
        """At the end nothing is owed."""
        if self._open:
            raise Violation("a request was never answered")
