from dataclasses import replace

import pytest
from grpc import StatusCode

from stepdown.api.v1 import assessments_pb2, bands_pb2, tiers_pb2
from stepdown.domain.bands import Band
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import AnswerGiven, CallShed, RequestRefused
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Urgency
from stepdown.transport.questions import CallTerms, Question
from tests.fakes.assess_requests import ENCOUNTER, assess_request, observation
from tests.fakes.chain import FakeChain, never
from tests.fakes.clinical_pathways import by_model
from tests.fakes.statuses import PATHWAY, degradation
from tests.unit.transport.flow_side import TERMS, Side, answered, refusal, refused


def test_a_models_answer_says_which_tier_gave_it_and_why_no_better_one_did() -> None:
    side = Side()
    side.chain.answer = lambda _: by_model(0.2, degradation("full", Reason.WORKER_LOST, "signal 9"), tier="distilled")
    answer = answered(side.ask())
    assert answer.band == bands_pb2.BAND_HIGH
    assert answer.risk.probability == pytest.approx(0.2)
    assert (answer.answered_by.tier, answer.answered_by.bundle.sha256) == ("distilled", "ab" * 32)
    assert [(each.tier, each.reason) for each in answer.degradations] == [("full", tiers_pb2.REASON_WORKER_LOST)]
    assert answer.rules_assessment.answering.rule_set_id == "news2@1.0.0"
    assert answer.trace_id == TERMS.trace_id
    assert not answer.recorded


def test_the_chain_is_told_all_that_it_decides_by() -> None:
    side = Side()
    side.ask(minimum_tier="rules", urgency=3)
    asked = side.asked
    assert (asked.pathway, asked.minimum_tier, asked.urgency) == (PATHWAY, "rules", Urgency.EMERGENCY)
    assert asked.rules_in_hand
    assert asked.payload is not None
    assert [len(tensor) for tensor in asked.payload.tensors] == [48 * 40 * 4]
    assert 1.9 < asked.deadline_s - side.chain.now_s() <= 2.0


def test_many_encounters_are_put_to_the_chain_at_once_and_one_refusal_fails_no_other() -> None:
    side = Side()
    messages = [assess_request(), assess_request(pathway="unheard-of"), assess_request()]
    arrived: list[Question] = []
    questions = side.flow.begin(messages, TERMS, arrived.append)
    assert [len(batch) for batch in side.chain.submitted] == [2]
    assert len(arrived) == 3
    for question in questions:
        side.flow.conclude(question, TERMS)
    assert [question.failure is None for question in questions] == [True, False, True]
    assert [question.request_id for question in questions] == [message.request_id for message in messages]


def test_nothing_is_put_to_the_chain_when_nothing_need_be_asked() -> None:
    """Row 25: no clinical data is an abstention, and no tier is asked for it."""
    side = Side()
    answer = answered(side.ask(vitals=False))
    assert side.chain.submitted == []
    assert answer.abstention.reason == assessments_pb2.ABSTENTION_REASON_NO_CLINICAL_DATA
    assert answer.band == bands_pb2.BAND_INDETERMINATE
    assert answer.answered_by.tier == "rules"
    (notice,) = side.recorded.notices
    assert isinstance(notice, AnswerGiven)
    assert notice.answered_by is not None
    assert (notice.pathway, notice.answered_by.tier, notice.rows, notice.slack_s) == (PATHWAY, "rules", 1, 2.0)
    assert 0 <= notice.elapsed_s < 2.0


def test_an_abstention_of_a_server_without_rules_has_no_tier_and_no_notice() -> None:
    side = Side(with_rules=False)
    answer = answered(side.ask(vitals=False))
    assert answer.HasField("abstention")
    assert not answer.HasField("answered_by")
    assert not answer.HasField("rules_assessment")
    assert side.recorded.notices == []


def test_an_answer_of_the_chain_is_told_by_the_chain() -> None:
    side = Side()
    side.ask()
    assert side.recorded.notices == []


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"pathway": "unheard-of"}, StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
        ({"pathway": ""}, StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
        ({"pathway": "tensors-only"}, StatusCode.INVALID_ARGUMENT, "PATHWAY_NOT_CLINICAL"),
        ({"minimum_tier": "unheard-of"}, StatusCode.NOT_FOUND, "TIER_UNKNOWN"),
        ({"urgency": 99}, StatusCode.INVALID_ARGUMENT, "ENUM_UNKNOWN"),
        ({"request_id": ""}, StatusCode.INVALID_ARGUMENT, "ID_REQUIRED"),
    ],
)
def test_a_request_that_cannot_be_trusted_is_refused_with_a_reason(
    changes: dict[str, object], code: StatusCode, reason: str
) -> None:
    side = Side()
    assert refused(side.ask(TERMS, **changes)) == (code.value[0], reason)
    assert side.chain.submitted == []


@pytest.mark.parametrize(
    ("pathway", "told"), [(PATHWAY, PATHWAY), ("unheard-of", ""), ("tensors-only", "tensors-only")]
)
def test_observers_hear_of_a_refusal_by_a_configured_name_or_by_none(pathway: str, told: str) -> None:
    side = Side()
    question = side.ask(pathway=pathway, urgency=99)
    assert side.recorded.notices == [RequestRefused(pathway=told, reason=RejectReason(refused(question)[1]))]


def test_a_stored_answer_is_given_again_without_asking() -> None:
    side = Side()
    first = answered(side.ask())
    (_, stored), side.claims.stored = side.claims.settled[0], side.claims.settled[0][1]
    assert answered(side.ask()) == first
    assert stored == first.SerializeToString()
    assert len(side.chain.submitted) == len(side.claims.settled) == 1


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH, StatusCode.INVALID_ARGUMENT),
        (RejectReason.REQUEST_IN_PROGRESS, StatusCode.ABORTED),
    ],
)
def test_a_claim_that_is_refused_is_not_given_back_for_it_is_anothers(reason: RejectReason, code: StatusCode) -> None:
    """Row 27."""
    side = Side()
    side.claims.claim_refusal = refusal(reason)
    assert refused(side.ask()) == (code.value[0], reason)
    assert side.claims.released == [""]


def test_an_encounter_asked_for_too_often_is_refused_and_gives_its_claim_back() -> None:
    """Row 34."""
    side = Side()
    side.claims.rate_refusal = refusal(RejectReason.ENCOUNTER_RATE_LIMITED)
    question = side.ask()
    assert refused(question) == (StatusCode.RESOURCE_EXHAUSTED.value[0], "ENCOUNTER_RATE_LIMITED")
    assert side.claims.released == [question.claim]
    assert side.chain.submitted == []


def no_answer(_: Request) -> Outcome:
    return Outcome(answered_by=None, result=None, degradations=(), attempts=(), failure=Reason.WORKER_LOST)


@pytest.mark.parametrize(
    ("minimum_tier", "code", "reason"),
    [("full", StatusCode.FAILED_PRECONDITION, "TIER_UNAVAILABLE"), ("", StatusCode.UNAVAILABLE, "NO_TIER_ANSWERED")],
)
def test_a_tier_outage_is_an_error_only_where_nobody_may_answer(
    minimum_tier: str, code: StatusCode, reason: str
) -> None:
    """Row 29."""
    side = Side(chain=FakeChain(answer=no_answer))
    question = side.ask(minimum_tier=minimum_tier)
    assert refused(question) == (code.value[0], reason)
    assert side.claims.released == [question.claim]
    assert side.claims.settled == []


def test_a_deadline_that_was_not_set_is_flagged_and_the_budget_holds() -> None:
    """Row 28."""
    side = Side()
    answer = answered(side.ask(CallTerms(caller="x", trace_id="", remaining_s=None)))
    flags = [flag for flag in answer.input_flags if flag.issue == assessments_pb2.INPUT_ISSUE_DEADLINE_NOT_SET]
    assert [flag.detail for flag in flags] == ["the call had no deadline; 500 ms were allowed for the answer"]
    assert 0.4 < side.asked.deadline_s - side.chain.now_s() <= 0.5


@pytest.mark.parametrize("terms", [TERMS, CallTerms(caller="x", trace_id="", remaining_s=None, is_stream=True)])
def test_a_deadline_that_was_set_or_is_not_expected_is_not_flagged(terms: CallTerms) -> None:
    answer = answered(Side().ask(terms))
    assert assessments_pb2.INPUT_ISSUE_DEADLINE_NOT_SET not in {flag.issue for flag in answer.input_flags}


def test_abandoned_questions_are_withdrawn_and_give_their_claims_back() -> None:
    side = Side(chain=FakeChain(answer=never))
    messages = [assess_request(), assess_request(pathway="unheard-of"), assess_request(vitals=False)]
    questions = side.flow.begin(messages, TERMS, lambda _: None)
    side.claims.released.clear()
    side.flow.abandon(questions)
    assert side.chain.cancelled == [questions[0].request]
    assert side.claims.released == [questions[0].claim, questions[2].claim]


def test_a_retraction_of_another_patients_result_forgets_the_answers_and_goes_on_record() -> None:
    """Row 21."""
    side = Side()
    message = assess_request()
    message.observations.append(observation("2823-3", 4.0, "mmol/L", at_s=message.as_of_time.ToSeconds() - 600))
    message.observations[-1].status = 8  # type: ignore[assignment]  # wrong patient
    (question,) = side.flow.begin((message,), TERMS, lambda _: None)
    side.flow.conclude(question, TERMS)
    dropped = answered(question).inputs_dropped
    assert [each.issue for each in dropped] == [assessments_pb2.INPUT_ISSUE_WRONG_PATIENT_RETRACTION]
    assert side.claims.retracted == [ENCOUNTER]
    assert side.recorded.events == [("wrong_patient_retraction", {"pathway": PATHWAY, "trace_id": TERMS.trace_id})]


def test_contributions_come_only_when_they_are_wanted() -> None:
    side = Side(chain=FakeChain(answer=lambda _: by_model(0.2, tier="distilled")))
    assert len(answered(side.ask()).risk.contributions) == 0
    assert len(answered(side.ask(want_contributions=True)).risk.contributions) == 40


def test_a_routine_call_that_waited_is_answered_by_the_rules_and_one_that_waited_long_is_turned_away() -> None:
    side = Side()
    side.ask(replace(TERMS, waited_s=0.5, remaining_s=2.0))
    assert side.asked.models_spared
    turned_away = Side()
    code, reason = refused(turned_away.ask(replace(TERMS, waited_s=2.0, remaining_s=1.0)))
    assert (code, reason) == (StatusCode.RESOURCE_EXHAUSTED.value[0], "OVERLOADED")
    assert turned_away.chain.submitted == []
    assert turned_away.recorded.notices == [CallShed(urgency=Urgency.ROUTINE)]


def test_an_emergency_that_waited_keeps_its_models() -> None:
    side = Side()
    side.ask(replace(TERMS, waited_s=0.8), urgency=3)
    assert not side.asked.models_spared


def test_the_chain_hears_who_asks_and_what_the_rules_say() -> None:
    side = Side()
    side.ask()
    assert (side.asked.client, side.asked.vetted) == (TERMS.caller, True)
    assert side.asked.rules_band is not Band.INDETERMINATE
