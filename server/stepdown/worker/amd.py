"""AMD devices as the kernel shows them: the compute driver's topology in sysfs. No library is loaded.

Refuses to conclude: it lists what the amdgpu driver offers for computing, and says why there is nothing.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

_VENDOR = "0x1002"


def amd_devices(*, root: Path = Path("/")) -> dict[str, Any]:
    """`devices` (name, target, memory_bytes, warnings) and, when there are none, `why_not`."""
    devices = [{"index": index, **node} for index, node in enumerate(_nodes(root / "sys/class/kfd/kfd/topology/nodes"))]
    why_not = "" if devices else _why_not(root)
    if devices and not os.access(root / "dev/kfd", os.R_OK | os.W_OK):
        devices, why_not = [], "/dev/kfd may not be opened by this user (group render or video)"
    return {"devices": devices, "why_not": why_not}


def _nodes(folder: Path) -> list[dict[str, Any]]:
    """Topology nodes with vector units: processors are nodes too, with none."""
    found: list[dict[str, Any]] = []
    with suppress(OSError):
        for node in sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name)):
            properties = _properties(node / "properties")
            if properties.get("simd_count", 0) > 0:
                found.append(_described(node, properties))
    return found


def _described(node: Path, properties: dict[str, int]) -> dict[str, Any]:
    name = ""
    with suppress(OSError):
        name = (node / "name").read_text(encoding="utf-8").strip()
    major, minor, stepping = _target(properties.get("gfx_target_version", 0))
    target = f"gfx{major}{minor:x}{stepping:x}" if major else ""
    memory = sum(_properties(bank / "properties").get("size_in_bytes", 0) for bank in (node / "mem_banks").glob("*"))
    return {"name": name or target or "AMD device", "target": target, "memory_bytes": memory or None, "warnings": []}


def _target(version: int) -> tuple[int, int, int]:
    """`gfx_target_version` is major*10000 + minor*100 + stepping; 90010 is gfx90a."""
    return version // 10_000, version // 100 % 100, version % 100


def _properties(path: Path) -> dict[str, int]:
    properties = {}
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(" ")
            with suppress(ValueError):
                properties[name] = int(value)
    return properties


def _why_not(root: Path) -> str:
    if (root / "dev/kfd").exists():
        return "the AMD compute driver is loaded and shows no device"
    for vendor in (root / "sys/class/drm").glob("card*/device/vendor"):
        with suppress(OSError):
            if vendor.read_text(encoding="utf-8").strip() == _VENDOR:
                return "an AMD device is present, its compute driver is not (no /dev/kfd)"
    return "no AMD device, or its driver is not loaded (no /dev/kfd)"
