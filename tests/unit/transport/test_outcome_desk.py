"""Reports on answers: on the ledger once, sealed, and told to whoever judges tiers by them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack

import pytest

from stepdown.adapters.ledger.keys import DigestKey
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.adapters.system_clock import SystemClock
from stepdown.api.v1 import outcomes_pb2 as wire
from stepdown.client.outcomes import FeedbackDetail, feedback_report, outcome_report
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.outcomes import AnswerReport, OutcomeLabel
from stepdown.domain.reasons import RejectReason
from stepdown.domain.records import Draft, Fact, LedgerUnavailableError, RecordKind
from stepdown.ledger.encoding import decode
from stepdown.ports import LedgerArchive
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.recording import Recording
from tests.fakes.ledger import FakeLedger
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk

KEY = DigestKey(secret=b"\x05" * 32)
ANSWER = f"{NAME}/0"
SCORE = 0.125
USER = "u-7f3a"
COMMENT = "the canary sang twice"
FACTS = {
    "pathway": "sepsis-early-warning",
    "tier": "full",
    "bundle_sha256": "ab" * 32,
    "band": "HIGH",
    "answer_hmac": "cd" * 32,
    "score_sealed": KEY.seal(pack(">d", SCORE), "cd" * 32),
}


class Watch:
    """Keeps what it is told. Meets `ports.OutcomeWatch`."""

    def __init__(self) -> None:
        self.reports: list[AnswerReport] = []

    def reported(self, report: AnswerReport) -> None:
        self.reports.append(report)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerOnDisk]:
    one = LedgerOnDisk(tmp_path)
    one.store.start()
    put(one, FACTS)
    yield one
    one.store.close()


def put(ledger: LedgerOnDisk, facts: Mapping[str, Fact], kind: RecordKind = RecordKind.ANSWER) -> None:
    recording = Recording(ledger=ledger.store, wall_s=SystemClock().wall_s)
    assert recording.report(kind, facts)


def desk(ledger: LedgerOnDisk, watch: Watch | None = None, *, archive: LedgerArchive | None = None) -> OutcomeDesk:
    recording = Recording(ledger=ledger.store, digest=KEY.digest, seal=KEY.seal, wall_s=SystemClock().wall_s)
    return OutcomeDesk(
        archive=archive or LedgerReader(ledger.file),
        recording=recording,
        ledger=NAME,
        clock=SystemClock(),
        unseal=KEY.unseal,
        watch=watch,
    )


def label(report_id: str = "r-1", *, answer: str = ANSWER) -> wire.RecordOutcomeRequest:
    now = datetime.now(tz=UTC)
    return outcome_report(
        answer, event="PREDICTED", onset=now - timedelta(hours=2), ascertained=now, report_id=report_id
    )


def facts_of(ledger: LedgerOnDisk, record_id: str) -> dict[str, Fact]:
    record = LedgerReader(ledger.file).record(int(record_id.rpartition("/")[2]))
    assert record is not None
    return dict(decode(record.body or b"").facts)


def refusal(one: OutcomeDesk, message: wire.RecordOutcomeRequest) -> RejectReason:
    with pytest.raises(RequestRejectedError) as caught:
        one.take(message)
    return caught.value.reason


def test_an_outcome_is_on_the_ledger_beside_its_answer_and_says_nothing_of_the_patient_in_clear(
    ledger: LedgerOnDisk,
) -> None:
    message = label()
    record_id = desk(ledger).take(message)
    facts = facts_of(ledger, record_id)
    assert (facts["answer"], facts["tier"], facts["event"]) == (ANSWER, "full", "PREDICTED")
    assert "occurred" not in facts
    unsealed = json.loads(KEY.unseal(str(facts["sealed"]), str(facts["report"])))
    assert unsealed["occurred"] is True
    assert unsealed["onset_us"] == message.outcome.onset_time.ToMicroseconds()


def test_feedback_is_kept_with_its_words_sealed(ledger: LedgerOnDisk) -> None:
    detail = FeedbackDetail(override_reason="OTHER_CAUSE", user_token=USER, location="ICU-2", comment=COMMENT)
    report = feedback_report(ANSWER, response="OVERRIDDEN", given=datetime.now(tz=UTC), detail=detail)
    facts = facts_of(ledger, desk(ledger).take(report))
    assert (facts["response"], facts["override_reason"], facts["action"]) == ("OVERRIDDEN", "OTHER_CAUSE", None)
    assert COMMENT not in json.dumps(facts)
    unsealed = json.loads(KEY.unseal(str(facts["sealed"]), str(facts["report"])))
    assert (unsealed["comment"], unsealed["user"], unsealed["location"]) == (COMMENT, USER, "ICU-2")
    assert all(COMMENT.encode() not in file.read_bytes() for file in ledger.folder.glob("ledger.db*"))


def test_who_judges_tiers_hears_of_it_with_the_answers_score(ledger: LedgerOnDisk) -> None:
    watch = Watch()
    desk(ledger, watch).take(label())
    (told,) = watch.reports
    assert (told.answer.tier, told.answer.band, told.answer.probability) == ("full", "HIGH", SCORE)
    assert isinstance(told.report, OutcomeLabel)
    assert told.report.occurred


def test_an_answer_by_rules_has_no_score(ledger: LedgerOnDisk) -> None:
    put(ledger, {**FACTS, "score_sealed": None})
    watch = Watch()
    desk(ledger, watch).take(label(answer=f"{NAME}/1"))
    assert watch.reports[0].answer.probability is None


def test_the_same_report_counts_once_and_another_under_its_name_is_refused(ledger: LedgerOnDisk) -> None:
    watch, message = Watch(), label()
    one = desk(ledger, watch)
    assert one.take(message) == one.take(message)
    assert len(watch.reports) == 1
    assert refusal(one, label()) is RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH
    assert one.take(label("r-2")) != one.take(message)


def test_a_report_is_known_again_after_a_restart(ledger: LedgerOnDisk) -> None:
    message = label()
    feedback = feedback_report(ANSWER, response="ACCEPTED", given=datetime.now(tz=UTC), report_id="f-1")
    before = desk(ledger)
    first = (before.take(message), before.take(feedback))
    after = desk(ledger)
    assert (after.take(message), after.take(feedback)) == first
    assert refusal(after, label()) is RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH


@pytest.mark.parametrize("answer", ["x", f"{NAME}/", f"{NAME}/x", f"{NAME}/99", "other/0", f"{NAME}/{'9' * 30}"])
def test_an_answer_that_is_not_there_is_unknown(ledger: LedgerOnDisk, answer: str) -> None:
    assert refusal(desk(ledger), label(answer=answer)) is RejectReason.RECORD_UNKNOWN


def test_what_is_no_answer_is_not_reported_on(ledger: LedgerOnDisk) -> None:
    put(ledger, {}, RecordKind.REFUSAL)
    assert refusal(desk(ledger), label(answer=f"{NAME}/1")) is RejectReason.RECORD_UNKNOWN


def test_an_answer_whose_body_was_let_go_is_not_reported_on(ledger: LedgerOnDisk) -> None:
    class Pruned(LedgerReader):
        def record(self, sequence: int) -> object:  # type: ignore[override]
            record = super().record(sequence)
            return None if record is None else replace(record, body=None)

    one = desk(ledger, archive=Pruned(ledger.file))  # type: ignore[arg-type]
    assert refusal(one, label()) is RejectReason.RECORD_UNKNOWN


def test_an_answer_that_was_sealed_with_another_key_cannot_be_read(ledger: LedgerOnDisk) -> None:
    put(ledger, {**FACTS, "score_sealed": DigestKey(secret=b"\x06" * 32).seal(b"12345678", "cd" * 32)})
    assert refusal(desk(ledger), label(answer=f"{NAME}/1")) is RejectReason.LEDGER_UNAVAILABLE


def test_a_ledger_that_cannot_be_read_refuses_for_a_while(ledger: LedgerOnDisk) -> None:
    class Away(LedgerReader):
        def record(self, sequence: int) -> None:
            raise LedgerUnavailableError(f"{sequence}: away")

    assert refusal(desk(ledger, archive=Away(ledger.file)), label()) is RejectReason.LEDGER_UNAVAILABLE


def test_a_report_that_does_not_reach_the_disk_is_refused_and_can_be_sent_again(ledger: LedgerOnDisk) -> None:
    one, message = desk(ledger), label()
    one._recording = Recording(ledger=FakeLedger(is_down=True), digest=KEY.digest)  # noqa: SLF001
    assert refusal(one, message) is RejectReason.LEDGER_UNAVAILABLE
    one._recording = Recording(ledger=ledger.store, digest=KEY.digest, seal=KEY.seal)  # noqa: SLF001
    assert one.take(message) == f"{NAME}/1"


def test_without_a_ledger_there_is_no_record() -> None:
    assert not Recording().report(RecordKind.OUTCOME, {})


def test_a_draft_bears_the_time_of_the_server(ledger: LedgerOnDisk) -> None:
    fake = FakeLedger()
    Recording(ledger=fake, wall_s=lambda: 7.0).report(RecordKind.OUTCOME, {})
    assert fake.drafts == [Draft(kind=RecordKind.OUTCOME, time_s=7.0, facts={})]
    assert ledger.errors == []
