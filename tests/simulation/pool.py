"""The worker pool in simulation: processes that never were, answering in their own good or bad time."""

from collections.abc import Callable
from typing import Protocol

from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    Event,
    ProbeCompleted,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.fault_classes import treatment_of
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult, TensorRows
from tests.simulation.chain import MAXIMUM_BATCH, POLICY
from tests.simulation.conduct import Conduct
from tests.simulation.fairness import Fairness
from tests.simulation.invariants import Ledger, Violation
from tests.simulation.versions import Versions
from tests.simulation.workers import LoadFate, SimulatedWorker, Start, Vice

_RUN, _SLOWNESS, _EXIT, _END = range(4)
_NEVER_LOADS_S = 2.0
_UNKILLABLE_S = 3.0
_LYING = frozenset({Vice.GARBAGE, Vice.NOT_FINITE})
_FAILING = frozenset({Vice.RAISES, Vice.STICKY})
_MUTE_AGAIN_S = 0.2


class Stage(Protocol):
    """What the pool needs of the world it runs in."""

    now_s: float
    ledger: Ledger
    conduct: Conduct
    versions: Versions
    fairness: Fairness

    def at(self, moment_s: float, action: Callable[[], None]) -> None: ...
    def drive(self, event: Event) -> None: ...
    def dice(self, kind: int, number: int) -> float: ...
    def clock_s(self) -> float: ...


class SimulatedPool:
    """Carries out the engine's orders. `starts`: how the next starts of each tier end."""

    def __init__(self, stage: Stage, workers: dict[int, SimulatedWorker]) -> None:
        self._stage = stage
        self.workers = workers
        self.starts: dict[tuple[str, str], list[Start]] = {}

    # --- life ------------------------------------------------------------------------------------------------------

    def spawn(self, order: SpawnWorker) -> None:
        """A process is ordered."""
        if order.worker in self.workers:
            raise Violation("a worker number was used twice")
        self._stage.conduct.started(order, self._stage.clock_s())
        worker = self.workers[order.worker] = SimulatedWorker(order=order)
        starts = self.starts.get((order.pathway, order.tier))
        start = starts.pop(0) if starts else Start()
        load_s = start.load_s
        if start.fate is LoadFate.READY:
            self._after(load_s, lambda: self._ready(worker))
        elif start.fate is LoadFate.DIES:
            self._after(load_s, lambda: self.die(worker, "exit 1"))
        elif start.fate is LoadFate.NEVER:  # the pool's own limit ends it
            self._after(_NEVER_LOADS_S, lambda: self._refuse(worker, Reason.INTERNAL_FAULT))
        else:
            self._after(load_s, lambda: self._refuse(worker, start.reason))

    def _ready(self, worker: SimulatedWorker) -> None:
        if not worker.alive or worker.killed:
            return
        worker.ready = True
        report = WorkerReport(
            pid=worker.order.worker,
            execution_provider=worker.order.execution_providers[0],
            device=f"device-of-{worker.order.worker}",
            placement_share=1.0,
            known_answer_error=0.0,
            latency_s=((1, 0.002), (4, 0.004)),
        )
        self._stage.ledger.worker_ready(worker, report)
        self._stage.drive(WorkerReady(worker=worker.order.worker, report=report))

    def _refuse(self, worker: SimulatedWorker, reason: Reason) -> None:
        if worker.alive and not worker.killed:
            worker.condemned = True
            self._stage.drive(WorkerRefused(worker=worker.order.worker, reason=reason, detail="simulated"))
            self._after(0.01, lambda: self.die(worker, "refused"))

    def die(self, worker: SimulatedWorker, detail: str) -> None:
        """The process ends; whatever it owed is never sent."""
        if worker.alive:
            worker.alive = False
            worker.slots.clear()
            self._stage.conduct.disturbed((worker.order.pathway, worker.order.tier))
            seen_s = 0.005 * self._stage.dice(_EXIT, worker.order.worker)
            self._after(seen_s, lambda: self._exit_seen(worker, detail))

    def _exit_seen(self, worker: SimulatedWorker, detail: str) -> None:
        worker.gone = True
        self._stage.drive(WorkerExited(worker=worker.order.worker, detail=detail))

    def kill(self, worker: SimulatedWorker) -> None:
        """SIGKILL; a process stuck in its driver takes its time."""
        worker.killed = True
        worker.given_up_s = self._stage.clock_s()
        ends_s = 0.002 + 0.04 * self._stage.dice(_END, worker.order.worker)
        self._after(_UNKILLABLE_S if worker.is_unkillable else ends_s, lambda: self.die(worker, "signal 9"))

    def living(self, pathway: str = "", tier: str = "") -> list[SimulatedWorker]:
        """Workers that have not ended, of one tier or of all."""
        return [
            worker
            for worker in self.workers.values()
            if worker.alive and pathway in {"", worker.order.pathway} and tier in {"", worker.order.tier}
        ]

    # --- work ------------------------------------------------------------------------------------------------------

    def dispatch(self, batch: DispatchBatch) -> None:
        """A batch is put into a slot."""
        worker = self.workers[batch.worker]
        self._occupy(worker, batch.slot, batch.sequence)
        if sum(payload.rows for payload in batch.payloads) > MAXIMUM_BATCH or not batch.payloads:
            raise Violation("a batch is empty or larger than the bundle takes")
        if batch.kind is BatchKind.LIVE:
            if worker.probes_passed < POLICY.probation_probes:
                raise Violation("a worker served before it passed its probation")
            requests = self._stage.ledger.dispatched(batch, self._stage.clock_s())
            self._stage.versions.dispatched(worker, requests)
            self._stage.fairness.dispatched(batch, requests)
        self._run(worker, batch.slot, batch.sequence, lambda: self._batch_event(worker, batch))

    def probe(self, probe: DispatchProbe) -> None:
        """A golden probe is put into a slot."""
        worker = self.workers[probe.worker]
        self._occupy(worker, probe.slot, probe.sequence)
        self._stage.conduct.probed(worker, self._stage.clock_s())
        self._run(worker, probe.slot, probe.sequence, lambda: self._probe_event(worker, probe))

    def _occupy(self, worker: SimulatedWorker, slot: int, sequence: int) -> None:
        if not worker.ready:
            raise Violation("work was sent to a worker that never reported ready")
        if worker.condemned or worker.killed:
            raise Violation("work was sent to a worker that had been given up")
        if slot in worker.slots:
            raise Violation("a slot was reused before its reply")
        if worker.alive:
            worker.slots[slot] = sequence

    def _run(self, worker: SimulatedWorker, slot: int, sequence: int, event: Callable[[], Event]) -> None:
        took_s = 0.001 + 0.005 * self._stage.dice(_RUN, sequence)
        if worker.vice is Vice.SLOW:
            took_s *= (10, 40, 100)[int(3 * self._stage.dice(_SLOWNESS, sequence))]
        worker.busy_until_s = max(worker.busy_until_s, self._stage.now_s) + took_s
        self._stage.at(worker.busy_until_s, lambda: self._reply(worker, slot, sequence, event))

    def _reply(self, worker: SimulatedWorker, slot: int, sequence: int, event: Callable[[], Event]) -> None:
        if not worker.alive:
            return
        if worker.vice is Vice.HUNG:
            self._after(_MUTE_AGAIN_S, lambda: self._reply(worker, slot, sequence, event))
            return
        if worker.slots.get(slot) == sequence:
            del worker.slots[slot]
        said = event()
        self._stage.drive(said)
        if worker.vice is Vice.REPEATS:
            self._stage.drive(said)
            stray = ProbeCompleted(worker=worker.order.worker, sequence=sequence + 1_000_000, error="", compute_s=0.0)
            self._stage.drive(stray)

    def _batch_event(self, worker: SimulatedWorker, batch: DispatchBatch) -> Event:
        number = worker.order.worker
        if worker.vice in _FAILING:
            is_sticky = worker.vice is Vice.STICKY
            return self._failure(
                worker, batch.sequence, lethal=treatment_of(worker.reason, sticky=is_sticky).ends_worker
            )
        if worker.vice is Vice.OTHER_REPLY:
            worker.condemned = True
            return ProbeCompleted(worker=number, sequence=batch.sequence, error="", compute_s=0.001)
        results = tuple(self._result(worker, payload) for payload in batch.payloads)
        if worker.vice is Vice.SHORT_REPLY:
            results = results[:-1]
        elif not worker.killed and batch.kind is BatchKind.LIVE:
            good = [payload for payload, result in zip(batch.payloads, results, strict=True) if result.outputs]
            self._stage.ledger.heard(worker, [int.from_bytes(each.tensors[0], "little") for each in good])
        return BatchCompleted(worker=number, sequence=batch.sequence, results=results, compute_s=0.001)

    def _failure(self, worker: SimulatedWorker, sequence: int, *, lethal: bool) -> Event:
        worker.condemned = worker.condemned or lethal
        return BatchFailed(
            worker=worker.order.worker,
            sequence=sequence,
            reason=worker.reason,
            detail="simulated",
            sticky=worker.vice is Vice.STICKY,
        )

    def _result(self, worker: SimulatedWorker, payload: TensorRows) -> RowsResult:
        if worker.vice is Vice.NOT_FINITE:
            return RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
        if worker.vice is Vice.POISONED:
            suits = worker.reason is Reason.INPUT_UNSUITABLE
            return RowsResult(
                outputs=None, reason=worker.reason if suits else Reason.OUTPUT_INVALID, detail="simulated"
            )
        return RowsResult(outputs={"echo": bytes(payload.tensors[0]), "worker": str(worker.order.worker).encode()})

    def _probe_event(self, worker: SimulatedWorker, probe: DispatchProbe) -> Event:
        number = worker.order.worker
        if worker.vice in _FAILING:
            return self._failure(worker, probe.sequence, lethal=True)
        if worker.vice is Vice.OTHER_REPLY:
            worker.condemned = True
            return BatchCompleted(worker=number, sequence=probe.sequence, results=(), compute_s=0.001)
        wrong = worker.vice in _LYING
        worker.condemned = worker.condemned or wrong
        worker.probes_passed += not wrong
        error = "off by 3 tolerances" if wrong else ""
        return ProbeCompleted(worker=number, sequence=probe.sequence, error=error, compute_s=0.001)

    def _after(self, delay_s: float, action: Callable[[], None]) -> None:
        self._stage.at(self._stage.now_s + delay_s, action)
