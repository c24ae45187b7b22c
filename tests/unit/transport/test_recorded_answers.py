"""Answers and the ledger: what an answer says of its record, what the record says of the answer, and what waits."""

from dataclasses import replace

import pytest
from grpc import StatusCode

from stepdown.domain.reasons import Reason
from stepdown.domain.records import RecordKind
from stepdown.transport.questions import CallTerms, Question
from stepdown.transport.recording import CallerOnRecord, Recording
from stepdown.transport.waiting import answer_all
from tests.fakes.assess_requests import assess_request
from tests.fakes.clinical_pathways import by_model
from tests.fakes.ledger import FakeLedger
from tests.fakes.statuses import PATHWAY, degradation
from tests.unit.transport.flow_side import TERMS, Side, answered, refused
from tests.unit.transport.grpc_side import Recorded

WAIT_S = 30.0


def side_with(ledger: FakeLedger, *, is_required: bool = False, wait_s: float = WAIT_S) -> Side:
    recording = Recording(
        ledger=ledger,
        digest=lambda content: f"{len(content)} bytes",
        wall_s=lambda: 1_800_000_000.0,
        wait_s=wait_s,
        is_required=is_required,
    )
    return Side(recorded=Recorded(recording=recording))


def begun(side: Side, terms: CallTerms = TERMS) -> tuple[Question, list[Question]]:
    arrived: list[Question] = []
    (question,) = side.flow.begin((assess_request(),), terms, arrived.append)
    side.flow.conclude(question, terms)
    return question, arrived


def test_an_answer_that_is_on_the_disk_says_so_and_where() -> None:
    ledger = FakeLedger()
    answer = answered(side_with(ledger).ask())
    assert (answer.recorded, answer.record_id) == (True, "hospital.example/ledger/0")


def test_the_record_says_who_asked_which_tier_answered_and_why_no_better_one_did() -> None:
    ledger = FakeLedger()
    side = side_with(ledger)
    side.chain.answer = lambda _: by_model(0.2, degradation("full", Reason.WORKER_LOST, "signal 9"), tier="distilled")
    answer = answered(side.ask())
    (draft,) = ledger.drafts
    assert (draft.kind, draft.time_s) == (RecordKind.ANSWER, 1_800_000_000.0)
    facts = draft.facts
    assert (facts["caller"], facts["trace_id"]) == (TERMS.caller, TERMS.trace_id)
    assert (facts["request_id"], facts["pathway"], facts["tier"]) == (answer.request_id, PATHWAY, "distilled")
    assert (facts["bundle_sha256"], facts["degradations"]) == ("ab" * 32, ["full: WORKER_LOST"])
    assert (facts["band"], facts["abstention"], facts["rule_set"]) == ("HIGH", None, "news2@1.0.0")


def test_the_record_holds_digests_of_the_request_and_of_the_answer_without_its_place() -> None:
    ledger = FakeLedger()
    side = side_with(ledger)
    answer = answered(side.ask())
    sent = assess_request()
    answer.ClearField("recorded")
    answer.ClearField("record_id")
    facts = ledger.drafts[0].facts
    assert facts["answer_hmac"] == f"{len(answer.SerializeToString())} bytes"
    assert facts["request_hmac"] == f"{len(sent.SerializeToString())} bytes"


def test_an_abstention_is_an_answer_on_record() -> None:
    ledger = FakeLedger()
    assert answered(side_with(ledger).ask(vitals=False)).recorded
    assert ledger.drafts[0].facts["abstention"] == "NO_CLINICAL_DATA"


def test_no_value_and_no_token_is_put_on_record() -> None:
    ledger = FakeLedger()
    side_with(ledger).ask()
    sent = assess_request()
    said = str(ledger.drafts)
    assert sent.subject_token not in said
    assert sent.encounter_token not in said


def test_an_answer_waits_for_its_record() -> None:
    ledger = FakeLedger(is_quick=False)
    side = side_with(ledger)
    question, arrived = begun(side)
    assert question.is_concluded
    assert not question.is_settled
    assert 0 < question.until_s - side.chain.now_s() <= 2.0
    ledger.settle()
    assert arrived[-1] is question
    side.flow.conclude(question, TERMS)
    assert answered(question).record_id == "hospital.example/ledger/0"
    assert side.claims.settled


def test_an_answer_without_a_deadline_waits_as_long_as_the_site_allows() -> None:
    side = side_with(FakeLedger(is_quick=False))
    question, _ = begun(side, replace(TERMS, remaining_s=None))
    assert 2.0 < question.until_s - side.chain.now_s() <= WAIT_S


def test_an_answer_whose_record_is_late_goes_out_and_says_that_it_is_not_recorded() -> None:
    ledger = FakeLedger(is_quick=False)
    side = side_with(ledger)
    question, _ = begun(side)
    side.flow.conclude(question, TERMS)
    assert not answered(question).recorded
    assert ledger.unrecorded == 1
    ledger.settle()
    side.flow.conclude(question, TERMS)
    assert not answered(question).recorded


def test_an_answer_on_a_disk_that_takes_nothing_goes_out_at_once() -> None:
    ledger = FakeLedger(is_down=True)
    answer = answered(side_with(ledger).ask())
    assert (answer.recorded, answer.record_id, ledger.unrecorded) == (False, "", 1)


def test_where_a_record_is_required_nothing_goes_out_without_one_and_the_request_may_be_sent_again() -> None:
    ledger = FakeLedger(is_down=True)
    side = side_with(ledger, is_required=True)
    assert refused(side.ask()) == (StatusCode.UNAVAILABLE.value[0], "LEDGER_UNAVAILABLE")
    assert [draft.kind for draft in ledger.drafts] == [RecordKind.ANSWER, RecordKind.REFUSAL]
    assert side.claims.settled == []


def test_a_refusal_is_on_record_with_its_reason_and_without_what_the_client_called_it() -> None:
    ledger = FakeLedger()
    side_with(ledger).ask(pathway="unheard-of", request_id="John Smith 12-03-1950")
    (draft,) = ledger.drafts
    assert (draft.kind, draft.facts["reason"]) == (RecordKind.REFUSAL, "PATHWAY_UNKNOWN")
    assert "Smith" not in str(draft)


def test_nobodys_answer_and_our_own_fault_are_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = FakeLedger()
    side = side_with(ledger)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("heart rate 75")

    monkeypatch.setattr(side.pathway, "prepare", broken)
    side.ask()
    assert ledger.drafts[0].facts["reason"] == "INTERNAL_FAULT"
    assert ledger.drafts[0].facts["incident_id"] == "incident-1"


def test_without_a_ledger_nothing_is_digested_and_every_answer_says_that_it_is_not_recorded() -> None:
    side = Side()
    question = side.ask()
    assert not answered(question).recorded
    assert question.request_digest == ""
    nobody = CallerOnRecord(name="", trace_id="", request_digest="")
    assert Recording().inference(by_model(0.2), b"", nobody, rows=1)
    Recording().count_unrecorded()


def test_a_batch_waits_once_for_all_its_records() -> None:
    ledger = FakeLedger(is_quick=False)
    side = side_with(ledger)
    real_conclude = side.flow.conclude
    concluded: list[Question] = []

    def conclude(question: Question, terms: CallTerms) -> None:
        real_conclude(question, terms)
        concluded.append(question)
        if len(concluded) == 3:  # only when the chain is done with all of them does the disk answer
            for number in range(3):
                ledger.settle(number)

    side.flow.conclude = conclude  # type: ignore[method-assign]
    questions = answer_all(side.flow, [assess_request() for _ in range(3)], TERMS, when_gone=lambda _: True)
    assert [answered(question).record_id for question in questions] == [
        f"hospital.example/ledger/{number}" for number in range(3)
    ]


def test_a_batch_whose_records_are_late_goes_out_without_them() -> None:
    ledger = FakeLedger(is_quick=False)
    side = side_with(ledger, wait_s=0.001)
    questions = answer_all(side.flow, [assess_request() for _ in range(3)], TERMS, when_gone=lambda _: True)
    assert [answered(question).recorded for question in questions] == [False] * 3
    assert ledger.unrecorded == 3


NOBODY = CallerOnRecord(name="x", trace_id="y", request_digest="z")


def test_tensors_are_put_on_record_without_waiting() -> None:
    ledger = FakeLedger(is_quick=False)
    assert Recording(ledger=ledger).inference(by_model(0.2), b"answer", NOBODY, rows=3)
    assert (ledger.drafts[0].kind, ledger.drafts[0].facts["rows"]) == (RecordKind.ANSWER, 3)


@pytest.mark.parametrize(
    ("ledger", "goes_out"),
    [(FakeLedger(), True), (FakeLedger(is_down=True), False), (FakeLedger(is_quick=False), False)],
)
def test_tensors_wait_where_a_record_is_required(ledger: FakeLedger, *, goes_out: bool) -> None:
    recording = Recording(ledger=ledger, wait_s=0.001, is_required=True)
    assert recording.inference(by_model(0.2), b"answer", NOBODY, rows=1) is goes_out


def test_an_inference_that_nobody_answered_is_no_answer_on_record() -> None:
    ledger = FakeLedger()
    assert Recording(ledger=ledger).inference(replace(by_model(0.2), answered_by=None), b"", NOBODY, rows=1)
    assert ledger.drafts == []
