"""`ModelStreamInfer` over mutual TLS on loopback, called by generated stubs."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Event

import grpc
import pytest

from stepdown.api.oip import (
    infer_pb2,
)
from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import RequestRefused
from stepdown.domain.reasons import Reason, RejectReason
from tests.fakes.open_inference import REFUSED, echoed, grid, unanswered
from tests.fakes.open_inference_side import OpenInferenceSide, open_inference_side
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.oip.asking import sepsis_request, typed
from tests.unit.transport.oip.calling import PATIENCE_S, Telling, asked, probability


def test_a_stream_answers_in_order_and_an_error_does_not_end_it(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    requests = [
        sepsis_request(grid(80.0), id="a"),
        infer_pb2.ModelInferRequest(model_name="elsewhere", id="b"),
        typed(sepsis_request(grid(100.0), id="c")),
        sepsis_request(grid(60.0), id="d", model=f"{PATHWAY}/full"),
    ]
    responses = list(stub.ModelStreamInfer(iter(requests), timeout=PATIENCE_S))
    assert [response.infer_response.id for response in responses] == ["a", "b", "c", "d"]
    assert [bool(response.error_message) for response in responses] == [False, True, False, False]
    assert "RepositoryIndex" in responses[1].error_message
    assert probability(responses[3].infer_response) == pytest.approx(0.3)
    assert all(each.infer_response.parameters["triton_final_response"].bool_param for each in responses)
    assert side.recorded.notices == [RequestRefused(pathway="", reason=RejectReason.PATHWAY_UNKNOWN)]


def test_a_stream_says_why_nobody_answered_and_puts_a_defect_on_record(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    def answer(request: Request) -> object:
        if request.only_tier:
            return unanswered(Reason.WORKER_LOST)
        raise RuntimeError("lactate 4.1")

    side.chain.answer = answer  # type: ignore[assignment]
    requests = [
        sepsis_request(grid(80.0), model=f"{PATHWAY}/full"),
        sepsis_request(grid(80.0)),
        infer_pb2.ModelInferRequest(model_name=REFUSED),
        infer_pb2.ModelInferRequest(model_name=PATHWAY),
    ]
    texts = [each.error_message for each in stub.ModelStreamInfer(iter(requests), timeout=PATIENCE_S)]
    assert "WORKER_LOST" in texts[0]
    assert ("incident-1" in texts[1], "lactate" in texts[1]) == (True, False)
    assert "SIGNATURE_INVALID" in texts[2]
    assert texts[3] == "inputs: send observations as well."
    assert [type(error) for error in side.recorded.incidents] == [RuntimeError]
    assert side.recorded.notices == [RequestRefused(pathway=PATHWAY, reason=RejectReason.TENSOR_INVALID)]


def test_a_request_of_a_long_stream_has_the_budget_and_not_the_streams_deadline(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    before_s = side.chain.now_s()
    list(stub.ModelStreamInfer(iter([sepsis_request(grid(80.0))]), timeout=PATIENCE_S))
    assert asked(side).deadline_s - before_s < 3.0


def test_a_drain_answers_what_a_stream_asked_and_then_ends_it() -> None:
    sent: SimpleQueue[infer_pb2.ModelInferRequest | None] = SimpleQueue()
    submitted = Event()

    def keep(_: Request) -> None:
        submitted.set()

    with ThreadPoolExecutor(1) as elsewhere, ExitStack() as server:
        side = server.enter_context(open_inference_side())
        side.chain.answer = keep
        channel = side.grpc_side.channel()
        side.grpc_side.channels.clear()  # this client does not leave because the server drains
        stub = GRPCInferenceServiceStub(channel)
        call = stub.ModelStreamInfer(iter(sent.get, None), timeout=PATIENCE_S)
        sent.put(sepsis_request(grid(80.0), id="a"))
        assert submitted.wait(PATIENCE_S)
        drained = elsewhere.submit(server.close)
        side.chain.release(asked(side), echoed(asked(side)))
        assert next(call).infer_response.id == "a"
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "SERVER_DRAINING" in (caught.value.details() or "")
        drained.result(PATIENCE_S)
        sent.put(None)
        channel.close()


def test_a_drain_waits_for_each_answer_of_a_stream_and_not_for_the_stream(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    side.chain.answer = lambda _: None
    side.chain.submitted = submitted = Telling()  # type: ignore[assignment]
    sent: SimpleQueue[infer_pb2.ModelInferRequest | None] = SimpleQueue()
    call = stub.ModelStreamInfer(iter(sent.get, None), timeout=PATIENCE_S)
    sent.put(sepsis_request(grid(80.0)))
    assert submitted.told.wait(PATIENCE_S)
    assert side.in_flight.wait_until_idle(0.0) == 1
    side.chain.release(asked(side), echoed(asked(side)))
    assert not next(call).error_message
    assert side.in_flight.wait_until_idle(PATIENCE_S) == 0
    sent.put(infer_pb2.ModelInferRequest(model_name="elsewhere"))
    assert next(call).error_message
    assert side.in_flight.wait_until_idle(PATIENCE_S) == 0
    sent.put(None)
    assert list(call) == []


def test_a_client_that_leaves_its_stream_is_withdrawn_from_the_chain(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    side.chain.answer = lambda _: None
    side.chain.submitted, side.chain.cancelled = submitted, cancelled = Telling(), Telling()  # type: ignore[assignment]
    request = sepsis_request(grid(80.0))
    request.parameters["timeout"].int64_param = int(2 * PATIENCE_S * 1e6)
    call = stub.ModelStreamInfer(iter([request]), timeout=2 * PATIENCE_S)
    assert submitted.told.wait(PATIENCE_S)
    call.cancel()
    assert cancelled.told.wait(PATIENCE_S)
    assert cancelled == [asked(side)]
    assert side.recorded.incidents == []
