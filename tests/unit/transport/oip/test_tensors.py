"""Elements pass through bit for bit, in either form, or are refused with the field and the remedy."""

import numpy as np
import pytest

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.transport.oip.datatypes import DATATYPES as SERVED
from stepdown.transport.oip.models import TensorInterface
from stepdown.transport.oip.requests import decode
from stepdown.transport.oip.tensors import put_typed
from tests.fakes.open_inference import DATATYPES, ECHO, grid, tensor
from tests.unit.transport.oip.asking import (
    CONTENTS,
    MODELS,
    NUMPY,
    columns,
    decoded,
    echo_request,
    refusal,
    refused_fields,
    sepsis_request,
    typed,
)


def one_input(datatype: str, elements: list[object], *, shape: tuple[int, ...] = (1, 3)) -> pb.ModelInferRequest:
    """One tensor in its typed form."""
    request = pb.ModelInferRequest(model_name=ECHO)
    sent = request.inputs.add(name="x", datatype=datatype, shape=shape)
    getattr(sent.contents, CONTENTS[datatype]).extend(elements)
    return request


def taken(request: pb.ModelInferRequest, datatype: str) -> bytes:
    """Its bytes, as a model of one input of that datatype takes them."""
    spec = tensor("x", datatype, 3)
    interface = TensorInterface(inputs=(spec,), outputs=(), maximum_batch=4)
    return bytes(decode(request, model=MODELS[ECHO], interface=interface).payload.tensors[0])


def complaint(request: pb.ModelInferRequest, datatype: str) -> FieldViolation:
    """The one thing that is wrong with it."""
    with pytest.raises(RequestRejectedError) as caught:
        taken(request, datatype)
    (violation,) = caught.value.violations
    return violation


def test_every_datatype_of_the_protocol_but_bytes_and_bf16_is_served() -> None:
    assert tuple(SERVED) == DATATYPES


def test_raw_bytes_pass_through_unchanged_in_the_order_of_the_model() -> None:
    payload = decoded(echo_request(rows=2)).payload
    assert payload.rows == 2
    assert [bytes(each) for each in payload.tensors] == [columns(name, rows=2).tobytes() for name in DATATYPES]


@pytest.mark.parametrize("datatype", CONTENTS)
def test_typed_elements_become_the_same_bytes(datatype: str) -> None:
    values = columns(datatype, rows=1)
    assert taken(one_input(datatype, values.ravel().tolist()), datatype) == values.tobytes()


@pytest.mark.parametrize("datatype", CONTENTS)
def test_bytes_become_the_same_typed_elements(datatype: str) -> None:
    values = columns(datatype, rows=2)
    contents = pb.InferTensorContents()
    put_typed(contents, values.tobytes(), tensor("x", datatype, 3))
    back = np.array(getattr(contents, CONTENTS[datatype]), NUMPY[datatype])
    np.testing.assert_array_equal(back, values.ravel())


@pytest.mark.parametrize(
    ("datatype", "value"),
    [("INT8", 999), ("INT8", -999), ("UINT8", 999), ("INT16", 99_999), ("INT16", -99_999), ("UINT16", 99_999)],
)
def test_a_number_that_its_datatype_cannot_hold_is_refused_rather_than_wrapped(datatype: str, value: int) -> None:
    violation = complaint(one_input(datatype, [0, value, 0]), datatype)
    assert violation.field == "inputs[0].contents"
    assert str(value) not in violation.description


def test_a_datatype_without_a_typed_form_asks_for_raw_bytes() -> None:
    request = pb.ModelInferRequest(model_name=ECHO)
    request.inputs.add(name="x", datatype="FP16", shape=(1, 3)).contents.fp32_contents.extend([1, 2, 3])
    assert "raw_input_contents" in complaint(request, "FP16").description


def test_a_field_of_another_datatype_is_refused() -> None:
    request = one_input("FP32", [1.0, 2.0, 3.0])
    request.inputs[0].contents.int_contents.append(1)
    assert "fill fp32_contents and no other field" in complaint(request, "FP32").description


@pytest.mark.parametrize("count", [0, 2, 4])
def test_the_number_of_typed_elements_must_fit_the_shape(count: int) -> None:
    assert (
        f"has {count} elements where its shape makes 3"
        in complaint(one_input("FP32", [1.0] * count), "FP32").description
    )


@pytest.mark.parametrize("change", [-4, -1, 1, 4])
def test_the_number_of_raw_bytes_must_fit_the_shape(change: int) -> None:
    request = sepsis_request(grid(80.0))
    raw = request.raw_input_contents[0]
    request.raw_input_contents[0] = raw[:change] if change < 0 else raw + bytes(change)
    (violation,) = refusal(request).violations
    assert violation.field == "raw_input_contents[0]"
    assert "7680" in violation.description


def test_a_raw_truth_value_is_0_or_1() -> None:
    request = echo_request(rows=1)
    request.raw_input_contents[DATATYPES.index("BOOL")] = b"\x00\x02\x01"
    assert refused_fields(request) == ["raw_input_contents[0]"]


def test_missing_values_are_taken_and_infinite_ones_are_not_where_they_are_measurements() -> None:
    assert decoded(sepsis_request(grid(80.0))).payload.rows == 1
    for infinite in (np.inf, -np.inf):
        error = refusal(sepsis_request(grid(80.0, infinite)))
        assert error.reason is RejectReason.VALUE_NOT_FINITE
        assert "send NaN where a value is missing" in error.violations[0].description


def test_a_generic_model_judges_its_infinities_itself() -> None:
    assert decoded(echo_request()).payload.rows == 2


def test_a_typed_grid_is_the_same_grid() -> None:
    cells = grid(80.0, 120.5)
    assert bytes(decoded(typed(sepsis_request(cells))).payload.tensors[0]) == cells.tobytes()


@pytest.mark.parametrize(
    "shape",
    [
        (48, 40),
        (1, 40, 48),
        (1, 48, 41),
        (1, 48, 40, 1),
        (),
        (0, 48, 40),
        (-1, 48, 40),
        (65, 48, 40),
        (1 << 62, 48, 40),
    ],
)
def test_a_shape_that_the_model_does_not_take_is_refused(shape: tuple[int, ...]) -> None:
    request = sepsis_request(grid(80.0))
    request.inputs[0].shape[:] = shape
    assert refused_fields(request) == ["inputs[0].shape"]


def test_the_largest_batch_is_named_where_it_is_passed() -> None:
    error = refusal(sepsis_request(grid(*range(65))))
    assert "from 1 to 64 rows" in error.violations[0].description
    assert error.limits == {"maximum_batch": 64}
    assert decoded(sepsis_request(grid(*range(64)))).payload.rows == 64


def test_a_wrong_datatype_is_refused_with_the_right_one() -> None:
    request = sepsis_request(grid(80.0))
    request.inputs[0].datatype = "FP64"
    (violation,) = refusal(request).violations
    assert (violation.field, violation.description) == (
        "inputs[0].datatype",
        "inputs[0].datatype: send observations as FP32.",
    )


def spec_of(name: str) -> TensorSpec:
    interface = MODELS[ECHO].interface
    assert interface is not None
    return next(each for each in interface.inputs if each.name == name)


def test_the_specification_says_rows_first() -> None:
    assert spec_of("in_FP32").shape == (-1, 3)
