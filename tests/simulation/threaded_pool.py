"""A worker pool of threads that answer in whatever order chance has it, for the real driver with its real lock."""

from random import Random
from threading import Condition, Thread

from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    Event,
    ProbeCompleted,
    WorkerExited,
    WorkerReady,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult
from stepdown.ports import EventSink

Order = SpawnWorker | KillWorker | DispatchBatch | DispatchProbe


class ThreadedPool:
    """Meets `ports.WorkerPool`. One order in forty is forgotten, one in twenty fails, one in sixty ends its worker."""

    def __init__(self, sink: EventSink, *, seed: int, threads: int = 3) -> None:
        self._sink = sink
        self._random = Random(seed)
        self._news = Condition()
        self._orders: list[Order] = []
        self._living: set[int] = set()
        self._closed = False
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(threads)]
        self.dispatched = 0

    def start(self) -> None:
        """Let the threads run."""
        for thread in self._threads:
            thread.start()

    def spawn(self, order: SpawnWorker) -> None:
        self._take(order)

    def kill(self, order: KillWorker) -> None:
        self._take(order)

    def dispatch(self, batch: DispatchBatch) -> None:
        self.dispatched += 1
        self._take(batch)

    def probe(self, probe: DispatchProbe) -> None:
        self._take(probe)

    def close(self) -> None:
        with self._news:
            self._closed = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=10.0)

    def _take(self, order: Order) -> None:
        with self._news:
            self._orders.append(order)
            self._news.notify()

    def _work(self) -> None:
        while True:
            with self._news:
                while not self._orders and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                order = self._orders.pop(self._random.randrange(len(self._orders)))
                events = self._events(order)
            self._sink(events)

    def _events(self, order: Order) -> list[Event]:
        chance = self._random.random()
        number = order.worker
        if isinstance(order, SpawnWorker):
            self._living.add(number)
            return [WorkerReady(worker=number, report=_report(order))]
        if isinstance(order, KillWorker) or chance < 1 / 60:
            alive = number in self._living
            self._living.discard(number)
            return [WorkerExited(worker=number, detail="simulated")] if alive else []
        if number not in self._living or chance < 1 / 24:
            return []
        if isinstance(order, DispatchProbe):
            return [ProbeCompleted(worker=number, sequence=order.sequence, error="", compute_s=0.0)]
        if chance < 1 / 11:
            reason, sequence = Reason.EXECUTION_FAILED, order.sequence
            return [BatchFailed(worker=number, sequence=sequence, reason=reason, detail="simulated", sticky=False)]
        results = tuple(RowsResult(outputs={"echo": bytes(payload.tensors[0])}) for payload in order.payloads)
        return [BatchCompleted(worker=number, sequence=order.sequence, results=results, compute_s=0.0)]


def _report(order: SpawnWorker) -> WorkerReport:
    return WorkerReport(
        pid=order.worker,
        execution_provider=order.execution_providers[0],
        device="no device",
        placement_share=1.0,
        known_answer_error=0.0,
        latency_s=((1, 0.001), (4, 0.002)),
    )
