"""Execution providers: ONNX Runtime's name for each, whose devices it runs on, and the options it is opened with.

Refuses to choose: a session is opened with exactly the one provider it was told to use.
"""

from stepdown.domain.tiers import ExecutionProvider

_ORT_NAMES = {
    ExecutionProvider.CUDA: "CUDAExecutionProvider",
    ExecutionProvider.TENSORRT: "TensorrtExecutionProvider",
    ExecutionProvider.MIGRAPHX: "MIGraphXExecutionProvider",
    ExecutionProvider.ROCM: "ROCMExecutionProvider",
    ExecutionProvider.CPU: "CPUExecutionProvider",
}

# Chosen for answers that are the same from run to run and close to the CPU's, before speed: no TF32, no FP16, no
# algorithm search whose winner depends on the moment. Memory is taken as asked for, since the device is shared.
_OPTIONS = {
    ExecutionProvider.CUDA: {
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0",
    },
    ExecutionProvider.TENSORRT: {"trt_fp16_enable": "0", "trt_int8_enable": "0"},
    ExecutionProvider.MIGRAPHX: {"migraphx_fp16_enable": "0", "migraphx_int8_enable": "0"},
    ExecutionProvider.ROCM: {"arena_extend_strategy": "kSameAsRequested"},
    ExecutionProvider.CPU: {},
}

# These compile a graph anew for every input shape, which can take minutes: they are shown only warmed batch sizes.
_COMPILES_PER_SHAPE = frozenset({ExecutionProvider.TENSORRT, ExecutionProvider.MIGRAPHX})

MODEL_PROVIDERS = tuple(_ORT_NAMES)
"""Every provider that can run a model, as `stepdown probe` lists them."""


def ort_name(provider: ExecutionProvider) -> str:
    """What ONNX Runtime calls a provider. Raises: KeyError for `RULES`, which runs no model."""
    return _ORT_NAMES[provider]


def provider_options(provider: ExecutionProvider, *, device_id: int) -> dict[str, str]:
    """The options a session on this provider and device is opened with."""
    if provider is ExecutionProvider.CPU:
        return {}
    return {"device_id": str(device_id), **_OPTIONS[provider]}


def compiles_per_shape(provider: ExecutionProvider) -> bool:
    """Whether a batch size the provider has not seen yet costs a compilation."""
    return provider in _COMPILES_PER_SHAPE


def batch_sizes(maximum_batch: int) -> tuple[int, ...]:
    """The sizes a worker is warmed up and timed at: powers of two, and the largest batch itself."""
    powers = tuple(1 << exponent for exponent in range(maximum_batch.bit_length()))
    return powers if powers[-1] == maximum_batch else (*powers, maximum_batch)
