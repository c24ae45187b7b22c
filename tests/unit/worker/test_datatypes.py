import numpy as np
import pytest

from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import WorkerError
from stepdown.worker.datatypes import datatype_of_ort_type, onnx_code, tensor_format


@pytest.mark.parametrize(
    ("datatype", "dtype", "code"),
    [
        ("FP32", "<f4", 1),
        ("FP16", "<f2", 10),
        ("FP64", "<f8", 11),
        ("INT64", "<i8", 7),
        ("INT8", "|i1", 3),
        ("UINT8", "|u1", 2),
        ("UINT64", "<u8", 13),
        ("BOOL", "|b1", 9),
    ],
)
def test_a_datatype_has_its_numpy_twin_and_its_onnx_number(datatype: str, dtype: str, code: int) -> None:
    formatted = tensor_format(TensorSpec(name="x", datatype=datatype, shape=(-1, 3, 2)))
    assert formatted.dtype == np.dtype(dtype)
    assert formatted.row_bytes == 6 * formatted.dtype.itemsize
    assert onnx_code(datatype) == code


@pytest.mark.parametrize(
    ("ort_type", "datatype"),
    [
        ("tensor(float)", "FP32"),
        ("tensor(double)", "FP64"),
        ("tensor(int64)", "INT64"),
        ("tensor(uint8)", "UINT8"),
        ("tensor(bool)", "BOOL"),
        ("tensor(string)", "BYTES"),
        ("tensor(bfloat16)", "BF16"),
        ("seq(tensor(float))", "seq(tensor(float))"),
    ],
)
def test_a_type_as_onnx_runtime_writes_it_gets_the_protocols_name(ort_type: str, datatype: str) -> None:
    assert datatype_of_ort_type(ort_type) == datatype


def test_a_row_may_be_a_single_number() -> None:
    assert tensor_format(TensorSpec(name="x", datatype="FP32", shape=(-1,))).row_bytes == 4


@pytest.mark.parametrize("shape", [(), (1, 3), (-1, -1), (-1, 0), (8,)])
def test_only_the_first_dimension_may_vary(shape: tuple[int, ...]) -> None:
    with pytest.raises(WorkerError, match="tensor x"):
        tensor_format(TensorSpec(name="x", datatype="FP32", shape=shape))


@pytest.mark.parametrize("datatype", ["BYTES", "BF16", "float32", ""])
def test_a_datatype_of_no_fixed_width_is_refused(datatype: str) -> None:
    with pytest.raises(WorkerError, match="carried are FP32"):
        tensor_format(TensorSpec(name="x", datatype=datatype, shape=(-1, 1)))
