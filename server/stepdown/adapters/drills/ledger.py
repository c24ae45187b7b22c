"""A ledger that a drill makes unable to write, as on a full disk. No disk is filled."""

from stepdown.adapters.ledger.store import LedgerStore
from stepdown.domain.drills import FaultInjection


class FullLedgerDisk:
    """Meets `ports.Sufferer`."""

    def __init__(self, store: LedgerStore) -> None:
        """The ledger that will fail."""
        self._store = store

    def begin(self, injection: FaultInjection) -> None:
        """Let every commit fail from now on."""
        self._store.fail_as_full(injection.duration_s)

    def end(self, injection: FaultInjection) -> None:
        """Let them through again."""
        del injection
        self._store.recover()
