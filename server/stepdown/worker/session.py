"""One ONNX Runtime session on exactly one execution provider, opened from bytes that were verified.

Refuses every silent fallback: a session that is not on the provider asked for, or with too few of its nodes there, is
not returned. Refuses to read a model or its weights from a path.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import NVIDIA_PROVIDERS, ExecutionProvider
from stepdown.worker.faults import classify
from stepdown.worker.providers import ort_name, provider_options

_SEVERITY_ERROR = 3
_SEVERITY_FATAL = 4
_DETAIL_CHARACTERS = 500
_CPU_NODES_REFUSED = "assigned to the default CPU EP"
# The provider, its libraries, its driver or its device is not there; the model has no part in it. CUDA error numbers:
# 35 insufficient driver, 46 devices unavailable, 100 no device, 101 invalid device, 803 driver mismatch, 804 no
# forward compatibility.
_UNAVAILABLE = re.compile(
    r"failed to load (?:shared )?library|cannot open shared object|please install|failed to create \w+ExecutionProvider"
    r"|no CUDA-capable device|driver version is insufficient|(?:CUDA|HIP) (?:failure|error) (?:35|46|100|101|803|804)\b"
    r"|(?:cuda|hip)Error(?:NoDevice|InsufficientDriver|InvalidDevice|DevicesUnavailable|SystemDriverMismatch)",
    re.IGNORECASE,
)
# Where such a text comes to the point, after source file, line and signature.
_CAUSE = re.compile(r"(?<=with error: ).+|please install [^,.]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlan:
    """How a session is to be opened. `minimum_placement_share` 1.0 lets no node at all fall to the CPU."""

    provider: ExecutionProvider
    minimum_placement_share: float
    threads: int = 1
    device_id: int = 0


class ModelSession:
    """A model that is loaded and placed. Rows in, rows out; nothing is remembered between runs."""

    def __init__(self, session: onnxruntime.InferenceSession, *, placement_share: float) -> None:
        self._session = session
        self._run_options = onnxruntime.RunOptions()
        # An error text can quote an input; the exception carries it to where it is masked, the log line would not.
        self._run_options.log_severity_level = _SEVERITY_FATAL
        self.placement_share = placement_share

    def run(self, output_names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """One run over a batch. Raises whatever ONNX Runtime raises: see `faults.classify`."""
        outputs: list[np.ndarray] = self._session.run(output_names, inputs, self._run_options)
        return outputs

    def inputs(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """Name, ONNX Runtime type and shape (-1 where it may vary) of every graph input, in order."""
        return _signature(self._session.get_inputs())

    def outputs(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """The same of every graph output."""
        return _signature(self._session.get_outputs())


def compiled_in() -> tuple[str, ...]:
    """ONNX Runtime's names of the providers this build holds. Compiled in says nothing about usable."""
    return tuple(onnxruntime.get_available_providers())


def runtime_version() -> str:
    """The version of the ONNX Runtime wheel that is installed."""
    return str(onnxruntime.__version__)


def runtime_description() -> str:
    """The installed build in words: its version and what it holds."""
    return f"ONNX Runtime {runtime_version()} ({', '.join(compiled_in())})"


def open_session(model: bytes, external_data: Mapping[str, bytes | memoryview], plan: SessionPlan) -> ModelSession:
    """Open the model on the plan's provider alone.

    Args:
        model: the ONNX file.
        external_data: every weight file it may refer to, by the location the model gives. Anything else it names is
            looked for in the working directory, which in a worker is empty.
        plan: provider, device, threads and how much of the graph must sit on the provider.

    Raises:
        WorkerError: PROVIDER_UNAVAILABLE, PLACEMENT_TOO_LOW, OUT_OF_MEMORY or EXECUTION_FAILED.
    """
    name = ort_name(plan.provider)
    if name not in compiled_in():
        raise WorkerError(
            reason=Reason.PROVIDER_UNAVAILABLE,
            detail=f"{name} is not in {runtime_description()}",
        )
    _load_libraries(plan.provider)
    strict = plan.provider is not ExecutionProvider.CPU and plan.minimum_placement_share >= 1
    try:
        session = _opened(model, external_data, plan, strict=strict)
    except Exception as error:
        if strict and _CPU_NODES_REFUSED in str(error):
            raise _why_nodes_fell_to_the_cpu(model, external_data, plan) from error
        raise _refusal(error, plan) from error
    _check_provider(session, plan)
    share = _placement_share(session, name)
    if share < plan.minimum_placement_share:
        raise _placed_too_low(share, plan)
    return ModelSession(session, placement_share=share)


def _opened(
    model: bytes, external_data: Mapping[str, bytes | memoryview], plan: SessionPlan, *, strict: bool
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _SEVERITY_ERROR
    options.intra_op_num_threads = plan.threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    # The arena keeps the memory of the largest batch for ever and brought no speed.
    options.enable_cpu_mem_arena = False
    # The worker shares its cores with the server: threads that have no work sleep.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if external_data:
        options.add_external_initializers_from_files_in_memory(
            list(external_data), list(external_data.values()), [len(data) for data in external_data.values()]
        )
    return onnxruntime.InferenceSession(
        model,
        options,
        providers=[ort_name(plan.provider)],
        provider_options=[provider_options(plan.provider, device_id=plan.device_id)],
        enable_fallback=0,
    )


def _why_nodes_fell_to_the_cpu(
    model: bytes, external_data: Mapping[str, bytes | memoryview], plan: SessionPlan
) -> WorkerError:
    """A strict session says the same when the provider is absent and when it left nodes over; a lenient one tells."""
    session = _opened(model, external_data, plan, strict=False)
    try:
        _check_provider(session, plan)
    except WorkerError as error:
        return error
    return _placed_too_low(_placement_share(session, ort_name(plan.provider)), plan)


def _load_libraries(provider: ExecutionProvider) -> None:
    """Make the CUDA and cuDNN that came as wheels findable; without them the system's own are used, if any."""
    if provider in NVIDIA_PROVIDERS and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls(directory="")


def _check_provider(session: onnxruntime.InferenceSession, plan: SessionPlan) -> None:
    asked, used = ort_name(plan.provider), session.get_providers()[0]
    if used != asked:
        raise WorkerError(
            reason=Reason.PROVIDER_UNAVAILABLE,
            detail=f"{asked} could not be opened; ONNX Runtime offers {used} instead",
        )


def _placement_share(session: onnxruntime.InferenceSession, name: str) -> float:
    """Nodes on the provider over all nodes. A graph that was folded to nothing lies nowhere else: 1.0."""
    total = placed = 0
    for subgraph in session.get_provider_graph_assignment_info():
        nodes = len(subgraph.get_nodes())
        total += nodes
        placed += nodes if subgraph.ep_name == name else 0
    return placed / total if total else 1.0


def _placed_too_low(share: float, plan: SessionPlan) -> WorkerError:
    return WorkerError(
        reason=Reason.PLACEMENT_TOO_LOW,
        detail=f"{share:.3f} of the nodes sit on {plan.provider}, at least {plan.minimum_placement_share:g} must",
    )


def _refusal(error: Exception, plan: SessionPlan) -> WorkerError:
    """Why a session could not be opened. No patient's data has been near it, so the text is given as it is."""
    text = " ".join(str(error).split())
    if plan.provider is not ExecutionProvider.CPU and _UNAVAILABLE.search(text):
        cause = _CAUSE.search(text)
        return WorkerError(
            reason=Reason.PROVIDER_UNAVAILABLE, detail=(cause[0] if cause else text)[:_DETAIL_CHARACTERS]
        )
    reason = classify(error).reason
    known = reason if reason is Reason.OUT_OF_MEMORY else Reason.EXECUTION_FAILED
    return WorkerError(reason=known, detail=text[:_DETAIL_CHARACTERS])


def _signature(arguments: Sequence[onnxruntime.NodeArg]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple(
        (argument.name, argument.type, tuple(size if isinstance(size, int) else -1 for size in argument.shape))
        for argument in arguments
    )
