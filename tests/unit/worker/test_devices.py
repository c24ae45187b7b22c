"""What the driver's files and NVML say, on a machine without either: trees of files and a stand-in library."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker import survey as room
from stepdown.worker.amd import amd_devices
from stepdown.worker.nvidia import nvidia_devices
from stepdown.worker.survey import device_label, survey


class FakeNvmlError(Exception):
    """`pynvml.NVMLError`."""


class FakeNvml:
    """The few calls of `pynvml`; what is named in `failing` raises."""

    NVMLError = FakeNvmlError
    NVML_SUCCESS = 0
    NVML_FI_DEV_GET_GPU_RECOVERY_ACTION = 1
    NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 1
    NVML_VOLATILE_ECC = 0

    def __init__(
        self, *, devices: int = 1, failing: tuple[str, ...] = (), action: int = 0, ecc: int = 0, rows: int = 0
    ) -> None:
        self._devices = devices
        self._failing = failing
        self._action = action
        self._ecc = ecc
        self._rows = rows
        self.shut = False

    def _call(self, name: str) -> None:
        if name in self._failing:
            raise FakeNvmlError(f"{name}: not supported")

    def nvmlInit(self) -> None:  # noqa: N802
        self._call("init")

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.shut = True

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        self._call("count")
        return self._devices

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "600.1"

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return f"NVIDIA Example {handle}"

    def nvmlDeviceGetUUID(self, handle: int) -> str:  # noqa: N802
        return f"GPU-{handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        del handle
        self._call("memory")
        return SimpleNamespace(total=1 << 34)

    def nvmlDeviceGetFieldValues(self, handle: int, fields: list[int]) -> list[SimpleNamespace]:  # noqa: N802
        del handle, fields
        self._call("fields")
        return [SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(uiVal=self._action))]

    def nvmlDeviceGetTotalEccErrors(self, handle: int, kind: int, since: int) -> int:  # noqa: N802
        del handle, kind, since
        self._call("ecc")
        return self._ecc

    def nvmlDeviceGetRemappedRows(self, handle: int) -> tuple[int, int, int, int]:  # noqa: N802
        del handle
        self._call("rows")
        return (0, 0, 0, self._rows)


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_nvml_names_the_devices_and_a_healthy_one_has_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(devices=2)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    found = nvidia_devices()
    assert [device["name"] for device in found["devices"]] == ["NVIDIA Example 0", "NVIDIA Example 1"]
    assert found["devices"][0]["memory_bytes"] == 1 << 34
    assert (found["driver"], found["why_not"], found["devices"][1]["warnings"]) == ("600.1", "", [])
    assert nvml.shut


def test_a_sick_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(action=2, ecc=3, rows=1))
    warnings = nvidia_devices()["devices"][0]["warnings"]
    assert warnings[0] == "the driver asks for reboot"
    assert warnings[1].startswith("3 uncorrected")
    assert "remapped" in warnings[2]


def test_questions_a_device_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(failing=("memory", "fields", "ecc", "rows")))
    (device,) = nvidia_devices()["devices"]
    assert (device["memory_bytes"], device["warnings"]) == (None, [])


def test_a_driver_that_shows_nothing_or_fails_is_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(devices=0))
    assert nvidia_devices()["why_not"] == "the driver shows no device"
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(failing=("count",)))
    assert "not supported" in nvidia_devices()["why_not"]
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(failing=("init",)))
    assert nvidia_devices(root=tmp_path)["why_not"] == "the NVIDIA driver is not loaded (NVML: init: not supported)"


def test_without_nvml_the_drivers_files_name_the_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert "nvidia-ml-py is not installed" in nvidia_devices(root=tmp_path)["why_not"]
    driver = {"proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX Module  600.1  Release\nGCC"}
    write(tmp_path, **driver)
    assert nvidia_devices(root=tmp_path)["why_not"].startswith("no device")
    write(tmp_path, **{"proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t NVIDIA L4\nGPU UUID: \t GPU-1\n"})
    found = nvidia_devices(root=tmp_path)
    assert (found["devices"][0]["name"], found["devices"][0]["uuid"]) == ("NVIDIA L4", "GPU-1")
    assert found["driver"] == "NVIDIA UNIX Module  600.1  Release"


NODES = "sys/class/kfd/kfd/topology/nodes"


def test_amd_devices_are_the_nodes_with_vector_units(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "dev/kfd": "",
            f"{NODES}/0/properties": "simd_count 0\ncpu_cores_count 8\n",
            f"{NODES}/1/properties": "simd_count 416\ngfx_target_version 90010\n",
            f"{NODES}/1/name": "aldebaran\n",
            f"{NODES}/1/mem_banks/0/properties": "size_in_bytes 68702699520\n",
            f"{NODES}/2/properties": "simd_count 96\ngfx_target_version 110000\nodd line here\n",
        },
    )
    first, second = amd_devices(root=tmp_path)["devices"]
    assert (first["name"], first["target"], first["memory_bytes"]) == ("aldebaran", "gfx90a", 68702699520)
    assert (second["index"], second["name"], second["memory_bytes"]) == (1, "gfx1100", None)


def test_why_there_is_no_amd_device_is_told_apart(tmp_path: Path) -> None:
    assert "not loaded" in amd_devices(root=tmp_path)["why_not"]
    write(tmp_path, **{"sys/class/drm/card0/device/vendor": "0x10de\n"})
    assert "not loaded" in amd_devices(root=tmp_path)["why_not"]
    write(tmp_path, **{"sys/class/drm/card1/device/vendor": "0x1002\n"})
    assert "an AMD device is present" in amd_devices(root=tmp_path)["why_not"]
    write(tmp_path, **{"dev/kfd": ""})
    assert "shows no device" in amd_devices(root=tmp_path)["why_not"]


def test_a_device_this_user_may_not_open_is_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, **{f"{NODES}/1/properties": "simd_count 4\n", "dev/kfd": ""})
    monkeypatch.setattr("stepdown.worker.amd.os.access", lambda *_: False)
    found = amd_devices(root=tmp_path)
    assert found["devices"] == []
    assert "may not be opened" in found["why_not"]


def test_the_survey_lists_what_is_compiled_in_and_what_the_machine_shows() -> None:
    found = survey()
    assert "CPU" in found["onnxruntime"]["compiled_in"]
    assert found["cpu"]["processors"] >= 1
    assert found["nvidia"]["devices"] or found["nvidia"]["why_not"]
    assert found["amd"]["devices"] or found["amd"]["why_not"]


def test_a_device_is_labelled_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "processor_model", lambda: "Example 9000")
    monkeypatch.setattr(room, "nvidia_devices", lambda: {"devices": [{"index": 1, "name": "NVIDIA L4"}]})
    monkeypatch.setattr(room, "amd_devices", lambda: {"devices": []})
    assert device_label(ExecutionProvider.CPU, device_id=0, threads=1) == "Example 9000 (1 thread)"
    assert device_label(ExecutionProvider.CPU, device_id=0, threads=4) == "Example 9000 (4 threads)"
    assert device_label(ExecutionProvider.CUDA, device_id=1, threads=1) == "NVIDIA L4 (1)"
    assert device_label(ExecutionProvider.MIGRAPHX, device_id=0, threads=1) == "unnamed device (0)"
