"""What this machine can run models on, and why not: asked of child processes that may hang or die without harm.

One child lists (ONNX Runtime's build, NVML, the AMD driver's files); then one child per provider that is compiled in
really loads and runs a model on it. Refuses to load a driver or ONNX Runtime in this process, and to wait for a child
for ever.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stepdown.adapters.worker_pool.log import WorkerLines
from stepdown.adapters.worker_pool.options import CHILD_PROGRAM
from stepdown.adapters.worker_pool.process import worker_environment
from stepdown.adapters.worker_pool.sharing import reserved_cores, this_machine
from stepdown.domain.errors import StepdownError
from stepdown.domain.tiers import ExecutionProvider, maker_of
from stepdown.worker.providers import MODEL_PROVIDERS

_KILLED_S = 1.0
_BROUGHT_BY = {
    ExecutionProvider.CUDA: "make setup LOCK=cuda brings it",
    ExecutionProvider.TENSORRT: "make setup LOCK=cuda brings it",
    ExecutionProvider.MIGRAPHX: "make setup LOCK=migraphx brings it",
    ExecutionProvider.ROCM: "its builds have ended; MIGraphX takes its place",
    ExecutionProvider.CPU: "every build should hold it: reinstall",
}


class InventoryError(StepdownError):
    """The child that lists did not answer: ONNX Runtime itself cannot be loaded, or a driver call hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderVerdict:
    """One execution provider here. `why_not` is empty when it is usable."""

    provider: ExecutionProvider
    compiled_in: bool
    usable: bool
    device: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One accelerator as its driver shows it; `warnings` are reasons to distrust it."""

    name: str
    memory_bytes: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that was found. `processors`: those this process may use, by affinity and quota.

    `memory_bytes`: what it may use of the host's, None if nobody says; `reserved_cores` are kept for CPU tiers where
    accelerator tiers stand beside them.
    """

    runtime_version: str
    processor: str
    processors: int
    memory_bytes: int | None
    reserved_cores: tuple[int, ...]
    devices: tuple[Device, ...]
    providers: tuple[ProviderVerdict, ...]


def take_inventory(*, timeout_s: float = 60.0, device_id: int = 0) -> Inventory:
    """Ask the children.

    Args:
        timeout_s: for each child; a driver may compile or hang.
        device_id: the accelerator to prove, in the driver's order.

    Raises:
        InventoryError: the listing child failed.
    """
    listed, why_not = _ask("inventory", timeout_s=timeout_s)
    if listed is None:
        raise InventoryError(f"no inventory: {why_not}")
    machine = this_machine()
    compiled_in = listed["onnxruntime"]["compiled_in"]
    return Inventory(
        runtime_version=listed["onnxruntime"]["version"],
        processor=listed["cpu"]["name"],
        processors=listed["cpu"]["processors"],
        memory_bytes=machine.memory_bytes,
        reserved_cores=reserved_cores(machine),
        devices=tuple(_device(found) for maker in ("nvidia", "amd") for found in listed[maker]["devices"]),
        providers=tuple(
            _proven(provider, listed, timeout_s=timeout_s, device_id=device_id)
            if provider in compiled_in
            else _not_compiled_in(provider, listed["onnxruntime"]["version"])
            for provider in MODEL_PROVIDERS
        ),
    )


def _device(found: Mapping[str, Any]) -> Device:
    return Device(name=found["name"], memory_bytes=found["memory_bytes"], warnings=tuple(found["warnings"]))


def _not_compiled_in(provider: ExecutionProvider, version: str) -> ProviderVerdict:
    why_not = f"not in this build of ONNX Runtime {version}; {_BROUGHT_BY[provider]}"
    return ProviderVerdict(provider=provider, compiled_in=False, usable=False, device="", why_not=why_not)


def _proven(
    provider: ExecutionProvider, listed: Mapping[str, Any], *, timeout_s: float, device_id: int
) -> ProviderVerdict:
    proof, failure = _ask("prove", provider, "--device", str(device_id), timeout_s=timeout_s)
    if proof is not None and proof["usable"]:
        device = proof["device"]
        return ProviderVerdict(provider=provider, compiled_in=True, usable=True, device=device, why_not="")
    reasons = [] if proof is None else [proof["why_not"]]
    reasons += [failure, _driver_says(provider, listed)]
    why_not = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
    return ProviderVerdict(provider=provider, compiled_in=True, usable=False, device="", why_not=why_not)


def _driver_says(provider: ExecutionProvider, listed: Mapping[str, Any]) -> str:
    maker = maker_of(provider).lower()
    return str(listed[maker]["why_not"]) if maker else ""


def _ask(*arguments: str, timeout_s: float) -> tuple[dict[str, Any] | None, str]:
    """A child's document, and the line of its error stream that names a cause. No document: why there is none."""
    with tempfile.TemporaryDirectory(prefix="stepdown-probe-") as empty:
        child = subprocess.Popen(
            [*CHILD_PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=empty,
            env=worker_environment(os.environ, {}),
            start_new_session=True,
        )
        try:
            output, errors = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _abandon(child)
            return None, f"no answer within {timeout_s:g} s"
    lines = WorkerLines("", _discard)
    lines.feed(errors)
    lines.finish()
    with suppress(ValueError):
        return json.loads(output), lines.telling()
    ended = signal.Signals(-child.returncode).name if child.returncode < 0 else f"exit code {child.returncode}"
    return None, f"the child ended with {ended}" + (f": {lines.telling()}" if lines.telling() else "")


def _abandon(child: subprocess.Popen[bytes]) -> None:
    """Kill, and wait only a moment: a process inside a sick driver does not end."""
    child.kill()
    try:
        child.communicate(timeout=_KILLED_S)
    except subprocess.TimeoutExpired:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        child.returncode = -signal.SIGKILL


def _discard(_line: str) -> None:
    """The lines are only read for the one that tells."""
