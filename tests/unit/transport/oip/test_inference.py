"""`ModelInfer` over mutual TLS on loopback, called by generated stubs."""

import grpc
import pytest

from stepdown.api.oip import (
    infer_pb2,
)
from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Urgency
from tests.fakes.open_inference import REFUSED, WORDS, echoed, grid, unanswered
from tests.fakes.open_inference_side import OpenInferenceSide
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.oip.asking import echo_request, sepsis_request
from tests.unit.transport.oip.calling import PATIENCE_S, Telling, asked, ended, probability


def infer(
    stub: GRPCInferenceServiceStub, request: infer_pb2.ModelInferRequest, timeout_s: float = PATIENCE_S
) -> infer_pb2.ModelInferResponse:
    return stub.ModelInfer(request, timeout=timeout_s)


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
    side.chain.answer = lambda _: None
    side.chain.submitted, side.chain.cancelled = submitted, cancelled = Telling(), Telling()  # type: ignore[assignment]
    call = stub.ModelInfer.future(sepsis_request(grid(80.0)), timeout=PATIENCE_S)
    assert submitted.told.wait(PATIENCE_S)
    call.cancel()
    assert cancelled.told.wait(PATIENCE_S)
    assert cancelled == [asked(side)]


def test_a_chain_that_breaks_its_promise_is_our_defect_and_is_not_waited_for(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    side.chain.answer = lambda _: None
    request = sepsis_request(grid(80.0))
    request.parameters["timeout"].int64_param = 10_000
    assert ended(stub.ModelInfer, request)[0] is grpc.StatusCode.INTERNAL
    assert side.chain.cancelled == [asked(side)]
