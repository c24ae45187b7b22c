"""What ONNX Runtime, CUDA, HIP and their libraries say, and whose fault each of it is."""

import pytest

from stepdown.domain.errors import WorkerError
from stepdown.domain.fault_classes import TREATMENTS, FaultClass
from stepdown.domain.reasons import Reason
from stepdown.worker.faults import classify

# cudaError_t and hipError_t: the numbers that either library really has.
CODES = (
    *range(1, 8),
    *(9, 12, 13, 17, 18, 20, 21, 22, 34, 35, 46, 98, 99),
    *(100, 101, 200, 201, 205, 206, 208, 209, 210, 211, 214, 215, 217, 218, 219, 220, 221, 222, 223, 226),
    *(300, 301, 302, 303, 304, 400, 401, 500, 600),
    *(700, 701, 702, 704, 705, 709, 710, 711, 712, 713, 714, 715, 716, 717, 718, 719, 720),
    *(800, 801, 802, 803, 804, 900, 901, 906, 999),
)
OUT_OF_MEMORY = 2

NAMES = (
    *("cudaErrorInvalidValue", "cudaErrorIllegalAddress", "cudaErrorAssert", "cudaErrorLaunchFailure"),
    *("cudaErrorECCUncorrectable", "cudaErrorDevicesUnavailable", "cudaErrorUnknown"),
    *("CUDA_ERROR_ILLEGAL_ADDRESS", "CUDA_ERROR_NO_DEVICE", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
    *(
        "hipErrorIllegalAddress",
        "hipErrorNoDevice",
        "hipErrorLaunchFailure",
        "hipErrorUnknown",
        "hipErrorECCNotCorrectable",
    ),
    *(
        "HSA_STATUS_ERROR_EXCEPTION",
        "HSA_STATUS_ERROR_MEMORY_APERTURE_VIOLATION",
        "HSA_STATUS_ERROR_ILLEGAL_INSTRUCTION",
    ),
    *("CUDNN_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_INTERNAL_ERROR", "CUBLAS_STATUS_INTERNAL_ERROR"),
    *("CUBLAS_STATUS_NOT_INITIALIZED", "CUFFT_STATUS_EXEC_FAILED", "CURAND_STATUS_LAUNCH_FAILURE"),
    *("ROCBLAS_STATUS_INTERNAL_ERROR", "HIPBLAS_STATUS_MAPPING_ERROR", "miopenStatusInternalError"),
    *("CL_OUT_OF_RESOURCES", "CL_OUT_OF_HOST_MEMORY", "CL_DEVICE_NOT_AVAILABLE"),
    *("device-side assert triggered", "an illegal memory access was encountered", "unspecified launch failure"),
    *("misaligned address", "GPU is lost", "uncorrectable ECC error encountered", "Memory access fault by GPU node-1"),
)
MEMORY = (
    *("cudaErrorMemoryAllocation", "hipErrorOutOfMemory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"),
    *("HSA_STATUS_ERROR_OUT_OF_RESOURCES", "CL_MEM_OBJECT_ALLOCATION_FAILURE", "std::bad_alloc"),
    *(
        "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 9",
        "Cannot allocate memory",
    ),
)
# OrtErrorCode, as ONNX Runtime's Python module words it: number, name, class.
ORT = (
    (1, "FAIL", FaultClass.MODEL),
    (2, "INVALID_ARGUMENT", FaultClass.INPUT),
    (3, "NO_SUCHFILE", FaultClass.MODEL),
    (4, "NO_MODEL", FaultClass.MODEL),
    (6, "RUNTIME_EXCEPTION", FaultClass.MODEL),
    (7, "INVALID_PROTOBUF", FaultClass.MODEL),
    (8, "MODEL_LOADED", FaultClass.MODEL),
    (9, "NOT_IMPLEMENTED", FaultClass.MODEL),
    (10, "INVALID_GRAPH", FaultClass.MODEL),
    (11, "EP_FAIL", FaultClass.MODEL),
)
WRAPPINGS = ("{}", "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Gather node. {}")


@pytest.mark.parametrize("library", ["CUDA failure", "CUDA error", "HIP failure", "HIP error", "ROCM failure"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_numbered_error_of_a_device_library_is_the_devices_and_sticky(library: str, wrapping: str) -> None:
    for code in CODES:
        fault = classify(RuntimeError(wrapping.format(f"{library} {code}: something ; GPU=0 ; line=129")))
        memory = code == OUT_OF_MEMORY and library.startswith("CUDA")
        assert fault.fault_class is (FaultClass.CAPACITY if memory else FaultClass.DEVICE), (library, code)
        assert fault.sticky


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_named_error_of_a_device_library_is_the_devices_and_sticky(name: str, wrapping: str) -> None:
    fault = classify(RuntimeError(wrapping.format(name)))
    assert (fault.fault_class, fault.reason, fault.sticky) == (FaultClass.DEVICE, Reason.EXECUTION_FAILED, True)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("text", MEMORY)
def test_memory_that_ran_out_is_a_matter_of_capacity_and_sticky(text: str, wrapping: str) -> None:
    fault = classify(RuntimeError(wrapping.format(text)))
    assert (fault.fault_class, fault.reason, fault.sticky) == (FaultClass.CAPACITY, Reason.OUT_OF_MEMORY, True)


@pytest.mark.parametrize(("number", "name", "fault_class"), ORT)
def test_an_error_of_onnx_runtimes_own_is_the_models_or_the_inputs_and_not_sticky(
    number: int, name: str, fault_class: FaultClass
) -> None:
    fault = classify(RuntimeError(f"[ONNXRuntimeError] : {number} : {name} : something is not as it should be"))
    reason = Reason.INPUT_UNSUITABLE if fault_class is FaultClass.INPUT else Reason.EXECUTION_FAILED
    assert (fault.fault_class, fault.reason, fault.sticky) == (fault_class, reason, False)


@pytest.mark.parametrize(
    "text",
    [
        "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x for the following indices",
        WRAPPINGS[1].format("indices element out of data bounds, idx=9 must be within the inclusive range [-4,3]"),
        "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Unexpected input data type. Actual: (tensor(double))",
    ],
)
def test_what_an_input_did_is_blamed_on_the_input(text: str) -> None:
    fault = classify(RuntimeError(text))
    assert (fault.fault_class, fault.reason, fault.sticky) == (FaultClass.INPUT, Reason.INPUT_UNSUITABLE, False)


@pytest.mark.parametrize(
    "error", [TypeError("x"), KeyError("x"), ValueError("x"), ZeroDivisionError(), OSError(5, "x")]
)
def test_what_nobody_ever_said_is_a_fault_of_ours_and_sticky(error: Exception) -> None:
    fault = classify(error)
    assert (fault.fault_class, fault.reason, fault.sticky) == (FaultClass.INTERNAL, Reason.INTERNAL_FAULT, True)


@pytest.mark.parametrize("reason", Reason)
def test_an_error_that_names_its_reason_is_of_that_reasons_class(reason: Reason) -> None:
    fault = classify(WorkerError(reason=reason, detail="because"))
    expected = TREATMENTS[reason].fault_class if reason in TREATMENTS else FaultClass.INTERNAL
    assert (fault.fault_class, fault.reason, fault.sticky) == (expected, reason, True)
