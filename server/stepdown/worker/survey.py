"""The cheap inventory: what this build of ONNX Runtime holds and what devices the machine shows, in one document.

It explains why a provider cannot be used; whether it can is only known by using it (`proof`). Refuses to run a model.
"""

from typing import Any

from stepdown.domain.tiers import NVIDIA_PROVIDERS, ExecutionProvider
from stepdown.worker.amd import amd_devices
from stepdown.worker.nvidia import nvidia_devices
from stepdown.worker.processors import allowed_processors, processor_model
from stepdown.worker.providers import MODEL_PROVIDERS, ort_name
from stepdown.worker.session import compiled_in, runtime_version


def survey() -> dict[str, Any]:
    """`onnxruntime` (version, compiled_in), `cpu`, `nvidia` and `amd`."""
    offered = compiled_in()
    return {
        "onnxruntime": {
            "version": runtime_version(),
            "compiled_in": [str(provider) for provider in MODEL_PROVIDERS if ort_name(provider) in offered],
        },
        "cpu": {"name": processor_model(), "processors": allowed_processors()},
        "nvidia": nvidia_devices(),
        "amd": amd_devices(),
    }


def device_label(provider: ExecutionProvider, *, device_id: int, threads: int) -> str:
    """The device a session runs on, in words for people: `NVIDIA L4 (0)`, `AMD EPYC 9354 (4 threads)`."""
    if provider is ExecutionProvider.CPU:
        return f"{processor_model()} ({threads} thread{'s' if threads > 1 else ''})"
    devices = (nvidia_devices() if provider in NVIDIA_PROVIDERS else amd_devices())["devices"]
    name = next((device["name"] for device in devices if device["index"] == device_id), "unnamed device")
    return f"{name} ({device_id})"
