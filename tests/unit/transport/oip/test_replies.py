"""The answer: its tensors in the form asked for, who gave it, and why nobody better did."""

import json

import numpy as np
import pytest

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.transport.oip.replies import encode
from tests.fakes.open_inference import DATATYPES, answered_by, echoed, grid, unanswered
from tests.fakes.statuses import PATHWAY, degradation, tier_identity
from tests.unit.transport.oip.asking import columns, decoded, echo_request, sepsis_request, typed


def put(request: pb.ModelInferRequest) -> Request:
    """The question that the chain is asked."""
    inference = decoded(request)
    return Request(
        pathway=inference.model.pathway,
        payload=inference.payload,
        deadline_s=0.0,
        reply_to=None,
        only_tier=inference.model.tier,
    )


def answer_to(request: pb.ModelInferRequest, outcome: Outcome | None = None) -> pb.ModelInferResponse:
    return encode(decoded(request), outcome or echoed(put(request)))


def told(response: pb.ModelInferResponse) -> dict[str, str]:
    return {name: each.string_param for name, each in response.parameters.items() if each.HasField("string_param")}


def test_raw_is_answered_raw_and_the_shape_says_the_rows() -> None:
    response = answer_to(sepsis_request(grid(80.0, 100.0)))
    assert [(each.name, each.datatype, list(each.shape)) for each in response.outputs] == [
        ("probability", "FP32", [2, 1]),
        ("input_checks", "FP32", [2, 5]),
    ]
    assert np.frombuffer(response.raw_output_contents[0], "<f4").tolist() == pytest.approx([0.4, 0.5])
    assert not any(each.HasField("contents") for each in response.outputs)


def test_typed_is_answered_typed() -> None:
    response = answer_to(typed(sepsis_request(grid(80.0))))
    assert response.outputs[0].contents.fp32_contents[:] == pytest.approx([0.4])
    assert len(response.raw_output_contents) == 0


def test_one_output_without_a_typed_form_makes_all_of_them_raw() -> None:
    request = echo_request(rows=1)
    index = DATATYPES.index("FP16")
    with_raw = answer_to(request)
    assert with_raw.raw_output_contents[index] == columns("FP16", rows=1).tobytes()
    inference = decoded(request)
    object.__setattr__(inference, "typed", True)  # no typed request can hold FP16, so say so of a raw one
    assert len(encode(inference, echoed(put(request))).raw_output_contents) == len(DATATYPES)


def test_only_the_outputs_asked_for_are_given_in_the_order_asked() -> None:
    request = echo_request(rows=1)
    request.outputs.add(name="out_INT64")
    request.outputs.add(name="out_BOOL")
    response = answer_to(request)
    assert [each.name for each in response.outputs] == ["out_INT64", "out_BOOL"]
    assert list(response.raw_output_contents) == [columns("INT64", rows=1).tobytes(), columns("BOOL", rows=1).tobytes()]


def test_the_answer_bears_the_id_the_name_and_the_version_that_were_addressed() -> None:
    request = sepsis_request(grid(80.0), model=f"{PATHWAY}/full", id="call-7")
    response = answer_to(request)
    assert (response.id, response.model_name, response.model_version) == ("call-7", f"{PATHWAY}/full", "1.0.0")
    assert answer_to(sepsis_request(grid(80.0))).model_version == ""


def test_a_tier_gives_all_its_outputs() -> None:
    response = answer_to(sepsis_request(grid(80.0), model=f"{PATHWAY}/distilled"))
    assert {each.name for each in response.outputs} == {"probability", "contributions", "input_checks"}


def test_who_answered_stands_in_the_parameters() -> None:
    response = answer_to(sepsis_request(grid(80.0)))
    assert told(response) == {
        "pathway": PATHWAY,
        "tier": "full",
        "execution_provider": "CPU",
        "device": "AMD EPYC",
        "bundle": "sepsis-full",
        "bundle_version": "1.0.0",
        "digest": "sha256:" + "ab" * 32,
        "signer": "demo-signer",
        "reasons": "",
        "degradations": "[]",
    }
    assert response.parameters["degraded"].bool_param is False


def test_why_nobody_better_answered_stands_in_the_parameters() -> None:
    request = sepsis_request(grid(80.0))
    step = degradation("full", Reason.WORKER_LOST, "signal 9")
    response = answer_to(request, answered_by(put(request), "distilled", step))
    assert told(response)["tier"] == "distilled"
    assert told(response)["reasons"] == "WORKER_LOST"
    assert json.loads(told(response)["degradations"]) == [
        {"tier": "full", "reason": "WORKER_LOST", "detail": "signal 9"}
    ]
    assert response.parameters["degraded"].bool_param is True


def test_no_answer_is_an_error_and_never_an_empty_success() -> None:
    request = sepsis_request(grid(80.0))
    with pytest.raises(NoAnswerError) as caught:
        answer_to(request, unanswered(Reason.QUEUE_FULL, "64 rows wait"))
    assert caught.value.reason is Reason.QUEUE_FULL
    by_rules = Outcome(answered_by=tier_identity("rules"), result=None, degradations=(), attempts=())
    with pytest.raises(NoAnswerError) as caught:
        answer_to(request, by_rules)
    assert caught.value.reason is Reason.INTERNAL_FAULT


@pytest.mark.parametrize("change", [-4, 4])
def test_an_output_of_another_size_than_declared_is_not_passed_on(change: int) -> None:
    request = sepsis_request(grid(80.0))
    outcome = echoed(put(request))
    assert outcome.result is not None
    assert outcome.result.outputs is not None
    short = dict(outcome.result.outputs) | {"probability": bytes(4 + change)}
    crooked = Outcome(answered_by=outcome.answered_by, result=RowsResult(outputs=short), degradations=(), attempts=())
    with pytest.raises(ValueError, match=f"output probability: {4 + change} bytes instead of 4"):
        answer_to(request, crooked)
