"""Calls that wait to be begun: who is next, and who is turned away because it would be begun too late. Reads no clock.

The more urgent go first, and one turn in eight is kept for each class that is passed over. Within a class callers take
turns by the work that they bring (start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996). What is known of a
call is what it will probably cost; a line that grows longer than its newest can wait turns that one away, or the newest
of a caller who has more waiting. Refuses to hold what cannot be begun in time.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from stepdown.domain.tiers import Urgency

Item = TypeVar("Item")

_FIRST_TO_LAST = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.ROUTINE)
_PASSED_AT_MOST = 7
_REMEMBERED = 256


@dataclass(slots=True, kw_only=True, eq=False)
class Waiting(Generic[Item]):
    """One call that waits. `cost_s`: what it will probably cost to answer; `limit_s`: how long it can wait from now."""

    item: Item
    caller: str
    urgency: Urgency
    cost_s: float
    limit_s: float


@dataclass(slots=True, eq=False)
class _Class(Generic[Item]):
    """What waits with one urgency, by caller. `served`: work begun for a caller, on a scale that all share."""

    queues: dict[str, deque[Waiting[Item]]] = field(default_factory=dict)
    costs_s: dict[str, float] = field(default_factory=dict)
    cost_s: float = 0.0
    served: dict[str, float] = field(default_factory=dict)
    level: float = 0.0
    passed: int = 0

    def before_s(self, caller: str, cost_s: float) -> float:
        """The work that is begun before this much more of a caller's: its own, and as much of every other's."""
        own_s = self.costs_s.get(caller, 0.0)
        return own_s + sum(min(own_s + cost_s, other_s) for who, other_s in self.costs_s.items() if who != caller)

    def put(self, waiting: Waiting[Item]) -> None:
        caller = waiting.caller
        queue = self.queues.get(caller)
        if queue is None:
            queue = self.queues[caller] = deque()
            self.served[caller] = max(self.level, self.served.get(caller, 0.0))
        queue.append(waiting)
        self.costs_s[caller] = self.costs_s.get(caller, 0.0) + waiting.cost_s
        self.cost_s += waiting.cost_s

    def take(self) -> Waiting[Item]:
        caller = min(self.queues, key=self.served.__getitem__)
        waiting = self.queues[caller][0]
        self.level = self.served[caller]
        self.served[caller] += waiting.cost_s
        self.remove(waiting)
        return waiting

    def newest_of_longest(self) -> Waiting[Item]:
        return self.queues[max(self.costs_s, key=self.costs_s.__getitem__)][-1]

    def remove(self, waiting: Waiting[Item]) -> None:
        caller = waiting.caller
        queue = self.queues[caller]
        queue.remove(waiting)
        if queue:
            self.costs_s[caller] -= waiting.cost_s
            self.cost_s -= waiting.cost_s
            return
        del self.queues[caller], self.costs_s[caller]
        self.cost_s = sum(self.costs_s.values())
        if not self.queues:
            self.served.clear()
            self.level = 0.0
        elif len(self.served) > len(self.queues) + _REMEMBERED:
            self.served = {who: self.served[who] for who in self.queues}


class WaitingLine(Generic[Item]):
    """`stretch` (settable): how much longer work takes from its beginning to the next one's than its own cost."""

    def __init__(self) -> None:
        """Start empty."""
        self.stretch = 1.0
        self._classes: dict[Urgency, _Class[Item]] = {urgency: _Class() for urgency in _FIRST_TO_LAST}

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return any(each.queues for each in self._classes.values())

    def wait_s(self, urgency: Urgency, caller: str, cost_s: float) -> float:
        """How long a call of this caller would wait, if it came now."""
        ahead_s = self._classes[urgency].before_s(caller, cost_s)
        for higher in _FIRST_TO_LAST[: _FIRST_TO_LAST.index(urgency)]:
            ahead_s += self._classes[higher].cost_s
        return ahead_s * self.stretch

    def has_room(self, waiting: Waiting[Item]) -> bool:
        """Whether it would be begun in time, if need be at the cost of a caller that has more waiting."""
        if self.wait_s(waiting.urgency, waiting.caller, waiting.cost_s) <= waiting.limit_s:
            return True
        return self._can_displace(waiting)

    def join(self, waiting: Waiting[Item]) -> Waiting[Item] | None:
        """Let it wait. Returns who is turned away for it: itself, one of a caller who has more waiting, or nobody."""
        among = self._classes[waiting.urgency]
        given_up = None
        if self.wait_s(waiting.urgency, waiting.caller, waiting.cost_s) > waiting.limit_s:
            if not self._can_displace(waiting):
                return waiting
            given_up = among.newest_of_longest()
            among.remove(given_up)
        among.put(waiting)
        return given_up

    def leave(self, waiting: Waiting[Item]) -> None:
        """It waits no more."""
        self._classes[waiting.urgency].remove(waiting)

    def take(self) -> Waiting[Item]:
        """Take out whose turn it is. Something must wait."""
        waiting_classes = [each for each in map(self._classes.__getitem__, _FIRST_TO_LAST) if each.queues]
        chosen = next((each for each in waiting_classes if each.passed >= _PASSED_AT_MOST), waiting_classes[0])
        for each in waiting_classes:
            each.passed = 0 if each is chosen else each.passed + 1
        return chosen.take()

    def _can_displace(self, waiting: Waiting[Item]) -> bool:
        among = self._classes[waiting.urgency]
        own_s = among.costs_s.get(waiting.caller, 0.0) + waiting.cost_s
        return max(among.costs_s.values(), default=0.0) > own_s
