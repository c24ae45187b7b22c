"""The twenty methods over mutual TLS on loopback, called by generated stubs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Event

import grpc
import numpy as np
import pytest
from google.protobuf.message import Message

from stepdown.api.oip import (
    infer_pb2,
    metadata_pb2,
    model_configuration_pb2,
    open_inference_pb2,
    repository_pb2,
    settings_pb2,
    shared_memory_pb2,
    statistics_pb2,
)
from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import RequestRefused
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability, Urgency
from stepdown.transport.oip.refusals import RefusedMethods
from tests.fakes.open_inference import ECHO, REFUSED, WORDS, echoed, grid, unanswered
from tests.fakes.open_inference_side import OpenInferenceSide, all_serving, open_inference_side
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status
from tests.unit.transport.oip.asking import echo_request, sepsis_request, typed

PATIENCE_S = 10.0
REFUSED_METHODS = {
    "RepositoryModelLoad": (repository_pb2.RepositoryModelLoadRequest(model_name="m"), "activated by the operator"),
    "RepositoryModelUnload": (repository_pb2.RepositoryModelUnloadRequest(), "activated by the operator"),
    "SystemSharedMemoryStatus": (shared_memory_pb2.SystemSharedMemoryStatusRequest(), "No memory is shared"),
    "SystemSharedMemoryRegister": (shared_memory_pb2.SystemSharedMemoryRegisterRequest(), "No memory is shared"),
    "SystemSharedMemoryUnregister": (shared_memory_pb2.SystemSharedMemoryUnregisterRequest(), "No memory is shared"),
    "CudaSharedMemoryStatus": (shared_memory_pb2.CudaSharedMemoryStatusRequest(), "No memory is shared"),
    "CudaSharedMemoryRegister": (shared_memory_pb2.CudaSharedMemoryRegisterRequest(), "No memory is shared"),
    "CudaSharedMemoryUnregister": (shared_memory_pb2.CudaSharedMemoryUnregisterRequest(), "No memory is shared"),
    "TraceSetting": (settings_pb2.TraceSettingRequest(), "not traced"),
    "LogSettings": (settings_pb2.LogSettingsRequest(), "configuration file"),
}


@pytest.fixture(scope="module")
def serving() -> Iterator[OpenInferenceSide]:
    with open_inference_side() as side:
        yield side


@pytest.fixture
def side(serving: OpenInferenceSide) -> OpenInferenceSide:
    """The one server of this module, as it was at its start."""
    serving.chain.answer = echoed
    serving.chain.move(*all_serving())
    serving.chain.submitted.clear()
    serving.chain.cancelled.clear()
    serving.recorded.notices.clear()
    serving.recorded.incidents.clear()
    return serving


@pytest.fixture
def stub(side: OpenInferenceSide) -> GRPCInferenceServiceStub:
    return GRPCInferenceServiceStub(side.grpc_side.assessor)


def infer(
    stub: GRPCInferenceServiceStub, request: infer_pb2.ModelInferRequest, timeout_s: float = PATIENCE_S
) -> infer_pb2.ModelInferResponse:
    return stub.ModelInfer(request, timeout=timeout_s)


def ended(call: object, request: Message) -> tuple[grpc.StatusCode | None, str]:
    """How a call that fails is ended."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=PATIENCE_S)  # type: ignore[operator]
    return caught.value.code(), caught.value.details() or ""


def asked(side: OpenInferenceSide) -> Request:
    ((request,),) = side.chain.submitted
    return request


def probability(response: infer_pb2.ModelInferResponse) -> float:
    return float(np.frombuffer(response.raw_output_contents[0], "<f4")[0])


def test_the_whole_chain_answers_a_grid(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    response = infer(stub, sepsis_request(grid(80.0), id="call-7"))
    assert response.id == "call-7"
    assert probability(response) == pytest.approx(0.4)
    assert response.parameters["tier"].string_param == "full"
    assert (asked(side).pathway, asked(side).only_tier, asked(side).rules_in_hand) == (PATHWAY, "", False)


def test_one_tier_can_be_addressed(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    response = infer(stub, sepsis_request(grid(80.0), model=f"{PATHWAY}/distilled"))
    assert response.parameters["tier"].string_param == "distilled"
    assert asked(side).only_tier == "distilled"


def test_every_datatype_comes_back_bit_for_bit(stub: GRPCInferenceServiceStub, side: OpenInferenceSide) -> None:
    del side
    request = echo_request(rows=4)
    assert list(infer(stub, request).raw_output_contents) == list(request.raw_input_contents)


def test_what_the_request_says_reaches_the_chain(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    request = sepsis_request(grid(80.0))
    request.parameters["priority"].uint64_param = 1
    request.parameters["minimum_tier"].string_param = "distilled"
    infer(stub, request)
    assert (asked(side).urgency, asked(side).minimum_tier) == (Urgency.EMERGENCY, "distilled")


@pytest.mark.parametrize(
    ("timeout_us", "grpc_timeout_s", "expected_s"),
    [(None, None, 2.0), (None, 5.0, 5.0), (300_000, 5.0, 0.3), (9_000_000, 5.0, 5.0), (7_000_000, None, 7.0)],
)
def test_the_deadline_is_the_callers_or_the_budget(
    side: OpenInferenceSide,
    stub: GRPCInferenceServiceStub,
    timeout_us: int | None,
    grpc_timeout_s: float | None,
    expected_s: float,
) -> None:
    request = sepsis_request(grid(80.0))
    if timeout_us is not None:
        request.parameters["timeout"].int64_param = timeout_us
    before_s = side.chain.now_s()
    stub.ModelInfer(request, timeout=grpc_timeout_s)
    assert expected_s - 0.5 < asked(side).deadline_s - before_s < expected_s + 0.5


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.WORKER_LOST, grpc.StatusCode.UNAVAILABLE),
        (Reason.DEADLINE_TOO_SHORT, grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_no_answer_is_an_error_with_the_reason(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub, reason: Reason, code: grpc.StatusCode
) -> None:
    side.chain.answer = lambda _: unanswered(reason)
    assert ended(stub.ModelInfer, sepsis_request(grid(80.0)))[0] is code


def test_no_answer_of_an_accepted_tier_is_an_unmet_precondition(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    side.chain.answer = lambda _: unanswered(Reason.WORKER_LOST)
    request = sepsis_request(grid(80.0))
    request.parameters["minimum_tier"].string_param = "full"
    code, text = ended(stub.ModelInfer, request)
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "full" in text


@pytest.mark.parametrize("model", [REFUSED, f"{REFUSED}/main"])
def test_a_refused_bundle_is_named_as_the_reason(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub, model: str
) -> None:
    code, text = ended(stub.ModelInfer, infer_pb2.ModelInferRequest(model_name=model))
    assert (code, "SIGNATURE_INVALID" in text) == (grpc.StatusCode.UNAVAILABLE, True)
    assert side.chain.submitted == []


@pytest.mark.parametrize(("model", "named"), [(f"{PATHWAY}/rules", "AssessRisk"), (WORDS, "BYTES")])
def test_what_takes_no_tensors_says_what_to_do_instead(stub: GRPCInferenceServiceStub, model: str, named: str) -> None:
    code, text = ended(stub.ModelInfer, infer_pb2.ModelInferRequest(model_name=model))
    assert (code, named in text) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_a_bad_request_names_field_and_remedy(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    request = sepsis_request(grid(80.0))
    request.inputs[0].datatype = "FP64"
    assert ended(stub.ModelInfer, request) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "inputs[0].datatype: send observations as FP32.",
    )
    assert side.chain.submitted == []


def test_an_unknown_model_or_version_is_not_found(stub: GRPCInferenceServiceStub) -> None:
    for request in (
        infer_pb2.ModelInferRequest(model_name="elsewhere"),
        infer_pb2.ModelInferRequest(model_name=f"{PATHWAY}/full", model_version="9"),
    ):
        assert ended(stub.ModelInfer, request)[0] is grpc.StatusCode.NOT_FOUND


def test_an_output_that_is_not_as_declared_is_our_defect_and_says_no_more(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    def crooked(request: Request) -> object:
        outcome = echoed(request)
        assert outcome.result is not None
        object.__setattr__(outcome.result, "outputs", {"probability": b"", "input_checks": b""})
        return outcome

    side.chain.answer = crooked  # type: ignore[assignment]
    code, text = ended(stub.ModelInfer, sepsis_request(grid(80.0)))
    assert (code, "bytes" in text) == (grpc.StatusCode.INTERNAL, False)


def test_a_caller_that_leaves_is_withdrawn_from_the_chain(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    submitted, cancelled = Event(), Event()

    def keep(_: Request) -> None:
        submitted.set()

    side.chain.answer = keep
    side.chain.cancelled = _Telling(cancelled)
    call = stub.ModelInfer.future(sepsis_request(grid(80.0)), timeout=PATIENCE_S)
    assert submitted.wait(PATIENCE_S)
    call.cancel()
    assert cancelled.wait(PATIENCE_S)
    assert side.chain.cancelled == [asked(side)]


class _Telling(list[Request]):
    """A list that says when something was put into it."""

    def __init__(self, told: Event) -> None:
        super().__init__()
        self._told = told

    def append(self, request: Request) -> None:
        super().append(request)
        self._told.set()


def test_a_chain_that_breaks_its_promise_is_our_defect_and_is_not_waited_for(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    side.chain.answer = lambda _: None
    request = sepsis_request(grid(80.0))
    request.parameters["timeout"].int64_param = 10_000
    assert ended(stub.ModelInfer, request)[0] is grpc.StatusCode.INTERNAL
    assert side.chain.cancelled == [asked(side)]


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
        drained.result(PATIENCE_S)
        sent.put(None)
        channel.close()


def test_live_and_ready(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert stub.ServerReady(metadata_pb2.ServerReadyRequest()).ready
    side.chain.move(pathway_status(), pathway_status(name=ECHO, capability=Capability.NONE))
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert not stub.ServerReady(metadata_pb2.ServerReadyRequest()).ready


def test_a_model_is_ready_while_a_tier_of_it_serves(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    def ready(name: str, version: str = "") -> bool:
        return stub.ModelReady(metadata_pb2.ModelReadyRequest(name=name, version=version)).ready

    assert ready(PATHWAY)
    assert ready(f"{PATHWAY}/full", "1.0.0")
    assert not ready(f"{PATHWAY}/full", "2")
    assert not ready("elsewhere")
    assert not ready(REFUSED)
    down = pathway_status(suspended_tier(), suspended_tier(name="distilled"), tier_status(name="rules"))
    side.chain.move(down)
    assert not ready(PATHWAY)
    assert not ready(f"{PATHWAY}/full")
    assert ready(f"{PATHWAY}/rules")


def test_the_server_describes_itself_and_its_models(stub: GRPCInferenceServiceStub) -> None:
    server = stub.ServerMetadata(metadata_pb2.ServerMetadataRequest())
    assert (server.name, "statistics" in server.extensions) == ("stepdown", True)
    metadata = stub.ModelMetadata(metadata_pb2.ModelMetadataRequest(name=PATHWAY))
    assert [each.name for each in metadata.inputs] == ["observations"]
    config = stub.ModelConfig(model_configuration_pb2.ModelConfigRequest(name=f"{ECHO}/main")).config
    assert (config.name, config.max_batch_size) == (f"{ECHO}/main", 4)
    for call, request in (
        (stub.ModelMetadata, metadata_pb2.ModelMetadataRequest(name="elsewhere")),
        (stub.ModelConfig, model_configuration_pb2.ModelConfigRequest(name="elsewhere")),
        (stub.ModelStatistics, statistics_pb2.ModelStatisticsRequest(name="elsewhere")),
    ):
        assert ended(call, request)[0] is grpc.StatusCode.NOT_FOUND


def test_statistics_of_one_model_or_of_all(stub: GRPCInferenceServiceStub) -> None:
    one = stub.ModelStatistics(statistics_pb2.ModelStatisticsRequest(name=PATHWAY)).model_stats
    assert [(each.name, each.inference_count) for each in one] == [(PATHWAY, 3)]
    everything = stub.ModelStatistics(statistics_pb2.ModelStatisticsRequest()).model_stats
    assert len(everything) == 10


def test_the_index_lists_every_model_or_only_those_that_are_ready(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    index = {each.name: each for each in stub.RepositoryIndex(repository_pb2.RepositoryIndexRequest()).models}
    assert len(index) == 10
    assert (index[REFUSED].state, index[PATHWAY].state) == ("UNAVAILABLE", "READY")
    side.chain.move(*all_serving()[1:])
    ready = stub.RepositoryIndex(repository_pb2.RepositoryIndexRequest(ready=True)).models
    assert {each.name for each in ready} == {ECHO, f"{ECHO}/main"}
    named = repository_pb2.RepositoryIndexRequest(repository_name="models")
    assert ended(stub.RepositoryIndex, named)[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", REFUSED_METHODS)
def test_what_is_not_offered_is_refused_with_its_reason(side: OpenInferenceSide, method: str) -> None:
    request, reason = REFUSED_METHODS[method]
    stub = GRPCInferenceServiceStub(side.grpc_side.operator)
    code, text = ended(getattr(stub, method), request)
    assert (code, reason in text) == (grpc.StatusCode.UNIMPLEMENTED, True)


def test_every_method_of_the_protocol_is_answered_or_refused_by_name() -> None:
    methods = {each.name for each in open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods}
    assert {name for name in vars(RefusedMethods) if name[0].isupper()} == set(REFUSED_METHODS)
    assert len(methods) == 20


def test_a_viewer_may_look_and_not_infer(side: OpenInferenceSide) -> None:
    stub = GRPCInferenceServiceStub(side.grpc_side.channel("viewer"))
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert ended(stub.ModelInfer, sepsis_request(grid(80.0)))[0] is grpc.StatusCode.PERMISSION_DENIED
