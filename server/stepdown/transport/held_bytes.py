"""Bounds the memory that calls hold in messages, in all and for each caller.

A message counts from when it was received, or made, until its call has ended: so an answer that nobody reads counts
for as long as it lies here. Refuses what comes on top of a full share, never what is held already.
"""

from collections import Counter
from threading import Lock

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason

RETRY_S = 1.0


class HeldBytes:
    """A count of bytes by caller. Any thread may hold and release."""

    def __init__(self, *, limit: int, caller_limit: int) -> None:
        """In bytes: what all callers together, and what each of them, may hold when another message arrives."""
        self._limit = limit
        self._caller_limit = caller_limit
        self._lock = Lock()
        self._held = 0
        self._by_caller: Counter[str] = Counter()

    def hold(self, caller: str, size: int) -> None:
        """Count an answer, which exists already and cannot be refused."""
        with self._lock:
            self._held += size
            self._by_caller[caller] += size

    def admit(self, caller: str, size: int) -> None:
        """Count a request. Raises: RequestRejectedError TOO_LARGE, for a while, where there is no room for it."""
        with self._lock:
            own = self._by_caller[caller]
            if own and own + size > self._caller_limit:
                raise _full("maximum_held_bytes_of_a_caller", self._caller_limit)
            if self._held and self._held + size > self._limit:
                raise _full("maximum_held_bytes", self._limit)
            self._held += size
            self._by_caller[caller] += size

    def release(self, caller: str, size: int) -> None:
        """The call has ended."""
        with self._lock:
            self._held -= size
            self._by_caller[caller] -= size
            if not self._by_caller[caller]:
                del self._by_caller[caller]

    @property
    def total(self) -> int:
        """Bytes held now."""
        return self._held


def _full(name: str, limit: int) -> RequestRejectedError:
    text = f"messages of {limit} bytes in all are held here already: read the answers, and ask again in a moment"
    violation = FieldViolation(field="", reason=RejectReason.TOO_LARGE, description=text)
    return RequestRejectedError(
        reason=RejectReason.TOO_LARGE, violations=(violation,), limits={name: limit}, retry_after_s=RETRY_S
    )
