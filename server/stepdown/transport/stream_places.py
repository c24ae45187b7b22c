"""Open streams have places of their own, and no caller can take all of them. Refuses to wait for one."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from stepdown.transport.refusals import limit_passed


class StreamPlaces:
    """A bounded number of places, of which one caller may hold some."""

    def __init__(self, *, places: int, caller_places: int) -> None:
        self._places = places
        self._caller_places = caller_places
        self._lock = Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def held_by(self, caller: str) -> Iterator[None]:
        """Hold a place. Raises: RequestRejectedError TOO_LARGE if there is none for this caller."""
        with self._lock:
            if self._taken.total() >= self._places:
                text = "too many streams are open on this server"
                raise limit_passed("maximum_streams", self._places, field="", description=text)
            if self._taken[caller] >= self._caller_places:
                text = "one caller holds too many streams on this server"
                raise limit_passed("maximum_streams_of_a_caller", self._caller_places, field="", description=text)
            self._taken[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[caller] -= 1
