"""Faults in the workers of a pool: put in, remembered while they last, and taken back by themselves.

At most one per tier at a time. Faults of a process end with it; faults of a device hold for every process that the tier
starts meanwhile. Refuses all of them unless the pool was made for drills.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from stepdown.adapters.worker_pool.life import WorkerLife
from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.domain.drills import LOAD_FAULTS, DrillRefusedError, FaultInjection, InjectableFault, InjectedFault
from stepdown.worker.order import DrillTerms


class WorkerPoolDrills:
    """Any thread may call. What was put in is taken back on the loop's thread, whether or not anyone still waits."""

    def __init__(
        self, options: WorkerPoolOptions, *, loop: ListeningLoop, lives: Callable[[], Sequence[WorkerLife]]
    ) -> None:
        """`lives` gives the workers there are now."""
        self._options = options
        self._loop = loop
        self._lives = lives
        self._lock = threading.Lock()
        self._active: dict[tuple[str, str], tuple[InjectedFault, WorkerLife]] = {}

    def inject(self, injection: FaultInjection) -> InjectedFault:
        """Put a fault into the worker that serves a tier. Raises: DrillRefusedError when it cannot be done."""
        if not self._options.drills_permitted:
            raise DrillRefusedError("this server permits no drills")
        instant = injection.fault is InjectableFault.WORKER_KILLED
        now_s = time.time()
        injected = InjectedFault(
            injection=injection, start_time_s=now_s, end_time_s=now_s + (0.0 if instant else injection.duration_s)
        )
        if not self._sufferer(injected).suffer(injection):
            self._forget(injected)
            raise DrillRefusedError("the tier's worker cannot be reached")
        if instant:
            self._end(injected, "done")
        else:
            self._loop.call_soon(partial(self._plan_end, injected))
        return injected

    def active(self) -> tuple[InjectedFault, ...]:
        """The faults that last."""
        with self._lock:
            return tuple(injected for injected, _ in self._active.values())

    def terms(self, pathway: str, tier: str) -> DrillTerms:
        """What a process that is started now for this tier must know."""
        with self._lock:
            injected, _ = self._active.get((pathway, tier), (None, None))
        fault = injected.injection.fault if injected is not None else None
        return DrillTerms(permitted=self._options.drills_permitted, load_fault=fault if fault in LOAD_FAULTS else None)

    def _sufferer(self, injected: InjectedFault) -> WorkerLife:
        place = _place(injected)
        with self._lock:
            if place in self._active:
                raise DrillRefusedError("a fault is active in this tier already")
            life = next((life for life in self._lives() if life.serves(*place)), None)
            if life is None:
                raise DrillRefusedError("the tier has no worker that serves")
            self._active[place] = (injected, life)
        return life

    # --- the loop's thread -----------------------------------------------------------------------------------------

    def worker_gone(self, life: WorkerLife) -> None:
        """A worker ended, and what ailed its process with it."""
        with self._lock:
            sufferers = tuple(self._active.values())
        for injected, sufferer in sufferers:
            if sufferer is life and injected.injection.fault not in LOAD_FAULTS:
                self._end(injected, "its process ended")

    def _plan_end(self, injected: InjectedFault) -> None:
        self._loop.call_in(injected.injection.duration_s, partial(self._take_back, injected), key=injected)

    def _take_back(self, injected: InjectedFault) -> None:
        with self._lock:
            known, life = self._active.get(_place(injected), (None, None))
        if known is injected and life is not None:
            life.recover(injected.injection)
            self._end(injected, "taken back")

    def _end(self, injected: InjectedFault, how: str) -> None:
        if self._forget(injected):
            self._options.drill_ended(injected, how)

    def _forget(self, injected: InjectedFault) -> bool:
        place = _place(injected)
        with self._lock:
            known, _ = self._active.get(place, (None, None))
            if known is injected:
                del self._active[place]
        return known is injected


def _place(injected: InjectedFault) -> tuple[str, str]:
    return injected.injection.pathway, injected.injection.tier
