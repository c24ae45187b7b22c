"""Records on their way to the disk, in memory and in order. Refuses to grow beyond its bound: it counts instead.

While the disk takes nothing, what comes is kept and its sender told at once that it is not recorded. What no longer
fits is given up, the newest first, so that what is kept has no hole; and how much it was is put on the ledger later.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition
from typing import TypeAlias

from stepdown.adapters.ledger.journal import Entry
from stepdown.domain.records import Draft, RecordKind
from stepdown.ledger.encoding import encode_facts

GATHER_S = 0.004
"""For how long a group is gathered, where more than one record waits. One alone is written at once."""


class Receipt:
    """What becomes of one record. `record_id` is empty unless the record is known to be on the disk."""

    __slots__ = ("is_done", "record_id", "when_done")

    def __init__(self, when_done: "WhenDone | None") -> None:
        """Nothing is known yet; `when_done` is called once when it is, from the thread that writes."""
        self.when_done = when_done
        self.is_done = False
        self.record_id = ""

    def settle(self, record_id: str) -> None:
        """It is on the disk under this id; or with an empty one, it is not by now."""
        self.record_id = record_id
        self.is_done = True
        if self.when_done is not None:
            self.when_done(self)


WhenDone: TypeAlias = Callable[[Receipt], None]


class Spool:
    """Filled by any thread, emptied by one. `missed` counts what did not fit, since `missed_since_s`."""

    def __init__(self, *, capacity: int) -> None:
        """Hold at most `capacity` records."""
        self._capacity = capacity
        self._condition = Condition()
        self._waiting: deque[tuple[Entry, Receipt]] = deque()
        self._taken: Sequence[tuple[Entry, Receipt]] = ()
        self._is_idle = False
        self._refusing = False
        self._closed = False
        self.missed = 0
        self._told = 0
        self._telling = 0
        self._missed_since_s = 0.0

    def put(self, draft: Draft, when_done: WhenDone | None) -> Receipt:
        """Take a record. While the disk takes nothing, and where there is no room, the receipt given is done already.

        Then `when_done` is not called.
        """
        receipt = Receipt(when_done)
        entry = Entry(kind=draft.kind, time_s=draft.time_s, facts=encode_facts(draft.facts))
        with self._condition:
            if self._closed or len(self._waiting) + len(self._taken) >= self._capacity:
                self._miss(draft.time_s)
                receipt.is_done = True
            else:
                receipt.is_done = self._refusing
                self._waiting.append((entry, receipt))
                if self._is_idle:
                    self._is_idle = False
                    self._condition.notify()
        return receipt

    def take(self, *, most: int, wait_s: float) -> Sequence[tuple[Entry, Receipt]]:
        """The oldest records, in order, waited for at most so long. They count as here until `written`."""
        with self._condition:
            if not self._waiting and not self._closed and wait_s > 0:
                self._is_idle = True
                self._condition.wait(wait_s)
                self._is_idle = False
            if len(self._waiting) > 1 and not self._closed:
                # Several come at once: those that come a moment later share the same commit.
                self._condition.wait(GATHER_S)
            self._taken = tuple(self._waiting.popleft() for _ in range(min(most, len(self._waiting))))
            return self._taken

    def written(self) -> None:
        """What was taken is on the disk, and what was untold is told."""
        with self._condition:
            self._taken = ()
            self._told += self._telling
            self._telling = 0

    def accept(self) -> None:
        """The disk takes records: from now on they are worth waiting for."""
        with self._condition:
            self._refusing = False

    def refuse(self) -> None:
        """The disk takes nothing: whoever waits is told so, and so is whoever comes until something was written."""
        with self._condition:
            self._refusing = True
            unsettled = [receipt for _, receipt in (*self._taken, *self._waiting) if not receipt.is_done]
        for receipt in unsettled:
            receipt.settle("")

    def give_back(self) -> None:
        """What was taken is certainly not on the disk, and is to be taken again."""
        with self._condition:
            self._waiting.extendleft(reversed(self._taken))
            self._taken = ()

    def pause(self, seconds: float) -> None:
        """Wait, unless it is closed."""
        with self._condition:
            if not self._closed:
                self._condition.wait_for(lambda: self._closed, seconds)

    def untold(self, *, time_s: float) -> tuple[Entry, ...]:
        """A record of what was given up and is not on the ledger yet; none if nothing was."""
        with self._condition:
            self._telling = self.missed - self._told
            if not self._telling:
                return ()
            facts = encode_facts({"count": self._telling, "since_us": int(self._missed_since_s * 1e6)})
            return (Entry(kind=RecordKind.RECORDS_MISSED, time_s=time_s, facts=facts),)

    def rest(self, seconds: float) -> None:
        """Wait until woken, or so long."""
        with self._condition:
            self._condition.wait(seconds)

    def wake(self) -> None:
        """Whoever waits for records looks up, as there may be something else to do."""
        with self._condition:
            self._condition.notify()

    def close(self) -> None:
        """Take nothing more; what waits can still be taken out."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more comes."""
        return self._closed

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)

    def _miss(self, time_s: float) -> None:
        if self.missed == self._told + self._telling:
            self._missed_since_s = time_s
        self.missed += 1
