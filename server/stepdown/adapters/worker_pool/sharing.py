"""How one machine is shared among its workers: whose cores, how many threads, how much memory.

The CPU tier is what remains when the accelerator is lost, at the very moment when everybody turns to it. So it has
cores of its own, which the accelerator's worker does not use, and no worker can take the memory of another or of the
server. What a site has set stays as it was set. Refuses to pin anything where there is too little to set apart: on one
or two processors every worker has one thread, and the kernel shares fairly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.memory import allowed_memory
from stepdown.worker.order import WorkerResources
from stepdown.worker.processors import allowed_cores, allowed_processors

TierKey = tuple[str, str]
"""Pathway and tier."""

_MEBIBYTE = 1 << 20
_FEWEST_TO_SET_APART = 3
# The server, its caches and what the kernel needs keep a quarter.
_WORKERS_SHARE = 0.75
# Less than this holds Python and ONNX Runtime and hardly a model: a limit that stops every start protects nobody.
_LEAST_MEMORY_BYTES = 512 * _MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is: usable cores, siblings side by side; processors worth of time; bytes, None if nobody says."""

    cores: tuple[int, ...]
    processors: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDemand:
    """One model tier: the providers it accepts and what the site has set. Zero and empty stand for "share it out"."""

    execution_providers: tuple[ExecutionProvider, ...]
    resources: WorkerResources

    @property
    def on_accelerator(self) -> bool:
        """Whether the tier is meant for a device, even if it accepts the CPU as well."""
        return any(provider is not ExecutionProvider.CPU for provider in self.execution_providers)


def this_machine() -> Machine:
    """What the kernel lets this process use."""
    return Machine(cores=allowed_cores(), processors=allowed_processors(), memory_bytes=allowed_memory())


def reserved_cores(machine: Machine) -> tuple[int, ...]:
    """The cores kept for CPU tiers from the host's work for accelerators: half of them, none where there are few."""
    if machine.processors < _FEWEST_TO_SET_APART:
        return ()
    return machine.cores[-(machine.processors // 2) :]


def share_out(demands: Mapping[TierKey, TierDemand], machine: Machine) -> dict[TierKey, WorkerResources]:
    """What each worker may use."""
    host_side = [key for key, demand in demands.items() if not demand.on_accelerator]
    device_side = [key for key, demand in demands.items() if demand.on_accelerator]
    reserved = reserved_cores(machine) if host_side and device_side else ()
    if reserved:
        rest = tuple(core for core in machine.cores if core not in reserved)
        shares = _threads(host_side, demands, cores=reserved, processors=len(reserved))
        shares |= _threads(device_side, demands, cores=rest, processors=machine.processors - len(reserved))
    else:
        shares = _threads(tuple(demands), demands, cores=(), processors=machine.processors)
    memory_bytes = _memory_each(len(demands), machine)
    return {key: _with_memory(shares[key], memory_bytes) for key in demands}


def _threads(
    keys: Sequence[TierKey], demands: Mapping[TierKey, TierDemand], *, cores: tuple[int, ...], processors: int
) -> dict[TierKey, WorkerResources]:
    """The tiers of one side: each its threads' worth of cores, and all the cores together where they are too few."""
    shares = {}
    each = max(1, processors // len(keys)) if keys else 0
    own = _dealt(cores, len(keys))
    for key, dealt in zip(keys, own, strict=True):
        wanted = demands[key].resources
        threads = wanted.threads or (min(each, len(wanted.cores)) if wanted.cores else each)
        roomy = dealt if threads <= len(dealt) else cores if threads <= len(cores) else ()
        shares[key] = replace(wanted, threads=threads, cores=wanted.cores or roomy)
    return shares


def _dealt(cores: tuple[int, ...], hands: int) -> list[tuple[int, ...]]:
    """Neighbouring cores for each hand, all of them for every hand if there are not enough to go round."""
    if hands == 0:
        return []
    each = len(cores) // hands
    if each == 0:
        return [cores] * hands
    dealt = [cores[number * each : (number + 1) * each] for number in range(hands)]
    return [*dealt[:-1], cores[(hands - 1) * each :]]


def _memory_each(workers: int, machine: Machine) -> int:
    """Bytes for each worker, so that all of them and the server fit; 0, no limit, if nobody says what there is."""
    if machine.memory_bytes is None or not workers:
        return 0
    share = int(machine.memory_bytes * _WORKERS_SHARE / workers)
    return max(_LEAST_MEMORY_BYTES, share // _MEBIBYTE * _MEBIBYTE)


def _with_memory(share: WorkerResources, memory_bytes: int) -> WorkerResources:
    return share if share.memory_bytes else replace(share, memory_bytes=memory_bytes)
