"""How the pool treats its workers: what each may use, how long it may take, and which program it is.

Plain values, chosen by the composition root. Refuses to read configuration or the environment by itself.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stepdown.domain.drills import InjectedFault
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.worker.order import WorkerResources
from stepdown.worker.parcel import DelayedContent

CHILD_PROGRAM = (sys.executable, "-P", "-s", "-u", "-m", "stepdown.worker")
"""A child that has not been told what to do: neither the folder it stands in nor a user's own packages on its path."""

WORKER_PROGRAM = (*CHILD_PROGRAM, "serve")


def _ignore(_line: str) -> None:
    """Nobody asked for the log."""


def _admit_all(_order: SpawnWorker) -> Mapping[str, DelayedContent]:
    """Nothing is encrypted, and no evidence is asked for."""
    return MappingProxyType({})


def _unheard(_injected: InjectedFault, _how: str) -> None:
    """Nobody asked how drills end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPoolOptions:
    """What holds for every worker of a pool; `tier_resources` by (pathway, tier) where a tier differs.

    `load_timeout_s` is per execution provider tried and covers compilation. `ending_s` is how long a killed process may
    take before the pool stops waiting for it. `environment` is added to the little that a worker inherits. Faults can
    be put into workers only if `drills_permitted`; `drill_ended` is told of each that is over, and how it ended.
    `admit` is asked before each process is started, and gives what the sealed files of its bundle hold (raises
    WorkerError); it must not take long, since other starts wait.
    """

    resources: WorkerResources = field(default_factory=WorkerResources)
    tier_resources: Mapping[tuple[str, str], WorkerResources] = field(default_factory=lambda: MappingProxyType({}))
    load_timeout_s: float = 300.0
    warm_up_s: float = 0.5
    ending_s: float = 5.0
    maximum_mailbox_bytes: int = 1 << 30
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    program: tuple[str, ...] = WORKER_PROGRAM
    log: Callable[[str], None] = _ignore
    drills_permitted: bool = False
    drill_ended: Callable[[InjectedFault, str], None] = _unheard
    admit: Callable[[SpawnWorker], Mapping[str, DelayedContent]] = _admit_all

    def resources_of(self, pathway: str, tier: str) -> WorkerResources:
        """What the worker of this tier may use."""
        return self.tier_resources.get((pathway, tier), self.resources)
