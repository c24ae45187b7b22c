"""NVIDIA devices as the driver shows them: NVML where it can be loaded, else the driver's own files in /proc.

Runs in a child process only: a call into a sick driver may never return. Refuses to conclude: it lists, and says why
not.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Field values are raw; what each recovery action asks for is in NVML's nvmlDeviceGpuRecoveryAction_t.
_RECOVERY = {1: "reset", 2: "reboot", 3: "drain of peer traffic", 4: "drain and reset"}
_DRIVER = "proc/driver/nvidia"


def nvidia_devices(*, root: Path = Path("/")) -> dict[str, Any]:
    """`driver`, `devices` (name, uuid, memory_bytes, warnings) and, when there are none, `why_not`."""
    try:
        import pynvml  # noqa: PLC0415 - an optional package, and slow to load
    except ImportError:
        return _from_files(root, because="nvidia-ml-py is not installed")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return _from_files(root, because=f"NVML: {error}")
    try:
        devices = [_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
        driver = str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError as error:
        return {"driver": "", "devices": [], "why_not": f"NVML: {error}"}
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return {"driver": driver, "devices": devices, "why_not": "" if devices else "the driver shows no device"}


def _device(nvml: Any, index: int) -> dict[str, Any]:  # noqa: ANN401 - the package ships no types
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    return {
        "index": index,
        "name": str(nvml.nvmlDeviceGetName(handle)),
        "uuid": str(nvml.nvmlDeviceGetUUID(handle)),
        "memory_bytes": _asked(nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).total)),
        "warnings": [
            warning for warning in (_recovery(nvml, handle), _ecc(nvml, handle), _rows(nvml, handle)) if warning
        ],
    }


def _asked(nvml: Any, question: Callable[[], Any]) -> Any:  # noqa: ANN401 - the package ships no types
    """The answer, or None where this device or driver does not know the question."""
    try:
        return question()
    except nvml.NVMLError:
        return None


def _recovery(nvml: Any, handle: object) -> str:  # noqa: ANN401 - the package ships no types
    field = getattr(nvml, "NVML_FI_DEV_GET_GPU_RECOVERY_ACTION", None)
    values = None if field is None else _asked(nvml, lambda: nvml.nvmlDeviceGetFieldValues(handle, [field]))
    if not values or values[0].nvmlReturn != nvml.NVML_SUCCESS or not values[0].value.uiVal:
        return ""
    action = int(values[0].value.uiVal)
    return f"the driver asks for {_RECOVERY.get(action, f'recovery action {action}')}"


def _ecc(nvml: Any, handle: object) -> str:  # noqa: ANN401 - the package ships no types
    kind, since = nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
    errors = _asked(nvml, lambda: int(nvml.nvmlDeviceGetTotalEccErrors(handle, kind, since)))
    return f"{errors} uncorrected memory errors since the driver was loaded" if errors else ""


def _rows(nvml: Any, handle: object) -> str:  # noqa: ANN401 - the package ships no types
    remapped = _asked(nvml, lambda: nvml.nvmlDeviceGetRemappedRows(handle))
    return "a memory row could not be remapped" if remapped and remapped[3] else ""


def _from_files(root: Path, *, because: str) -> dict[str, Any]:
    """Names and identifiers from /proc/driver/nvidia, which every loaded driver keeps."""
    devices: list[dict[str, Any]] = [
        {"index": index, **_described(text), "memory_bytes": None, "warnings": []}
        for index, text in enumerate(_texts(root / _DRIVER / "gpus"))
    ]
    if devices:
        return {"driver": _driver_version(root), "devices": devices, "why_not": ""}
    loaded = "no device" if (root / _DRIVER / "version").exists() else "the NVIDIA driver is not loaded"
    return {"driver": _driver_version(root), "devices": [], "why_not": f"{loaded} ({because})"}


def _texts(folder: Path) -> list[str]:
    texts = []
    with suppress(OSError):
        for device in sorted(folder.iterdir()):
            texts.append((device / "information").read_text(encoding="utf-8"))  # noqa: PERF401 - stops at the first loss
    return texts


def _described(text: str) -> dict[str, str]:
    lines = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    return {"name": lines.get("Model", "NVIDIA device"), "uuid": lines.get("GPU UUID", "")}


def _driver_version(root: Path) -> str:
    with suppress(OSError):
        first = (root / _DRIVER / "version").read_text(encoding="utf-8").partition("\n")[0]
        return first.removeprefix("NVRM version:").strip()
    return ""
