"""A ledger in memory that acknowledges when it is told to, and how one is doing."""

from collections.abc import Callable
from dataclasses import replace

from stepdown.domain.records import Draft, LedgerState, LedgerStatus
from stepdown.ports import Receipt


def ledger_status(**changes: object) -> LedgerStatus:
    """A ledger that is well, but for what is named."""
    status = LedgerStatus(
        name="hospital.example/ledger",
        state=LedgerState.WRITING,
        detail="",
        size=7,
        waiting=0,
        unrecorded=0,
        missed=0,
        checkpoint_size=7,
        checkpoint_lag_s=0.0,
        commits=3,
        commit_total_s=0.25,
    )
    return replace(status, **changes)  # type: ignore[arg-type]


class FakeReceipt:
    """What became of a record."""

    def __init__(self, when_done: Callable[[Receipt], None] | None) -> None:
        self.when_done = when_done
        self.is_done = False
        self.record_id = ""


class FakeLedger:
    """Meets `ports.Ledger`. `is_quick`: every record is on the disk before `submit` returns; else `settle` does it.

    `is_down`: no record ever gets there.
    """

    def __init__(self, *, is_quick: bool = True, is_down: bool = False) -> None:
        self.drafts: list[Draft] = []
        self.receipts: list[FakeReceipt] = []
        self.unrecorded = 0
        self._is_quick = is_quick
        self._is_down = is_down

    def submit(self, draft: Draft, when_done: Callable[[Receipt], None] | None = None) -> FakeReceipt:
        receipt = FakeReceipt(when_done)
        self.drafts.append(draft)
        self.receipts.append(receipt)
        if self._is_down:
            receipt.is_done = True
        elif self._is_quick:
            receipt.is_done, receipt.record_id = True, f"hospital.example/ledger/{len(self.drafts) - 1}"
        return receipt

    def settle(self, number: int = -1) -> None:
        """The record is on the disk now."""
        receipt = self.receipts[number]
        receipt.is_done, receipt.record_id = True, f"hospital.example/ledger/{self.receipts.index(receipt)}"
        if receipt.when_done is not None:
            receipt.when_done(receipt)

    def count_unrecorded(self) -> None:
        self.unrecorded += 1

    def status(self) -> LedgerStatus:
        return ledger_status(size=len(self.drafts), unrecorded=self.unrecorded)
