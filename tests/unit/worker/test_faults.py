import pytest

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.faults import classify, masked

# Texts as ONNX Runtime, CUDA, ROCm and OpenCL really give them.
DEVICE = (
    "CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=x ; file=y ; line=1",
    "CUDA failure 710: device-side assert triggered ; GPU=0",
    "CUDA error 719: unspecified launch failure",
    "Non-zero status code returned while running Conv node. CUDNN failure 5000: CUDNN_STATUS_EXECUTION_FAILED",
    "CUBLAS failure 13: CUBLAS_STATUS_EXECUTION_FAILED",
    "cudaErrorLaunchTimeout: the launch timed out and was terminated",
    "HIP failure 719: unspecified launch failure",
    "hipErrorIllegalAddress",
    "HSA_STATUS_ERROR_EXCEPTION: An HSAIL operation resulted in a hardware exception.",
    "Failed to call MIGraphX program: Memory access fault by GPU node-1",
    "clEnqueueNDRangeKernel, error code: -5 CL_OUT_OF_RESOURCES",
    "uncorrectable ECC error encountered",
)
MEMORY = (
    "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 104857600",
    "CUDA failure 2: out of memory ; GPU=0",
    "std::bad_alloc",
    "hipErrorOutOfMemory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "HSA_STATUS_ERROR_OUT_OF_RESOURCES",
)
INPUT = (
    "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x",
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Gather node.",
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running Reshape node.",
)


@pytest.mark.parametrize("text", DEVICE)
def test_a_device_error_is_sticky(text: str) -> None:
    fault = classify(RuntimeError(text))
    assert (fault.reason, fault.sticky) == (Reason.EXECUTION_FAILED, True)


@pytest.mark.parametrize("text", MEMORY)
def test_memory_that_ran_out_stays_out_in_that_process(text: str) -> None:
    fault = classify(RuntimeError(text))
    assert (fault.reason, fault.sticky) == (Reason.OUT_OF_MEMORY, True)


@pytest.mark.parametrize("text", INPUT)
def test_an_input_or_model_error_leaves_the_process_usable(text: str) -> None:
    fault = classify(RuntimeError(text))
    assert fault.reason in {Reason.EXECUTION_FAILED, Reason.INPUT_UNSUITABLE}
    assert not fault.sticky


def test_pythons_own_memory_error_is_one_too() -> None:
    assert classify(MemoryError()).reason is Reason.OUT_OF_MEMORY
    assert classify(MemoryError()).sticky


def test_the_code_of_a_device_error_is_kept_and_the_numbers_beside_it_are_not() -> None:
    fault = classify(RuntimeError("CUDA failure 700: an illegal memory access; value 37.25 of row 12"))
    assert fault.detail.startswith("CUDA failure 700: ")
    assert "37.25" not in fault.detail
    assert " 12" not in fault.detail


def test_what_no_rule_knows_is_a_fault_of_ours() -> None:
    fault = classify(KeyError("surprise"))
    assert (fault.reason, fault.sticky) == (Reason.INTERNAL_FAULT, True)
    assert fault.detail.startswith("KeyError")


def test_an_error_that_names_its_reason_keeps_it() -> None:
    fault = classify(WorkerError(reason=Reason.EXECUTION_FAILED, detail="output y of another shape"))
    assert (fault.reason, fault.detail) == (Reason.EXECUTION_FAILED, "output y of another shape")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("idx=98765 must be within [-4,3]", "idx=# must be within [#,#]"),
        ("value 1.5e-3, .25 and -7", "value #, # and #"),
        ("node /layer.3/MatMul_12 of float32", "node /layer.3/MatMul_12 of float32"),
    ],
)
def test_numbers_that_stand_alone_are_masked_and_names_are_not(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_long_text_is_cut() -> None:
    assert len(classify(RuntimeError("FAIL " + "x" * 5000)).detail) <= 300
