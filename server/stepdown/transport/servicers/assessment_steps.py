"""`AssessRisk` and `BatchAssessRisk` in steps. The answers are those of `AssessmentServicer`, made by the same flow."""

from collections.abc import Callable, Sequence

from google.rpc.status_pb2 import Status

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.domain.tiers import Urgency
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.codec.enumerations import URGENCIES
from stepdown.transport.codec.item_failures import encode_failure
from stepdown.transport.codec.wire_bytes import embedded, tag
from stepdown.transport.questions import CallTerms, Question
from stepdown.transport.servicers.assessment import refuse_too_many
from stepdown.transport.stepwise import StepTerms

ASSESS_RISK = "/stepdown.api.v1.AssessmentService/AssessRisk"
BATCH_ASSESS_RISK = "/stepdown.api.v1.AssessmentService/BatchAssessRisk"

_ANSWER = tag(wire.AssessRiskResponse.ASSESSMENT_FIELD_NUMBER, "bytes")
_RESULT = tag(wire.BatchAssessRiskResponse.RESULTS_FIELD_NUMBER, "bytes")
_RESULT_ANSWER = tag(wire.BatchAssessRiskResult.ASSESSMENT_FIELD_NUMBER, "bytes")
_URGENCY_ORDER = (Urgency.ROUTINE, Urgency.URGENT, Urgency.EMERGENCY)


class AssessRiskSteps:
    """Meets `StepwiseMethod`."""

    def __init__(self, flow: AssessmentFlow) -> None:
        self._flow = flow

    def parse(self, message: bytes) -> wire.AssessRiskRequest:
        """One request."""
        return wire.AssessRiskRequest.FromString(message)

    def urgency(self, request: wire.AssessRiskRequest) -> Urgency:
        """As it says; routine where that is nothing that is known, which intake refuses."""
        return _urgency(request)

    def begin(
        self, request: wire.AssessRiskRequest, terms: StepTerms, arrived: Callable[[object], None]
    ) -> "QuestionsAnswer":
        """One question."""
        return QuestionsAnswer(self._flow, (request,), terms, arrived=arrived, encode=_single)


class BatchAssessRiskSteps:
    """Meets `StepwiseMethod`."""

    def __init__(self, flow: AssessmentFlow) -> None:
        self._flow = flow

    def parse(self, message: bytes) -> wire.BatchAssessRiskRequest:
        """One batch."""
        return wire.BatchAssessRiskRequest.FromString(message)

    def urgency(self, request: wire.BatchAssessRiskRequest) -> Urgency:
        """Of the most urgent of its encounters."""
        return max(map(_urgency, request.requests), key=_URGENCY_ORDER.index, default=Urgency.ROUTINE)

    def begin(
        self, request: wire.BatchAssessRiskRequest, terms: StepTerms, arrived: Callable[[object], None]
    ) -> "QuestionsAnswer":
        """All its questions. Raises: RequestRejectedError for too many."""
        refuse_too_many(len(request.requests))
        return QuestionsAnswer(self._flow, request.requests, terms, arrived=arrived, encode=_many)


class QuestionsAnswer:
    """Meets `StepwiseAnswer`: ends when every question is settled."""

    def __init__(
        self,
        flow: AssessmentFlow,
        messages: Sequence[wire.AssessRiskRequest],
        terms: StepTerms,
        *,
        arrived: Callable[[object], None],
        encode: Callable[[Sequence[Question]], bytes | Status],
    ) -> None:
        self._flow = flow
        self._encode = encode
        call = terms.call
        self._terms = CallTerms(
            caller=call.caller.name,
            trace_id=call.trace.trace_id,
            remaining_s=terms.remaining_s,
            waited_s=call.waited_s,
        )
        self._questions = flow.begin(messages, self._terms, arrived)

    @property
    def until_s(self) -> float:
        """The last moment of the question that has the least time."""
        return min((each.until_s for each in self._questions if not each.is_settled), default=0.0)

    def arrived(self, what: object) -> None:
        """One question's outcome, or its record."""
        if isinstance(what, Question):
            self._flow.conclude(what, self._terms)

    def expire(self) -> None:
        """Conclude those whose time is over, without their outcome or their record."""
        now_s = self._flow.now_s()
        for question in self._questions:
            if not question.is_settled and question.until_s <= now_s:
                self._flow.conclude(question, self._terms)

    def give_up(self) -> None:
        """Conclude those that the chain was to answer without it."""
        for question in self._questions:
            if not question.is_concluded:
                self._flow.conclude(question, self._terms)

    def ending(self) -> bytes | Status | None:
        """Once all are settled."""
        if all(question.is_settled for question in self._questions):
            return self._encode(self._questions)
        return None

    def abandon(self) -> None:
        """Stop what can be stopped."""
        self._flow.abandon(self._questions)


def _urgency(request: wire.AssessRiskRequest) -> Urgency:
    return URGENCIES.get(request.urgency, Urgency.ROUTINE)


def _single(questions: Sequence[Question]) -> bytes | Status:
    (question,) = questions
    if question.failure is not None:
        return question.failure
    return embedded(_ANSWER, question.answer or b"")


def _many(questions: Sequence[Question]) -> bytes:
    return b"".join(embedded(_RESULT, _result(question)) for question in questions)


def _result(question: Question) -> bytes:
    result = wire.BatchAssessRiskResult(request_id=question.request_id)
    if question.failure is not None:
        result.failure.CopyFrom(encode_failure(question.failure))
        return result.SerializeToString()
    return result.SerializeToString() + embedded(_RESULT_ANSWER, question.answer or b"")
