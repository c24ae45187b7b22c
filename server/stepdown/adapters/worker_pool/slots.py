"""The two slots of one worker: what was put in, and what each reply makes of it.

A reply is believed only if it names a slot in use with the very sequence and rows that were sent; then the outputs are
copied out, judged and turned into an event. Refuses everything else as a breach, which costs the worker its life.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stepdown.adapters.worker_pool.log import printable
from stepdown.adapters.worker_pool.preparation import Preparation
from stepdown.adapters.worker_pool.process import WorkerProcess
from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, Event, ProbeCompleted
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import Buffer
from stepdown.worker.frames import Frame, Operation
from stepdown.worker.known_answers import relative_error
from stepdown.worker.mailbox import SLOTS

_NANOSECONDS = 1e-9
_LONGEST_RUN_NS = 3_600_000_000_000
# What a worker may say of a run; the other reasons are the server's to give.
_RUN_REASONS = frozenset(
    {Reason.EXECUTION_FAILED, Reason.INPUT_UNSUITABLE, Reason.OUT_OF_MEMORY, Reason.INTERNAL_FAULT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a slot holds. `case` is the known answer asked for, None for a batch of requests."""

    sequence: int
    rows: int
    counts: tuple[int, ...]
    case: int | None = None


class Slots:
    """Written by whoever dispatches, emptied by the reader. A slot is used by one of them at a time."""

    def __init__(self, worker: int, prepared: Preparation, process: WorkerProcess) -> None:
        """Both slots of a worker that has just become ready."""
        self._worker = worker
        self._prepared = prepared
        self._process = process
        self._sent: list[Sent | None] = [None] * SLOTS

    @property
    def in_use(self) -> bool:
        """Whether a reply is owed."""
        return any(sent is not None for sent in self._sent)

    def put_batch(self, batch: DispatchBatch) -> None:
        """Copy a batch in and announce it. Raises: WorkerError when it does not fit, or nobody reads any more."""
        counts = tuple(payload.rows for payload in batch.payloads)
        if min(counts, default=0) < 1:
            raise _breach("a batch with a request of no rows")
        tensors = list(zip(*(payload.tensors for payload in batch.payloads), strict=True))
        self._put(batch.slot, Sent(sequence=batch.sequence, rows=sum(counts), counts=counts), tensors)

    def put_probe(self, probe: DispatchProbe) -> None:
        """Send the input of a known answer. Raises: WorkerError as `put_batch`."""
        known = self._prepared.known
        case = probe.case % known.cases
        tensors = [(array[case : case + 1].tobytes(),) for array in known.inputs]
        self._put(probe.slot, Sent(sequence=probe.sequence, rows=1, counts=(1,), case=case), tensors)

    def land(self, frame: Frame) -> Event:
        """The event behind a DONE or FAILED frame. Raises: WorkerError when it answers nothing that was asked."""
        sent = self._sent[frame.slot] if frame.slot < SLOTS else None
        if sent is None or sent.sequence != frame.sequence:
            raise _breach(f"reply to sequence {frame.sequence} in slot {frame.slot}, which was not asked")
        if frame.operation is Operation.FAILED:
            event: Event = self._failed(frame)
        else:
            event = self._done(frame, sent)
        self._sent[frame.slot] = None
        return event

    def give_up(self, *, reason: Reason, detail: str) -> list[Event]:
        """Every reply still owed, as a failure of the whole process."""
        owed = [sent for sent in self._sent if sent is not None]
        self._sent = [None] * SLOTS
        return [
            BatchFailed(worker=self._worker, sequence=sent.sequence, reason=reason, detail=detail, sticky=True)
            for sent in owed
        ]

    def _put(self, slot: int, sent: Sent, tensors: Sequence[Sequence[Buffer]]) -> None:
        self._process.mailbox.write_request(slot, sequence=sent.sequence, rows=sent.rows, tensors=tensors)
        self._sent[slot] = sent
        if not self._process.ring(sequence=sent.sequence, rows=sent.rows, slot=slot):
            self._sent[slot] = None
            raise WorkerError(reason=Reason.WORKER_LOST, detail="the worker no longer reads its doorbell")

    def _done(self, frame: Frame, sent: Sent) -> Event:
        if frame.rows != sent.rows:
            raise _breach(f"reply with {frame.rows} rows to a batch of {sent.rows}")
        if frame.compute_ns > _LONGEST_RUN_NS:
            raise _breach(f"a run of {frame.compute_ns} ns")
        outputs = self._process.mailbox.reply(frame.slot, sequence=sent.sequence, rows=sent.rows)
        compute_s = frame.compute_ns * _NANOSECONDS
        if sent.case is not None:
            error = self._known_answer_error(outputs, sent.case)
            return ProbeCompleted(worker=self._worker, sequence=sent.sequence, error=error, compute_s=compute_s)
        results = self._prepared.validator.results(outputs, sent.counts)
        return BatchCompleted(worker=self._worker, sequence=sent.sequence, results=results, compute_s=compute_s)

    def _known_answer_error(self, outputs: Sequence[bytes], case: int) -> str:
        known = self._prepared.known
        for tensor, raw, expected, tolerance in zip(
            self._prepared.layout.outputs, outputs, known.outputs, known.tolerances, strict=True
        ):
            actual = np.frombuffer(raw, tensor.dtype).reshape(1, *tensor.row_shape)
            error = relative_error(expected[case : case + 1], actual, tolerance=tolerance)
            if not error <= 1:
                return f"known answer {case}: output {tensor.name} is {error:.3g} times its tolerance off"
        return ""

    def _failed(self, frame: Frame) -> BatchFailed:
        reason, detail, sticky = (frame.body.get(key) for key in ("reason", "detail", "sticky"))
        if (
            not isinstance(reason, str)
            or reason not in _RUN_REASONS
            or not isinstance(detail, str)
            or not isinstance(sticky, bool)
        ):
            raise _breach("FAILED frame of another form")
        return BatchFailed(
            worker=self._worker,
            sequence=frame.sequence,
            reason=Reason(reason),
            detail=printable(detail),
            sticky=sticky,
        )


def _breach(detail: str) -> WorkerError:
    return WorkerError(reason=Reason.INTERNAL_FAULT, detail=detail)
