"""What a request must hold beside its elements, and that everything wrong with it is said at once."""

import pytest

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.reasons import RejectReason
from stepdown.domain.tiers import Urgency
from stepdown.transport.oip.parameters import InferenceLimits
from tests.fakes.open_inference import DATATYPES, ECHO, grid
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.oip.asking import (
    columns,
    decoded,
    echo_request,
    refusal,
    refused_fields,
    sepsis_request,
    typed,
)


def sepsis() -> pb.ModelInferRequest:
    return sepsis_request(grid(80.0))


def test_inputs_may_come_in_any_order() -> None:
    request = echo_request()
    shuffled = pb.ModelInferRequest(
        model_name=ECHO, inputs=reversed(request.inputs), raw_input_contents=reversed(request.raw_input_contents)
    )
    assert decoded(shuffled).payload == decoded(request).payload


def test_the_id_and_the_form_of_the_elements_are_kept_for_the_answer() -> None:
    request = sepsis()
    request.id = "call-7"
    assert (decoded(request).request_id, decoded(request).typed) == ("call-7", False)
    assert decoded(typed(request)).typed


def test_a_missing_an_unknown_and_a_repeated_input_are_each_refused() -> None:
    request = echo_request()
    request.inputs[1].name = request.inputs[0].name
    request.inputs[2].name = "heart rate of Mrs Smith"
    error = refusal(request)
    assert [violation.field for violation in error.violations] == ["inputs[1].name", "inputs[2].name", "inputs"]
    assert "send in_UINT8, in_UINT16 as well" in error.violations[2].description
    assert not [violation for violation in error.violations if "Smith" in violation.description]


def test_no_inputs_at_all() -> None:
    assert refused_fields(pb.ModelInferRequest(model_name=PATHWAY)) == ["inputs"]


def test_raw_and_typed_elements_are_never_taken_together() -> None:
    request = sepsis()
    request.inputs[0].contents.fp32_contents.append(1.0)
    (violation,) = refusal(request).violations
    assert violation.field == "raw_input_contents"
    assert "never both" in violation.description


@pytest.mark.parametrize("count", [1, 13])
def test_there_is_one_raw_buffer_per_input(count: int) -> None:
    request = echo_request()
    raw = [*request.raw_input_contents, b""][:count]
    del request.raw_input_contents[:]
    request.raw_input_contents.extend(raw)
    (violation,) = refusal(request).violations
    assert (violation.field, f"12 instead of {count}" in violation.description) == ("raw_input_contents", True)


def test_all_inputs_hold_the_same_number_of_rows() -> None:
    request = echo_request(rows=2)
    request.inputs[3].shape[0] = 1
    request.raw_input_contents[3] = columns(DATATYPES[3], rows=1).tobytes()
    assert refused_fields(request) == ["inputs"]


def test_outputs_are_given_in_the_order_asked_and_all_when_none_is_asked() -> None:
    request = echo_request()
    assert [output.name for output in decoded(request).outputs] == [f"out_{name}" for name in DATATYPES]
    request.outputs.add(name="out_FP64")
    request.outputs.add(name="out_BOOL")
    assert [output.name for output in decoded(request).outputs] == ["out_FP64", "out_BOOL"]


def test_an_unknown_and_a_repeated_output_are_refused() -> None:
    request = sepsis()
    for name in ("probability", "contributions", "probability"):
        request.outputs.add(name=name)
    error = refusal(request)
    assert [violation.field for violation in error.violations] == ["outputs[1].name", "outputs[2].name"]
    assert "ask for probability, input_checks" in error.violations[0].description


def test_everything_wrong_is_said_at_once() -> None:
    request = sepsis()
    request.parameters["priority"].string_param = "high"
    request.outputs.add(name="nothing")
    request.inputs[0].datatype = "FP64"
    assert refused_fields(request) == ["parameters[priority]", "outputs[0].name", "inputs[0].datatype"]


def test_a_timeout_is_in_microseconds_and_none_is_none() -> None:
    request = sepsis()
    assert decoded(request).limits == InferenceLimits(timeout_s=None, urgency=Urgency.ROUTINE, minimum_tier="")
    request.parameters["timeout"].int64_param = 250_000
    assert decoded(request).limits.timeout_s == 0.25
    request.parameters["timeout"].uint64_param = 0
    assert decoded(request).limits.timeout_s is None


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [(0, Urgency.ROUTINE), (1, Urgency.EMERGENCY), (2, Urgency.URGENT), (3, Urgency.ROUTINE)],
)
def test_priority_1_is_served_first(priority: int, urgency: Urgency) -> None:
    request = sepsis()
    request.parameters["priority"].uint64_param = priority
    assert decoded(request).limits.urgency is urgency


def test_numbers_that_are_none_are_refused() -> None:
    request = sepsis()
    request.parameters["priority"].uint64_param = 4
    request.parameters["timeout"].int64_param = -1
    assert refused_fields(request) == ["parameters[timeout]", "parameters[priority]"]
    request.parameters["timeout"].double_param = 0.5
    request.parameters["priority"].Clear()
    assert refused_fields(request) == ["parameters[timeout]", "parameters[priority]"]


def test_a_lowest_tier_can_be_named_for_a_chain_and_not_for_a_tier() -> None:
    request = sepsis()
    request.parameters["minimum_tier"].string_param = "distilled"
    assert decoded(request).limits.minimum_tier == "distilled"
    request.parameters["minimum_tier"].string_param = "Mrs Smith"
    error = refusal(request)
    assert error.reason is RejectReason.TIER_UNKNOWN
    assert error.violations[0].description == "parameters[minimum_tier]: send one of full, distilled, rules"
    request.model_name = f"{PATHWAY}/full"
    assert refused_fields(request) == ["parameters[minimum_tier]"]


@pytest.mark.parametrize("name", ["sequence_id", "sequence_start", "sequence_end"])
def test_sequences_are_refused_since_models_keep_no_state(name: str) -> None:
    request = sepsis()
    request.parameters[name].int64_param = 1
    assert refused_fields(request) == [f"parameters[{name}]"]


def test_shared_memory_and_classification_are_refused_where_they_stand() -> None:
    request = sepsis()
    request.inputs[0].parameters["shared_memory_region"].string_param = "region"
    request.outputs.add(name="probability").parameters["classification"].int64_param = 1
    assert refused_fields(request) == [
        "outputs[0].parameters[classification]",
        "inputs[0].parameters[shared_memory_region]",
    ]


def test_parameters_that_mean_nothing_here_are_ignored() -> None:
    request = sepsis()
    request.parameters["ward"].string_param = "7B"
    assert decoded(request).limits == InferenceLimits()
