"""A bell that remembers having been rung: how a stream's thread waits for changes without missing or hoarding them."""

import threading


class Doorbell:
    """Rings between two waits count as one; closing it is for good. Any thread may ring."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = False
        self._closed = False

    def ring(self) -> None:
        """Something changed."""
        with self._condition:
            self._rung = True
            self._condition.notify()

    def close(self) -> None:
        """Nobody is interested any more."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def wait(self) -> bool:
        """Until it is rung (True) or closed (False)."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung or self._closed)
            self._rung = False
            return not self._closed
