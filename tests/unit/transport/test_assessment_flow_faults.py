"""What becomes of an encounter when the chain, a model's outcome or our own code fails."""

from collections.abc import Callable

import pytest
from grpc import StatusCode

from stepdown.api.v1 import tiers_pb2
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.tensors import RowsResult
from stepdown.transport.questions import CallTerms, Question
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import FakeChain, by_rules, never
from tests.fakes.statuses import tier_identity
from tests.unit.transport.flow_side import TERMS, Side, answered, refused


@pytest.mark.parametrize(
    ("remaining_s", "reason", "patience_s"),
    [(2.0, tiers_pb2.REASON_DEADLINE_TOO_SHORT, -0.003), (None, tiers_pb2.REASON_INTERNAL_FAULT, 0.25)],
)
def test_a_chain_that_stays_silent_is_given_up_and_the_rules_in_hand_answer(
    remaining_s: float | None, reason: tiers_pb2.Reason, patience_s: float
) -> None:
    side = Side(chain=FakeChain(answer=never))
    question = side.ask(CallTerms(caller="x", trace_id="", remaining_s=remaining_s))
    answer = answered(question)
    assert side.chain.cancelled == [side.asked]
    assert (answer.answered_by.tier, answer.answered_by.bundle.name) == ("rules", "news2")
    assert [(each.tier, each.reason) for each in answer.degradations] == [
        ("full", reason),
        ("distilled", reason),
    ]
    assert question.until_s - side.asked.deadline_s == pytest.approx(patience_s)


@pytest.mark.parametrize(
    ("remaining_s", "minimum_tier", "with_rules", "code"),
    [
        (None, "full", True, StatusCode.FAILED_PRECONDITION),
        (None, "", False, StatusCode.UNAVAILABLE),
        (2.0, "full", True, StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_the_rules_do_not_answer_for_a_silent_chain_where_they_may_not(
    remaining_s: float | None, minimum_tier: str, *, with_rules: bool, code: StatusCode
) -> None:
    side = Side(chain=FakeChain(answer=never), with_rules=with_rules)
    terms = CallTerms(caller="x", trace_id="", remaining_s=remaining_s)
    assert refused(side.ask(terms, minimum_tier=minimum_tier))[0] == code.value[0]


def raising(_: Request) -> Outcome:
    raise RuntimeError("heart rate 75 of patient Smith")


def unreadable(_: Request) -> Outcome:
    """A model's outcome whose output is cut short."""
    return Outcome(
        answered_by=tier_identity("full"),
        result=RowsResult(outputs={"probability": b"\0"}),
        degradations=(),
        attempts=(),
    )


@pytest.mark.parametrize("answer", [raising, unreadable])
def test_our_own_fault_on_the_way_of_a_model_steps_down_loudly(answer: Callable[[Request], Outcome]) -> None:
    side = Side(chain=FakeChain(answer=answer))
    assert answered(side.ask()).answered_by.tier == "rules"
    assert len(side.recorded.incidents) == 1


def test_a_fault_in_the_middle_of_a_batch_leaves_the_answers_that_were_given() -> None:
    side = Side()
    left = [raising, by_rules]

    def answer(request: Request) -> Outcome:
        return left.pop()(request)

    side.chain.answer = answer
    messages = [assess_request(vitals=False), assess_request(), assess_request(), assess_request()]
    arrived: list[Question] = []
    questions = side.flow.begin(messages, TERMS, arrived.append)
    assert sorted(map(id, arrived)) == sorted(map(id, questions))
    for question in questions:
        side.flow.conclude(question, TERMS)
    tiers = [answered(question).answered_by.tier for question in questions]
    assert tiers == ["rules"] * 4
    assert [len(answered(question).degradations) for question in questions] == [0, 0, 2, 2]


def test_a_question_that_was_never_prepared_has_no_answer() -> None:
    question = Question(request_id="never begun", arrived=lambda _: None, terms=TERMS)
    Side().flow.conclude(question, TERMS)
    assert refused(question) == (StatusCode.UNAVAILABLE.value[0], "NO_TIER_ANSWERED")


def test_our_own_fault_elsewhere_is_an_incident_whose_text_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("heart rate 75 of patient Smith")

    monkeypatch.setattr(side.pathway, "prepare", broken)
    question = side.ask()
    assert refused(question) == (StatusCode.INTERNAL.value[0], "INTERNAL_FAULT")
    assert question.failure is not None
    assert "incident-1" in question.failure.message
    assert "Smith" not in str(question.failure)
    assert len(side.recorded.incidents) == 1
    assert side.claims.released == [question.claim]
