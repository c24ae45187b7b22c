"""A worker pool without processes: the same port, the same judgement of outputs, and no thread.

Whatever happens is kept until the test calls `deliver`, which stands for the pool's own thread.
"""

from collections.abc import Mapping

import numpy as np

from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.preparation import Preparation, prepare
from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    Event,
    ProbeCompleted,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider
from stepdown.ports import EventSink
from stepdown.worker.known_answers import relative_error
from tests.fakes.bundles import ECHO, Arrays, Compute

_COMPUTE_S = 0.001


class FakeWorkerPool:
    """Meets `ports.WorkerPool`. Every worker computes `compute`; `silent` ones never answer."""

    def __init__(
        self,
        sink: EventSink,
        *,
        compute: Compute = ECHO.compute,
        usable: tuple[ExecutionProvider, ...] = (ExecutionProvider.CPU,),
    ) -> None:
        self.silent: set[int] = set()
        self._sink = sink
        self._compute = compute
        self._usable = usable
        self._workers: dict[int, Preparation] = {}
        self._events: list[Event] = []
        self._closed = False

    def deliver(self) -> None:
        """Pass on what has happened since the last time, in one call."""
        events, self._events = self._events, []
        if events:
            self._sink(events)

    def die(self, worker: int, detail: str) -> None:
        """The process ends by itself."""
        if self._workers.pop(worker, None) is not None:
            self._events.append(WorkerExited(worker=worker, detail=detail))

    def spawn(self, order: SpawnWorker) -> None:
        if order.worker in self._workers:
            raise ValueError(f"worker {order.worker} exists already")
        if self._closed:
            return
        try:
            report = self._proven(order)
        except WorkerError as error:
            self._events += [
                WorkerRefused(worker=order.worker, reason=error.reason, detail=error.detail),
                WorkerExited(worker=order.worker, detail="refused"),
            ]
        else:
            self._workers[order.worker] = prepare(order, WorkerPoolOptions())
            self._events.append(WorkerReady(worker=order.worker, report=report))

    def kill(self, order: KillWorker) -> None:
        # What an unfinished worker would still have said is lost with it.
        if order.worker in self._workers:
            self._events = [event for event in self._events if getattr(event, "worker", None) != order.worker]
        self.die(order.worker, order.detail)

    def dispatch(self, batch: DispatchBatch) -> None:
        prepared = self._workers.get(batch.worker)
        if prepared is None or batch.worker in self.silent:
            return
        try:
            outputs = self._run(prepared, self._arrays(prepared, batch))
        except WorkerError as error:
            failed = BatchFailed(
                worker=batch.worker, sequence=batch.sequence, reason=error.reason, detail=error.detail, sticky=False
            )
            self._events.append(failed)
            return
        counts = tuple(payload.rows for payload in batch.payloads)
        raw = [outputs[tensor.name].tobytes() for tensor in prepared.layout.outputs]
        results = prepared.validator.results(raw, counts)
        self._events.append(
            BatchCompleted(worker=batch.worker, sequence=batch.sequence, results=results, compute_s=_COMPUTE_S)
        )

    def probe(self, probe: DispatchProbe) -> None:
        prepared = self._workers.get(probe.worker)
        if prepared is None or probe.worker in self.silent:
            return
        known = prepared.known
        case = probe.case % known.cases
        names = [tensor.name for tensor in prepared.layout.inputs]
        inputs = {name: array[case : case + 1] for name, array in zip(names, known.inputs, strict=True)}
        error = self._error(prepared, self._run(prepared, inputs), slice(case, case + 1))
        self._events.append(
            ProbeCompleted(
                worker=probe.worker,
                sequence=probe.sequence,
                error="" if error <= 1 else f"known answer {case}: {error:g} times its tolerance off",
                compute_s=_COMPUTE_S,
            )
        )

    def close(self) -> None:
        self._closed = True
        for worker in tuple(self._workers):
            self.die(worker, "the server is closing")

    def _proven(self, order: SpawnWorker) -> WorkerReport:
        provider = next((provider for provider in order.execution_providers if provider in self._usable), None)
        if provider is None:
            raise WorkerError(reason=Reason.PROVIDER_UNAVAILABLE, detail="none of the providers is here")
        prepared = prepare(order, WorkerPoolOptions())
        names = [tensor.name for tensor in prepared.layout.inputs]
        outputs = self._run(prepared, dict(zip(names, prepared.known.inputs, strict=True)))
        error = self._error(prepared, outputs, slice(None))
        if error > 1:
            raise WorkerError(reason=Reason.KNOWN_ANSWER_MISMATCH, detail=f"{error:g} times its tolerance off")
        return WorkerReport(
            pid=order.worker,
            execution_provider=provider,
            device="no device",
            placement_share=1.0,
            known_answer_error=error,
            latency_s=((1, _COMPUTE_S),),
        )

    @staticmethod
    def _error(prepared: Preparation, outputs: Arrays, cases: slice) -> float:
        known = prepared.known
        expected = zip(prepared.layout.outputs, known.outputs, known.tolerances, strict=True)
        return max(
            relative_error(array[cases], outputs[tensor.name], tolerance=tolerance)
            for tensor, array, tolerance in expected
        )

    def _run(self, prepared: Preparation, inputs: Mapping[str, np.ndarray]) -> Arrays:
        outputs = self._compute(inputs)
        return {tensor.name: np.ascontiguousarray(outputs[tensor.name]) for tensor in prepared.layout.outputs}

    @staticmethod
    def _arrays(prepared: Preparation, batch: DispatchBatch) -> Arrays:
        rows = sum(payload.rows for payload in batch.payloads)
        arrays = {}
        for index, tensor in enumerate(prepared.layout.inputs):
            joined = b"".join(payload.tensors[index] for payload in batch.payloads)
            if not 1 <= rows <= prepared.layout.maximum_rows or len(joined) != rows * tensor.row_bytes:
                raise WorkerError(reason=Reason.INTERNAL_FAULT, detail="does not fit")
            arrays[tensor.name] = np.frombuffer(joined, tensor.dtype).reshape(rows, *tensor.row_shape)
        return arrays
