"""Keeps every move of a pathway's tiers, from the moment it is made."""

import time
from threading import Lock, Thread

from stepdown.cli.drill.record import Move
from stepdown.client.drills import DrillClient


class TierWatch:
    """Listens on a thread of its own until the client is closed."""

    def __init__(self, operations: DrillClient, pathway: str) -> None:
        """Begin to listen."""
        self._lock = Lock()
        self._moves: list[Move] = []
        self._thread = Thread(target=self._listen, args=(operations, pathway), name="drill-watch", daemon=True)
        self._thread.start()

    def moves(self) -> tuple[Move, ...]:
        """Those so far, oldest first."""
        with self._lock:
            return tuple(self._moves)

    def _listen(self, operations: DrillClient, pathway: str) -> None:
        known: dict[str, tuple[str, str, int]] = {}
        for tiers in operations.watch(pathway):
            for tier in tiers:
                # Not by its time: that moves with the server's wall clock, though the tier does not.
                state = (tier.state, tier.reason, tier.restarts)
                if known.get(tier.name) != state:
                    known[tier.name] = state
                    move = Move(
                        at_s=tier.state_time_s,
                        tier=tier.name,
                        state=tier.state,
                        reason=tier.reason,
                        heard_s=time.time(),
                    )
                    with self._lock:
                        self._moves.append(move)
