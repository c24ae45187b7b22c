"""Cases waiting for a tier, most urgent first, and the batches made of them."""

from collections import deque

from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.case import Case

_CLASSES = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.ROUTINE)


class CaseQueue:
    """First come first served within each urgency. Cases that ended while waiting are skipped, never sent."""

    __slots__ = ("_rank", "_waiting", "rows")

    def __init__(self, rank: int) -> None:
        """Make the empty queue of the tier of this rank."""
        self._rank = rank
        self._waiting: dict[Urgency, deque[Case]] = {urgency: deque() for urgency in _CLASSES}
        self.rows = 0

    def put(self, case: Case) -> None:
        """Let a case wait."""
        self._waiting[case.request.urgency].append(case)
        self.rows += case.rows

    def take_batch(self, *, maximum_rows: int, now_s: float) -> tuple[Case, ...]:
        """Up to `maximum_rows` rows of cases that still want an answer from this tier."""
        batch: list[Case] = []
        rows = 0
        for urgency in _CLASSES:
            waiting = self._waiting[urgency]
            while waiting:
                case = waiting[0]
                if not self._wanted(case, now_s):
                    waiting.popleft()
                    self.rows -= case.rows
                    continue
                if rows + case.rows > maximum_rows:
                    return tuple(batch)
                waiting.popleft()
                self.rows -= case.rows
                rows += case.rows
                batch.append(case)
        return tuple(batch)

    def clear(self) -> tuple[Case, ...]:
        """Empty the queue; returns the cases that still wanted an answer."""
        left = tuple(case for waiting in self._waiting.values() for case in waiting if not case.done)
        for waiting in self._waiting.values():
            waiting.clear()
        self.rows = 0
        return left

    def cases(self) -> tuple[Case, ...]:
        """Everything waiting and not ended."""
        return tuple(case for waiting in self._waiting.values() for case in waiting if not case.done)

    def _wanted(self, case: Case, now_s: float) -> bool:
        return not case.done and self._rank in case.asked_s and now_s < case.answer_by_s
