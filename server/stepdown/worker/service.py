"""The life of a worker: open the parcel, load, prove, say ready; then batch after batch until the doorbell closes.

One batch at a time, on one thread. Refuses to repair itself: after a fault it reports and goes on, and whoever owns it
decides whether it may.
"""

import gc
import os
import socket
import sys
import time
import traceback
from collections.abc import Sequence

import stepdown
from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.fault_classes import FaultClass
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.confinement import stay_out_of_swap, step_back
from stepdown.worker.faults import classify
from stepdown.worker.frames import RECEIVE_BYTES, Frame, Operation, batch_frame, json_frame, parse_frame
from stepdown.worker.known_answers import FILE as KNOWN_ANSWERS
from stepdown.worker.known_answers import parse_known_answers
from stepdown.worker.mailbox import SLOTS, Mailbox
from stepdown.worker.order import LoadOrder, order_from_json
from stepdown.worker.parcel import Parcel, open_parcel
from stepdown.worker.processors import allowed_processors
from stepdown.worker.providers import ort_name
from stepdown.worker.rehearsal import RehearsedRunner, refuse_to_load
from stepdown.worker.runner import ModelRunner
from stepdown.worker.self_test import self_test
from stepdown.worker.session import SessionPlan, compiled_in, open_session, runtime_description
from stepdown.worker.survey import device_label

_REFUSED = 3
_HOSTILE_ORDER = 4
_DETAIL_CHARACTERS = 500


def serve(doorbell: socket.socket, parcel_descriptor: int, mailbox_descriptor: int) -> int:
    """Load what the parcel orders and serve the doorbell until it closes. The exit code: 0, or 3 when refused.

    4: it was told to rehearse a fault although its order permits none, so whoever told it is not its server.

    Closes both descriptors, which are of no use once their memory is mapped.
    """
    try:
        parcel = _read(parcel_descriptor)
        order = order_from_json(parcel.order)
        step_back(cores=order.resources.cores, niceness=order.resources.niceness)
        if order.stays_out_of_swap and not stay_out_of_swap():
            sys.stderr.write("the model is encrypted at rest, and this machine may swap it: raise RLIMIT_MEMLOCK\n")
        mailbox = _mapped(mailbox_descriptor, order)
    except Exception as error:  # noqa: BLE001 - whatever it is, the pool must learn it, or it would wait for nothing
        doorbell.send(_refusal(error))
        return _REFUSED
    # One provider is opened per process: after a failed attempt nobody knows what the driver left behind.
    provider = _first_compiled_in(order.providers)
    try:
        runner, ready = _loaded(order, provider, parcel, mailbox)
    except Exception as error:  # noqa: BLE001
        doorbell.send(_refusal(error, provider=provider))
        return _REFUSED
    doorbell.send(ready)
    if not order.external_data:
        # The session has its own copy of the graph. Weights in files of their own it may use where they lie.
        del parcel
    # What was made so far lives as long as the process: the collector need not look at it again.
    gc.freeze()
    return _serve_batches(doorbell, mailbox, runner)


def _read(descriptor: int) -> Parcel:
    try:
        return open_parcel(descriptor)
    finally:
        os.close(descriptor)


def _mapped(descriptor: int, order: LoadOrder) -> Mailbox:
    try:
        return Mailbox(descriptor, order.layout())
    finally:
        os.close(descriptor)


def _first_compiled_in(providers: Sequence[ExecutionProvider]) -> ExecutionProvider:
    """The first provider this build holds, or the last of them if it holds none."""
    offered = compiled_in()
    return next((provider for provider in providers if ort_name(provider) in offered), providers[-1])


def _loaded(
    order: LoadOrder, provider: ExecutionProvider, parcel: Parcel, mailbox: Mailbox
) -> tuple[ModelRunner, bytes]:
    """The runner, and the READY frame it earned."""
    resources, plan = order.resources, mailbox.layout
    threads = resources.threads or allowed_processors()
    refuse_to_load(order.drills, at=InjectableFault.PROVIDER_LOST)
    session = open_session(
        bytes(_file(parcel, order.model_file)),
        {name: _file(parcel, name) for name in order.external_data},
        SessionPlan(
            provider=provider,
            minimum_placement_share=order.minimum_placement_share,
            threads=threads,
            device_id=resources.device_id,
        ),
    )
    refuse_to_load(order.drills, at=InjectableFault.PLACEMENT_LOST)
    runner = (RehearsedRunner if order.drills.permitted else ModelRunner)(session, plan, provider)
    known = parse_known_answers(bytes(_file(parcel, KNOWN_ANSWERS)), inputs=plan.inputs, outputs=plan.outputs)
    names = [tensor.name for tensor in plan.outputs]
    proof = self_test(runner, known, output_names=names, warm_up_s=order.warm_up_s)
    body = {
        "release": stepdown.__version__,
        "provider": provider,
        "runtime": runtime_description(),
        "device": device_label(provider, device_id=resources.device_id, threads=threads),
        "placement_share": session.placement_share,
        "known_answer_error": proof.known_answer_error,
        "latency_s": proof.latency_s,
    }
    return runner, json_frame(Operation.READY, body)


def _file(parcel: Parcel, name: str) -> memoryview:
    if name not in parcel.files:
        raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"the parcel lacks {name}")
    return parcel.files[name]


def _refusal(error: Exception, *, provider: str = "") -> bytes:
    if isinstance(error, WorkerError):
        reason, detail = error.reason, error.detail
    else:
        fault = classify(error)
        # While it loads, a worker is given nothing but the bundle's own inputs: what they break is the model.
        reason = Reason.EXECUTION_FAILED if fault.fault_class is FaultClass.INPUT else fault.reason
        detail = fault.detail
    if reason is Reason.INTERNAL_FAULT:
        traceback.print_exception(error, file=sys.stderr)
    body = {"provider": provider, "runtime": runtime_description(), "reason": reason}
    return json_frame(Operation.REFUSED, body | {"detail": detail[:_DETAIL_CHARACTERS]})


def _serve_batches(doorbell: socket.socket, mailbox: Mailbox, runner: ModelRunner) -> int:
    received = bytearray(RECEIVE_BYTES)
    view = memoryview(received)
    while length := doorbell.recv_into(received):
        frame = parse_frame(view[:length])
        if frame.operation is Operation.DRILL:
            if not isinstance(runner, RehearsedRunner):
                sys.stderr.write("told to rehearse a fault, which this worker may not\n")
                return _HOSTILE_ORDER
            runner.rehearse(frame.body)
            continue
        try:
            answer = _answered(frame, mailbox, runner)
        except Exception as error:  # noqa: BLE001 - classified and reported; the owner decides
            fault = classify(error)
            body = {"reason": fault.reason, "detail": fault.detail, "sticky": fault.sticky}
            answer = json_frame(Operation.FAILED, body, sequence=frame.sequence, slot=frame.slot)
        doorbell.send(answer)
    return 0


def _answered(frame: Frame, mailbox: Mailbox, runner: ModelRunner) -> bytes:
    if frame.operation is not Operation.RUN or frame.slot >= SLOTS:
        raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=f"{frame.operation.name} frame for slot {frame.slot}")
    rows = frame.rows
    inputs = mailbox.request(frame.slot, sequence=frame.sequence, rows=rows, shown_rows=runner.shown_rows(rows))
    start_ns = time.perf_counter_ns()
    outputs = runner.run(inputs, rows)
    compute_ns = time.perf_counter_ns() - start_ns
    mailbox.write_reply(frame.slot, sequence=frame.sequence, rows=rows, outputs=outputs)
    return batch_frame(Operation.DONE, sequence=frame.sequence, rows=rows, slot=frame.slot, compute_ns=compute_ns)
