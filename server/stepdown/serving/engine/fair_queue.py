"""Cases of one urgency, shared fairly among those who sent them: whoever was served least comes first.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), counted in rows. A client that sends a thousand at once
waits behind its own; another client's next one passes between. Only
clients with something waiting have a lane. What has ended counts no longer, and is swept out before it outweighs the
rest.
"""

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, heapreplace

from stepdown.serving.engine.case import Case

_SPARE = 32


class _Lane:
    """What one client has waiting. `rows` and `waiting` count what has not ended."""

    __slots__ = ("cases", "client", "rows", "waiting")

    def __init__(self, client: str) -> None:
        self.client = client
        self.cases: deque[Case] = deque()
        self.rows = 0
        self.waiting = 0

    def sweep(self, mark: int) -> None:
        """Let go of ended cases where they outnumber the others."""
        if len(self.cases) > 2 * self.waiting + _SPARE:
            self.cases = deque(case for case in self.cases if case.queued & mark)


class FairQueue:
    """One lane for each client that has something waiting. `mark` is this queue's bit in `Case.queued`."""

    __slots__ = ("_ahead", "_lanes", "_mark", "_served", "_ticket", "_turns", "rows")

    def __init__(self, mark: int) -> None:
        """Start empty."""
        self._mark = mark
        self._lanes: dict[str, _Lane] = {}
        # Rows served to a lane when its next turn comes, a tie-breaker, the lane.
        self._turns: list[tuple[int, int, _Lane]] = []
        # The same of clients that have no lane, where it is more than the others have had.
        self._ahead: dict[str, int] = {}
        self._served = 0
        self._ticket = 0
        self.rows = 0

    def __iter__(self) -> Iterator[Case]:
        """Everything that waits, client by client."""
        for lane in self._lanes.values():
            for case in lane.cases:
                if case.queued & self._mark:
                    yield case

    def put(self, case: Case) -> None:
        """Let a case wait."""
        client = case.request.client
        lane = self._lanes.get(client) or self._open(client)
        case.queued |= self._mark
        lane.cases.append(case)
        lane.rows += case.rows
        lane.waiting += 1
        self.rows += case.rows

    def head(self) -> Case:
        """Whose turn it is. Something must wait."""
        lane = self._turns[0][2]
        while self._lanes.get(lane.client) is not lane:
            heappop(self._turns)
            lane = self._turns[0][2]
        while not lane.cases[0].queued & self._mark:
            lane.cases.popleft()
        return lane.cases[0]

    def take(self) -> Case:
        """Take out whose turn it is. Something must wait."""
        case = self.head()
        served, _, lane = self._turns[0]
        self._served = served
        lane.cases.popleft()
        self._ticket += 1
        heapreplace(self._turns, (served + case.rows, self._ticket, lane))
        self._discount(lane, case)
        if not lane.waiting:
            self._remember(lane.client, served + case.rows)
        return case

    def ended(self, case: Case) -> None:
        """A case that waits here wants no answer any more."""
        lane = self._lanes[case.request.client]
        self._discount(lane, case)
        lane.sweep(self._mark)

    def can_displace(self, client: str, *, rows: int) -> bool:
        """Whether another client has so much waiting that giving way to `rows` more of this one's would be fair."""
        longest = max(self._lanes.values(), key=_rows, default=None)
        return longest is not None and longest.rows > self.rows_of(client) + rows

    def displaced(self) -> Case:
        """Take out the newest case of the client that has most waiting. Something must wait."""
        longest = max(self._lanes.values(), key=_rows)
        while not longest.cases[-1].queued & self._mark:
            longest.cases.pop()
        case = longest.cases.pop()
        self._discount(longest, case)
        return case

    def rows_of(self, client: str) -> int:
        """Rows that a client has waiting."""
        lane = self._lanes.get(client)
        return lane.rows if lane is not None else 0

    def rows_before(self, client: str) -> int:
        """Rows that are served before the next case of a client: its own, and as many of each other client's."""
        return min(self.rows, (self.rows_of(client) + 1) * len(self._lanes))

    def _open(self, client: str) -> _Lane:
        lane = self._lanes[client] = _Lane(client)
        self._ticket += 1
        turn = max(self._served, self._ahead.pop(client, 0))
        heappush(self._turns, (turn, self._ticket, lane))
        if len(self._turns) > 2 * len(self._lanes) + _SPARE:
            self._turns = [turn for turn in self._turns if self._lanes.get(turn[2].client) is turn[2]]
            heapify(self._turns)
        return lane

    def _remember(self, client: str, served: int) -> None:
        """A client with nothing more waiting is ahead of the others all the same, until they have caught up."""
        if not self._lanes:
            self._ahead.clear()
            return
        self._ahead[client] = served
        if len(self._ahead) > 2 * len(self._lanes) + _SPARE:
            self._ahead = {each: turn for each, turn in self._ahead.items() if turn > self._served}

    def _discount(self, lane: _Lane, case: Case) -> None:
        case.queued &= ~self._mark
        lane.rows -= case.rows
        lane.waiting -= 1
        self.rows -= case.rows
        if not lane.waiting:
            del self._lanes[lane.client]


def _rows(lane: _Lane) -> int:
    return lane.rows
