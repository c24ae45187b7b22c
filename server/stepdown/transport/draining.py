"""Tells open streams that the server is stopping, so that each ends at a place of its own choosing.

Refuses to end anything itself.
"""

import threading
from collections.abc import Callable


class DrainSignal:
    """Set once, for good. Those who watch are called once, from the thread that sets it, and must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether the server is stopping."""
        return self._is_set

    def set(self) -> None:
        """The server is stopping."""
        with self._lock:
            self._is_set = True
            watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Call `watcher` when it is set, at once if it is. Returns the way to stop."""
        with self._lock:
            if not self._is_set:
                self._watchers.append(watcher)
                return lambda: self._forget(watcher)
        watcher()
        return _nothing

    def _forget(self, watcher: Callable[[], None]) -> None:
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)


def _nothing() -> None:
    """There is nothing to stop."""
