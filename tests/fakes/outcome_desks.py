"""A desk for reports whose ledger holds one answer, at place 0, and keeps its records in memory."""

from collections.abc import Sequence

from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.records import ListedRecord, RecordKind
from stepdown.ledger.encoding import encode, encode_facts
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.recording import Recording
from tests.fakes.ledger import FakeLedger

LEDGER = "hospital.example/ledger"
ANSWER = f"{LEDGER}/0"


class OneAnswer:
    """Meets what a desk asks of `ports.LedgerArchive`."""

    def record(self, sequence: int) -> ListedRecord | None:
        if sequence:
            return None
        facts = encode_facts({"pathway": "sepsis-early-warning", "tier": "rules", "band": "HIGH"})
        body = encode(RecordKind.ANSWER, facts=facts, time_s=1_800_000_000.0, sequence=0, previous=b"")
        return ListedRecord(sequence=0, time_s=1_800_000_000.0, kind=RecordKind.ANSWER, leaf=b"\0" * 32, body=body)

    def records(self, *, before: int | None, kind: str, most: int) -> Sequence[ListedRecord]:
        del before, kind, most
        return ()


def outcome_desk(ledger: FakeLedger) -> OutcomeDesk:
    """The desk over that answer."""
    return OutcomeDesk(
        archive=OneAnswer(),  # type: ignore[arg-type]
        recording=Recording(ledger=ledger, digest=lambda content: str(hash(content)), wall_s=SystemClock().wall_s),
        ledger=LEDGER,
        clock=SystemClock(),
        unseal=lambda _, __: b"",
    )
