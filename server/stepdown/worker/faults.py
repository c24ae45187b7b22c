"""What an execution error means: its reason, whether the process can still be trusted, and words fit for a log.

One table of texts; what each class of fault calls for stands in `domain.fault_classes`. A fault is *sticky* when
everything the process does next is suspect: a CUDA or HIP context is lost as a whole, an exhausted arena never
recovers although memory is free again. An input or model error is not: the next batch may be fine. Refuses to decide
what is done about a fault, and to pass on numbers that an error text may have taken from an input.
"""

import re
from dataclasses import dataclass

from stepdown.domain.errors import WorkerError
from stepdown.domain.fault_classes import TREATMENTS, FaultClass
from stepdown.domain.reasons import Reason

_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failed execution, classified. `detail` begins with what the device or its library called it."""

    fault_class: FaultClass
    reason: Reason
    sticky: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    pattern: re.Pattern[str]
    fault_class: FaultClass


def _rule(pattern: str, fault_class: FaultClass) -> _Rule:
    return _Rule(pattern=re.compile(pattern, re.IGNORECASE), fault_class=fault_class)


# What the server is told of each class: the reason that answers bear, and whether this process must end.
_MEANING = {
    FaultClass.DEVICE: (Reason.EXECUTION_FAILED, True),
    FaultClass.CAPACITY: (Reason.OUT_OF_MEMORY, True),
    FaultClass.MODEL: (Reason.EXECUTION_FAILED, False),
    FaultClass.INPUT: (Reason.INPUT_UNSUITABLE, False),
    FaultClass.INTERNAL: (Reason.INTERNAL_FAULT, True),
}


# In order: the first that matches. Memory before device, because an out-of-memory error names its device too.
# `(?P<code>...)` is kept unmasked. CUDA numbers: the CUDA Runtime API's cudaError_t; OpenCL and HIP name theirs.
_RULES = (
    _rule(
        r"(?P<code>BFCArena|bad_alloc|CUDA(?: failure| error)? 2\b|cudaErrorMemoryAllocation|hipErrorOutOfMemory"
        r"|HSA_STATUS_ERROR_OUT_OF_RESOURCES|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
        r"|CL_MEM_OBJECT_ALLOCATION_FAILURE|out of memory|failed to allocate memory|cannot allocate memory)",
        FaultClass.CAPACITY,
    ),
    _rule(
        r"(?P<code>(?:CUDA|HIP|ROCM)(?: runtime)?(?: failure| error)? ?:? ?\d{1,3}\b)",
        FaultClass.DEVICE,
    ),
    _rule(
        r"(?P<code>cudaError[A-Z]\w*|CUDA_ERROR_\w+|hipError[A-Z]\w*|HSA_STATUS_ERROR\w*|MIOPEN_STATUS_\w+|miopenStatus\w+"
        r"|(?:CUDNN|CUBLAS|CUFFT|CURAND|CUSOLVER|CUSPARSE|NVRTC|ROCBLAS|HIPBLAS)_STATUS_\w+|CL_OUT_OF_\w+|CL_DEVICE_\w+"
        r"|device-side assert|illegal memory access|unspecified launch failure|misaligned address|uncorrectable ECC"
        r"|GPU is lost|memory access fault|MIGraphX)",
        FaultClass.DEVICE,
    ),
    _rule(
        r"(?P<code>INVALID_ARGUMENT|out of data bounds|out of bounds|invalid dimensions|unexpected input data type)",
        FaultClass.INPUT,
    ),
    _rule(
        r"(?P<code>INVALID_GRAPH|INVALID_PROTOBUF|NOT_IMPLEMENTED|NO_MODEL|NO_SUCHFILE|MODEL_LOADED"
        r"|RUNTIME_EXCEPTION|EP_FAIL|non-zero status code|\bFAIL\b)",
        FaultClass.MODEL,
    ),
)

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w.]*\w)", re.IGNORECASE)


def classify(error: BaseException) -> Fault:
    """The fault behind an exception that a run raised; whatever no rule knows is a fault of ours, and sticky."""
    if isinstance(error, WorkerError):
        treatment = TREATMENTS.get(error.reason)
        return Fault(
            fault_class=treatment.fault_class if treatment is not None else FaultClass.INTERNAL,
            reason=error.reason,
            sticky=True,
            detail=error.detail[:_DETAIL_CHARACTERS],
        )
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return _fault(FaultClass.CAPACITY, detail=masked(text) or "out of memory")
    for rule in _RULES:
        if (found := rule.pattern.search(text)) is not None:
            return _fault(rule.fault_class, detail=f"{found['code']}: {masked(text)}")
    return _fault(FaultClass.INTERNAL, detail=f"{type(error).__name__}: {masked(text)}")


def _fault(fault_class: FaultClass, *, detail: str) -> Fault:
    reason, sticky = _MEANING[fault_class]
    return Fault(fault_class=fault_class, reason=reason, sticky=sticky, detail=detail[:_DETAIL_CHARACTERS])


def masked(text: str) -> str:
    """The text with every free-standing number hidden: an error may quote an element of an input."""
    return _NUMBER.sub("#", text)
