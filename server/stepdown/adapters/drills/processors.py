"""Half of the processors taken from the server and its workers, as a noisy neighbour or a failed socket would.

Done by affinity, which needs no privilege over one's own processes. Refuses where there is only one processor, and to
touch a thread of anybody else.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from stepdown.domain.drills import DrillRefusedError, FaultInjection

_LOOK_AGAIN_S = 0.05


class HalvedProcessors:
    """Meets `ports.Sufferer`. Each thread gets back the processors that it had; those born meanwhile get all."""

    def __init__(self, workers: Callable[[], Sequence[int]]) -> None:
        """`workers` gives the process ids of those there are now."""
        self._workers = workers
        self._whole: frozenset[int] = frozenset()
        self._left: frozenset[int] = frozenset()
        self._had: dict[int, frozenset[int]] = {}
        self._over = threading.Event()
        self._keeper: threading.Thread | None = None

    def begin(self, injection: FaultInjection) -> None:
        """Take half away. Raises: DrillRefusedError on one processor."""
        del injection
        self._whole = frozenset(os.sched_getaffinity(0))
        self._left = frozenset(sorted(self._whole)[: len(self._whole) // 2])
        if not self._left:
            raise DrillRefusedError("the server has one processor, and no half of it can be taken")
        self._had = {}
        self._over.clear()
        self._confine(born_meanwhile=False)
        self._keeper = threading.Thread(target=self._keep, name="drill-processors", daemon=True)
        self._keeper.start()

    def end(self, injection: FaultInjection) -> None:
        """Give back."""
        del injection
        self._over.set()
        if self._keeper is not None:
            self._keeper.join()
        self._confine(born_meanwhile=True)
        for thread in self._threads():
            if thread in self._had:
                with suppress(OSError):  # it has ended meanwhile
                    os.sched_setaffinity(thread, self._had[thread])

    def _keep(self) -> None:
        """A worker started meanwhile chooses its own processors: it is confined as soon as it is seen."""
        while not self._over.wait(_LOOK_AGAIN_S):
            self._confine(born_meanwhile=True)

    def _confine(self, *, born_meanwhile: bool) -> None:
        for thread in self._threads():
            if thread not in self._had:
                with suppress(OSError):
                    has = frozenset(os.sched_getaffinity(thread))
                    os.sched_setaffinity(thread, (has & self._left) or self._left)
                    # What was born confined inherited that, and has no wish of its own to be kept.
                    self._had[thread] = self._whole if born_meanwhile and has == self._left else has

    def _threads(self) -> Iterator[int]:
        for process in (os.getpid(), *self._workers()):
            with suppress(OSError):  # it has ended meanwhile
                for thread in Path(f"/proc/{process}/task").iterdir():
                    yield int(thread.name)
