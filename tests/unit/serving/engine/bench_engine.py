"""Drives a real engine by hand, one event at a time, for tests that are sentences."""

from collections.abc import Sequence
from typing import Any, TypeVar

from stepdown.domain.engine_effects import (
    AnswerRequest,
    DispatchBatch,
    DispatchProbe,
    Effect,
    KillWorker,
    Outcome,
    SpawnWorker,
    Tell,
)
from stepdown.domain.engine_events import (
    BatchCompleted,
    Event,
    ProbeCompleted,
    Request,
    RequestsArrived,
    TimePassed,
    WorkerReady,
)
from stepdown.domain.notices import Notice
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import ExecutionProvider, Urgency
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec
from tests.simulation.chain import CHAIN, PATHWAY, POLICY

T = TypeVar("T", bound=Effect)


class EngineBench:
    """An engine, a clock that the test turns, and everything the engine wanted done."""

    def __init__(self, *, pathways: tuple[PathwaySpec, ...] = (CHAIN,), policy: EnginePolicy = POLICY) -> None:
        self.now_s = 0.0
        self.engine = Engine(pathways=pathways, policy=policy, now_s=0.0)
        self.effects: list[Effect] = list(self.engine.start(0.0))

    def send(self, event: Event) -> list[Effect]:
        effects = self.engine.handle(event, self.now_s)
        self.effects += effects
        return effects

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, waking the engine whenever it asked to be."""
        end_s, effects = self.now_s + seconds, []
        while self.engine.next_due_s() <= end_s:
            self.now_s = max(self.now_s, self.engine.next_due_s())
            effects += self.send(TimePassed())
        self.now_s = end_s
        return effects

    def of(self, kind: type[T], effects: Sequence[Effect] | None = None) -> list[T]:
        return [effect for effect in (self.effects if effects is None else effects) if isinstance(effect, kind)]

    def notices(self, kind: type[Notice]) -> list[Notice]:
        return [effect.notice for effect in self.of(Tell) if isinstance(effect.notice, kind)]

    def worker(self, tier: str) -> int:
        """The number of the tier's latest worker."""
        return [order.worker for order in self.of(SpawnWorker) if order.tier == tier][-1]

    def ready(self, tier: str) -> list[Effect]:
        report = WorkerReport(
            pid=4711,
            execution_provider=ExecutionProvider.CPU,
            device=f"device of {tier}",
            placement_share=1.0,
            known_answer_error=0.0,
            latency_s=((1, 0.002),),
        )
        return self.send(WorkerReady(worker=self.worker(tier), report=report))

    def prove(self, tier: str, *, error: str = "") -> list[Effect]:
        """Answer the latest probe of the tier's worker, 1 ms after it was sent."""
        self.now_s += 0.001
        probe = [probe for probe in self.of(DispatchProbe) if probe.worker == self.worker(tier)][-1]
        event = ProbeCompleted(worker=probe.worker, sequence=probe.sequence, error=error, compute_s=0.001)
        return self.send(event)

    def serve(self, *tiers: str) -> None:
        """Bring tiers all the way to SERVING."""
        for tier in tiers:
            self.ready(tier)
        for _ in range(POLICY.probation_probes):
            for tier in tiers:
                self.prove(tier)
            self.wait(POLICY.probation_probe_period_s)

    def request(  # anything else that a request may say, by its name
        self,
        *,
        budget_s: float = 0.2,
        rules: bool = True,
        rows: int = 1,
        **wish: Any,  # noqa: ANN401
    ) -> Request:
        return Request(
            pathway=PATHWAY,
            payload=TensorRows(rows=rows, tensors=(wish.pop("tensor", b"x" * rows),)),
            deadline_s=self.now_s + budget_s,
            reply_to=None,
            rules_in_hand=rules,
            rules_identity=None,
            urgency=Urgency(wish.pop("urgency", "routine")),
            **wish,
        )

    def ask(self, *requests: Request) -> list[Effect]:
        return self.send(RequestsArrived(requests=requests or (self.request(),)))

    def last_batch(self, tier: str) -> DispatchBatch:
        return [batch for batch in self.of(DispatchBatch) if batch.worker == self.worker(tier)][-1]

    def reply(self, tier: str, *results: RowsResult) -> list[Effect]:
        """Complete the latest batch of the tier."""
        batch = self.last_batch(tier)
        given = results or tuple(RowsResult(outputs={"probability": b"1234"}) for _ in batch.payloads)
        event = BatchCompleted(worker=batch.worker, sequence=batch.sequence, results=given, compute_s=0.001)
        return self.send(event)

    def outcomes(self, effects: Sequence[Effect] | None = None) -> list[Outcome]:
        return [answer.outcome for answer in self.of(AnswerRequest, effects)]

    def state(self, tier: str) -> str:
        return str(self.engine.pathways[PATHWAY].tier(tier).state)

    def killed(self, tier: str) -> bool:
        return any(kill.worker == self.worker(tier) for kill in self.of(KillWorker))
