"""An accelerator and its driver, stood in for: `FOLDER PARENT DOORBELL PARCEL MAILBOX LABEL`.

Everything of the worker is real but the library under it. `onnxruntime` is this file's: it computes `ECHO`, and is as
sick as the test says in `FOLDER/<pathway>.<tier>.json`, or in `FOLDER/<pathway>.<tier>@<version>.json` for one version
of its bundle alone, read anew at every load and every run. As on a real device, a context that was lost stays lost
until its process ends. What was done is written to `FOLDER/<pathway>.<tier>.journal`.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

PROVIDERS = ("CUDAExecutionProvider", "MIGraphXExecutionProvider", "ROCMExecutionProvider", "CPUExecutionProvider")
KNOWN_CASES = 12
"""As many as `ECHO` has; a larger batch is seen in warming up alone."""

NODE_FAILED = "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Gather node. Name:'score' "
LIBRARY = "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: "

# As ONNX Runtime, CUDA, HIP, OpenCL and MIGraphX word them.
TEXTS = {
    "CUDA 710": NODE_FAILED + "Status Message: CUDA failure 710: device-side assert triggered ; GPU=0 ; line=129",
    "CUDA 700": NODE_FAILED + "Status Message: CUDA failure 700: an illegal memory access was encountered ; GPU=0",
    "CUDA 100": "CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; expr=cudaSetDevice(info_.device_id)",
    "CUDA 803": "CUDA failure 803: system has unsupported display driver / cuda driver combination ; GPU=-1",
    "GPU lost": NODE_FAILED + "Status Message: CUDA failure 999: unknown error ; GPU is lost. Reboot the system",
    "OpenCL": "clEnqueueNDRangeKernel, error code: -5 CL_OUT_OF_RESOURCES",
    "MIGraphX": NODE_FAILED + "Status Message: Failed to call function compile: MIGraphX: HIP compile failed",
    "BFC arena": NODE_FAILED + "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 9",
    "libraries missing": LIBRARY + "cannot open shared object file: No such file or directory",
    "another family": "Engine plan file is generated on an incompatible device, expecting 9.0 got 8.6",
    "our own defect": "unhashable type: list",
}
STICKY = frozenset({"CUDA 710", "CUDA 700", "GPU lost", "OpenCL", "MIGraphX", "BFC arena"})


class Device:
    """The state that the test gave one tier's device, and the journal of what this process did with it."""

    def __init__(self, folder: Path, label: str) -> None:
        name = label.partition(" ")[0].replace("/", ".")
        version = label.rpartition("@")[2]
        self._states = (folder / f"{name}@{version}.json", folder / f"{name}.json")
        self._journal = folder / f"{name}.journal"
        self.lost = ""
        self.ready = False

    def fault(self, moment: str, provider: str) -> str:
        """What is wrong now: at `load`, `run` or with `nvml`; a fault of one provider alone comes before the others."""
        present = next((path for path in self._states if path.exists()), None)
        if present is None:
            return ""
        state: dict[str, str] = json.loads(present.read_text())
        return state.get(f"{moment} {provider}", state.get(moment, ""))

    def note(self, what: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(f"{os.getpid()} {what}\n")


DEVICE: Device


class Session:
    """`onnxruntime.InferenceSession`, computing `ECHO`."""

    def __init__(self, _model: bytes, options: SimpleNamespace, *, providers: Sequence[str], **_: object) -> None:
        (self.provider,) = providers
        DEVICE.note(f"load {self.provider} threads={options.intra_op_num_threads}")
        self.fault = DEVICE.fault("load", self.provider)
        if self.fault in TEXTS:
            raise RuntimeError(TEXTS[self.fault])
        MISDEEDS.get(self.fault, lambda: None)()
        while DEVICE.fault("load", self.provider) == "slow":
            time.sleep(0.01)

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"] if self.fault == "quietly on the CPU" else [self.provider]

    def get_provider_graph_assignment_info(self) -> Iterable[SimpleNamespace]:
        on_device, elsewhere = (3, 409) if self.fault == "placed 3 of 412" else (412, 0)
        for name, nodes in ((self.provider, on_device), ("CPUExecutionProvider", elsewhere)):
            if nodes:
                yield SimpleNamespace(ep_name=name, get_nodes=lambda nodes=nodes: [None] * nodes)

    def run(self, names: Sequence[str], inputs: Mapping[str, np.ndarray], _options: object) -> list[np.ndarray]:
        values = inputs["values"]
        if self.fault == "fails to warm up" and len(values) > KNOWN_CASES:
            raise RuntimeError(TEXTS["BFC arena"])
        fault = DEVICE.lost or DEVICE.fault("run", self.provider)
        DEVICE.note(f"run {len(values)} {fault}".rstrip())
        if fault in STICKY:
            DEVICE.lost = fault
        if fault == "our own defect":
            raise TypeError(TEXTS[fault])
        if fault in TEXTS:
            raise RuntimeError(TEXTS[fault])
        MISDEEDS.get(fault, lambda: None)()
        if fault.startswith("slow "):
            time.sleep(float(fault.removeprefix("slow ")))
        return [_spoilt(_computed(values, name), fault, self.fault) for name in names]


def _computed(values: np.ndarray, name: str) -> np.ndarray:
    return values[:, :1].copy() if name == "score" else values[:, 1:].copy()


def _spoilt(output: np.ndarray, fault: str, load_fault: str) -> np.ndarray:
    match fault or load_fault:
        case "NaN":
            output[:] = np.nan
        case "garbage":
            output[:] = 1 - np.clip(output, 0, 1)
        case "perturbed":
            output[:] = output * np.float32(0.99)
    return output


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _hang()


def _hang() -> None:
    while True:
        time.sleep(3600)


def _spin() -> None:
    """A kernel that never returns, and burns its core."""
    while True:
        pass


def _starve() -> None:
    """A C++ library that meets the end of memory and whose exception nobody catches."""
    sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
    sys.stderr.flush()
    os.abort()


MISDEEDS: dict[str, Callable[[], object]] = {
    "aborts": os.abort,
    "starves": _starve,
    "exits": lambda: os._exit(7),
    "hangs": _hang,
    "endless kernel": _spin,
    "ignores signals": _ignore_signals,
}


class SessionOptions(SimpleNamespace):
    """Takes whatever it is told."""

    def add_session_config_entry(self, *_: str) -> None: ...


def stand_in() -> ModuleType:
    """The module that a worker imports as `onnxruntime`."""
    module: Any = ModuleType("onnxruntime")
    module.__version__ = "stand-in"
    module.get_available_providers = lambda: list(PROVIDERS)
    module.ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL=0)
    module.SessionOptions = SessionOptions
    module.RunOptions = SimpleNamespace
    module.InferenceSession = Session
    module.NodeArg = object
    made: ModuleType = module
    return made


def sick_nvml() -> ModuleType:
    """NVML as it is after the container lost its device files: every call fails."""
    module: Any = ModuleType("pynvml")

    class NVMLError(Exception):
        pass

    def fail(*_: object) -> None:
        raise NVMLError("Unknown Error")

    module.NVMLError = NVMLError
    module.nvmlInit = module.nvmlShutdown = fail
    made: ModuleType = module
    return made


def main() -> int:
    folder, _, doorbell, parcel, mailbox, label = sys.argv[1:]
    global DEVICE  # noqa: PLW0603 - one process, one device
    DEVICE = Device(Path(folder), label)
    sys.modules["onnxruntime"] = stand_in()
    if DEVICE.fault("nvml", ""):
        sys.modules["pynvml"] = sick_nvml()
    from stepdown.worker.service import serve  # noqa: PLC0415 - only now is there something to import

    DEVICE.note("start")
    with socket.socket(fileno=int(doorbell)) as bell:
        return serve(bell, int(parcel), int(mailbox))


if __name__ == "__main__":
    sys.exit(main())
