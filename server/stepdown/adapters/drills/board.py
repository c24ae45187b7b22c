"""Where faults are put in, wherever they act, and taken back when their time is over.

Each fault has a timer of this process: it ends whether or not whoever asked for it is still there. Refuses a second
fault in a place that has one.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from stepdown.domain.drills import TIER_FAULTS, DrillRefusedError, FaultInjection, InjectableFault, InjectedFault
from stepdown.ports import Drills, Sufferer


class DrillBoard:
    """Meets `ports.Drills`. Any thread may call."""

    def __init__(
        self,
        *,
        workers: Drills,
        sufferers: Mapping[InjectableFault, Sufferer],
        ended: Callable[[InjectedFault, str], None],
        incident: Callable[[Exception], object],
    ) -> None:
        """`workers` suffer what no one of `sufferers` does. `ended` is told of each fault that is over, and how."""
        self._workers = workers
        self._sufferers = sufferers
        self._ended = ended
        self._incident = incident
        # What fails may ask for the status, which shows the faults.
        self._lock = threading.RLock()
        self._active: dict[tuple[str, ...], tuple[InjectedFault, threading.Timer]] = {}

    def inject(self, injection: FaultInjection) -> InjectedFault:
        """Put it in. Raises: DrillRefusedError, and nothing happened."""
        with self._lock:
            if any(each.injection.place == injection.place for each in self._present()):
                raise DrillRefusedError("a fault is active there already; it must end first")
            sufferer = self._sufferers.get(injection.fault)
            if sufferer is None and injection.fault not in TIER_FAULTS:
                raise DrillRefusedError("this server has nothing that could suffer it")
            if sufferer is None:
                return self._workers.inject(injection)
            sufferer.begin(injection)
            now_s = time.time()
            injected = InjectedFault(injection=injection, start_time_s=now_s, end_time_s=now_s + injection.duration_s)
            timer = threading.Timer(injection.duration_s, partial(self._end, injected, "taken back"))
            timer.name, timer.daemon = "drill-end", True
            self._active[injection.place] = injected, timer
            timer.start()
            return injected

    def injected(self) -> tuple[InjectedFault, ...]:
        """The faults that last, wherever they act."""
        with self._lock:
            return self._present()

    def close(self) -> None:
        """Take back what is still in: the server is stopping."""
        with self._lock:
            active = tuple(self._active.values())
        for injected, timer in active:
            timer.cancel()
            self._end(injected, "the server stopped")

    def _present(self) -> tuple[InjectedFault, ...]:
        return (*self._workers.injected(), *(injected for injected, _ in self._active.values()))

    def _end(self, injected: InjectedFault, how: str) -> None:
        injection = injected.injection
        with self._lock:
            known, _ = self._active.get(injection.place, (None, None))
            if known is not injected:
                return
            del self._active[injection.place]
            try:
                self._sufferers[injection.fault].end(injection)
            except Exception as error:  # noqa: BLE001 - a fault that cannot be taken back must be heard of
                self._incident(error)
        self._ended(injected, how)
