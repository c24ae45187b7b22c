"""Lets so many calls be worked on at a time, and takes turns among callers when more come than that.

A place that becomes free goes to the caller with the fewest, so that one who sends a thousand at once holds up nobody
else. Refuses whoever has waited too long already: an answer that comes too late costs the next one its time as well.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

from stepdown.ports import Clock
from stepdown.transport.refusals import overloaded


class _Waiting:
    """One call that waits. `called` is set when it has been given a place."""

    __slots__ = ("called",)

    def __init__(self) -> None:
        self.called = Event()


class Turns:
    """`places` calls at a time; each waits at most `maximum_wait_s`, what it waited before it came here included."""

    def __init__(self, *, places: int, maximum_wait_s: float, clock: Clock) -> None:
        self._free = places
        self._maximum_wait_s = maximum_wait_s
        self._clock = clock
        self._lock = Lock()
        self._working: dict[str, int] = {}
        self._waiting: dict[str, deque[_Waiting]] = {}

    @contextmanager
    def taken_by(self, caller: str, *, waited_s: float) -> Iterator[float]:
        """Hold a place; gives the seconds waited in all. Raises: RequestRejectedError OVERLOADED."""
        if waited_s >= self._maximum_wait_s:
            raise overloaded()
        came_s = self._clock.monotonic_s()
        self._take(caller, patience_s=self._maximum_wait_s - waited_s)
        try:
            yield waited_s + self._clock.monotonic_s() - came_s
        finally:
            self._give_back(caller)

    def _take(self, caller: str, *, patience_s: float) -> None:
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                self._count(caller, 1)
                return
            mine = _Waiting()
            self._waiting.setdefault(caller, deque()).append(mine)
        if not mine.called.wait(patience_s):
            self._leave(caller, mine)

    def _leave(self, caller: str, mine: _Waiting) -> None:
        """Waited in vain, unless the place was given in this very moment. Raises: RequestRejectedError OVERLOADED."""
        with self._lock:
            if mine.called.is_set():
                return
            queue = self._waiting[caller]
            queue.remove(mine)
            if not queue:
                del self._waiting[caller]
        raise overloaded()

    def _give_back(self, caller: str) -> None:
        with self._lock:
            self._count(caller, -1)
            if not self._waiting:
                self._free += 1
                return
            following = min(self._waiting, key=lambda each: self._working.get(each, 0))
            queue = self._waiting[following]
            self._count(following, 1)
            queue.popleft().called.set()
            if not queue:
                del self._waiting[following]

    def _count(self, caller: str, change: int) -> None:
        number = self._working.get(caller, 0) + change
        if number:
            self._working[caller] = number
        else:
            del self._working[caller]
