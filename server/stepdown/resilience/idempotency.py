"""Gives a repeated request the answer it got the first time, within bounded memory. Reads no clock, takes no lock.

The caller names each request by a key that is its own (its identity and the `request_id`), so that two callers cannot
read each other's answers; and drives the store from one thread at a time.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Not seen before, or no longer remembered: do the work, then `complete` or `abandon`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Generic[Answer]):
    """Answered before and still valid."""

    answer: Answer


Claim: TypeAlias = Fresh | Replay[Answer]

FRESH = Fresh()


@dataclass(slots=True, kw_only=True)
class _Entry(Generic[Answer]):
    """One key: under way while `answer` is None. `kept` False: what it rests on was taken back meanwhile."""

    digest: str
    encounter_token: str
    answer: Answer | None = None
    valid_until_s: float = 0.0
    kept: bool = True


class IdempotencyStore(Generic[Answer]):
    """Remembers at most `maximum_entries` requests, oldest out first; what is under way is never forgotten.

    When everything remembered is under way, a new request is let through unremembered: the patient's answer matters
    more than the answer to a repetition.
    """

    __slots__ = ("_entries", "_field", "_maximum_entries", "_retry_after_s")

    def __init__(self, *, maximum_entries: int = 10_000, retry_after_s: float = 0.5, field: str = "request_id") -> None:
        """Bound the memory, and say when a repetition of a request under way may try again.

        `field` is what clients call the key.
        """
        self._field = field
        self._maximum_entries = maximum_entries
        self._retry_after_s = retry_after_s
        self._entries: OrderedDict[str, _Entry[Answer]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, key: str, digest: str, *, encounter_token: str, now_s: float) -> Claim[Answer]:
        """Claim a key for a payload.

        Raises:
            RequestRejectedError: IDEMPOTENCY_PAYLOAD_MISMATCH where the key stands for another payload,
                REQUEST_IN_PROGRESS where the same request is still being answered.
        """
        entry = self._entries.get(key)
        if entry is not None and entry.answer is not None and now_s >= entry.valid_until_s:
            del self._entries[key]
            entry = None
        if entry is None:
            if self._has_room():
                self._entries[key] = _Entry(digest=digest, encounter_token=encounter_token)
            return FRESH
        if entry.digest != digest:
            raise self._refused(
                RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH,
                f"names another request: use a new {self._field} for new content",
            )
        if entry.answer is None:
            raise self._refused(
                RejectReason.REQUEST_IN_PROGRESS,
                "the same request is still being answered",
                retry_after_s=self._retry_after_s,
            )
        return Replay(answer=entry.answer)

    def complete(self, key: str, answer: Answer, *, valid_until_s: float) -> None:
        """Keep the answer for repetitions while it is valid. An unknown key was let through unremembered."""
        entry = self._entries.get(key)
        if entry is None:
            return
        if not entry.kept:
            del self._entries[key]
            return
        entry.answer = answer
        entry.valid_until_s = valid_until_s
        self._entries.move_to_end(key)

    def abandon(self, key: str) -> None:
        """The request ended without an answer: its next repetition is a new attempt."""
        entry = self._entries.get(key)
        if entry is not None and entry.answer is None:
            del self._entries[key]

    def invalidate(self, encounter_token: str) -> int:
        """Let no answer for an encounter be given again: something it rests on was another patient's.

        Answers are forgotten, requests under way will not be remembered. Returns how many answers were forgotten.
        """
        held = [key for key, entry in self._entries.items() if entry.encounter_token == encounter_token]
        answered = [key for key in held if self._entries[key].answer is not None]
        for key in held:
            self._entries[key].kept = False
        for key in answered:
            del self._entries[key]
        return len(answered)

    def _has_room(self) -> bool:
        """Whether one more entry fits, after letting go of the oldest answer if need be."""
        if len(self._entries) < self._maximum_entries:
            return True
        oldest = next((key for key, entry in self._entries.items() if entry.answer is not None), None)
        if oldest is None:
            return False
        del self._entries[oldest]
        return True

    def _refused(
        self, reason: RejectReason, description: str, *, retry_after_s: float | None = None
    ) -> RequestRejectedError:
        violation = FieldViolation(field=self._field, reason=reason, description=description)
        return RequestRejectedError(reason=reason, violations=(violation,), retry_after_s=retry_after_s)
