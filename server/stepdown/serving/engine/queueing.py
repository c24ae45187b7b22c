"""Cases waiting for a tier, most urgent first, and the batches made of them."""

from collections.abc import Iterator

from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.fair_queue import FairQueue

MOST_URGENT_FIRST = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.ROUTINE)

# Of every so many rows taken while others wait, one is owed to each class that has to let them pass.
_OWED_IN = 8


class CaseQueue:
    """The urgent pass those who wait, clients of one urgency take turns, and nobody waits without end.

    Every case in it still wants an answer from this tier: one that ends elsewhere is told to `ended`.
    """

    __slots__ = ("_mark", "_owed", "_waiting", "rows")

    def __init__(self, rank: int) -> None:
        """Make the empty queue of the tier of this rank."""
        self._mark = 1 << rank
        self._waiting = {urgency: FairQueue(self._mark) for urgency in MOST_URGENT_FIRST}
        self._owed = dict.fromkeys(MOST_URGENT_FIRST, 0)
        self.rows = 0

    def put(self, case: Case) -> None:
        """Let a case wait."""
        self._waiting[case.request.urgency].put(case)
        self.rows += case.rows

    def ended(self, case: Case) -> None:
        """A case wants no answer any more; nothing happens where it does not wait here."""
        if case.queued & self._mark:
            self._waiting[case.request.urgency].ended(case)
            self.rows -= case.rows

    def take_batch(self, *, maximum_rows: int, now_s: float) -> tuple[Case, ...]:
        """Up to `maximum_rows` rows of cases that still want an answer from this tier.

        Vetted and unvetted input never share a batch: what an unvetted row does to a run costs no patient an answer.
        """
        batch: list[Case] = []
        rows = 0
        while (queue := self._turn()) is not None:
            case = queue.head()
            if now_s >= case.answer_by_s:
                self.ended(case)
                continue
            if rows + case.rows > maximum_rows or (batch and case.request.vetted is not batch[0].request.vetted):
                break
            queue.take()
            self._settle_up(case)
            rows += case.rows
            batch.append(case)
        self.rows -= rows
        return tuple(batch)

    def clear(self) -> tuple[Case, ...]:
        """Empty the queue; returns what waited."""
        left = self.cases()
        for case in left:
            self.ended(case)
        return left

    def cases(self) -> tuple[Case, ...]:
        """Everything waiting."""
        return tuple(self._everything())

    def rows_before(self, urgency: Urgency, client: str) -> int:
        """Rows that would be served before a new case of that client."""
        before = MOST_URGENT_FIRST[: MOST_URGENT_FIRST.index(urgency)]
        return sum(self._waiting[each].rows for each in before) + self._waiting[urgency].rows_before(client)

    def can_displace(self, urgency: Urgency, client: str, *, rows: int) -> bool:
        """Whether a full queue gives way: the less urgent do, and of one urgency the client with more than its part."""
        own = self._waiting[urgency]
        return self._least_urgent(urgency) is not own or own.can_displace(client, rows=rows)

    def displaced(self, urgency: Urgency) -> Case:
        """Take out the newest case of the client with most waiting, of the least urgent that wait."""
        case = self._least_urgent(urgency).displaced()
        self.rows -= case.rows
        return case

    def _least_urgent(self, urgency: Urgency) -> FairQueue:
        """The class that gives way to this one: the least urgent in which somebody waits, itself at the last."""
        return next(queue for each, queue in reversed(self._waiting.items()) if queue.rows or each is urgency)

    def _everything(self) -> Iterator[Case]:
        for queue in self._waiting.values():
            yield from queue

    def _turn(self) -> FairQueue | None:
        """The class to be served next: one that has waited for its due, else the most urgent."""
        chosen = None
        for urgency, queue in self._waiting.items():
            if queue.rows:
                if chosen is not None and self._owed[urgency] >= _OWED_IN:
                    return queue
                chosen = chosen or queue
        return chosen

    def _settle_up(self, case: Case) -> None:
        """Whoever was passed is owed a little more; whoever passed pays for each row, if need be in advance."""
        served = case.request.urgency
        overtook = passed = False
        for urgency, queue in self._waiting.items():
            if urgency is served:
                self._owed[urgency] = self._owed[urgency] - _OWED_IN * case.rows if overtook else 0
                passed = True
            elif passed and queue.rows:
                self._owed[urgency] += case.rows
            elif queue.rows:
                overtook = True
