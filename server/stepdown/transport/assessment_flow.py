"""From `AssessRiskRequest` to its answer: decode, claim, prepare, ask the chain, finish, encode.

Knows messages and the chain, and no gRPC context, so that any transport can stand before it. Nothing here raises:
whatever goes wrong with one encounter is that encounter's failure. Refuses to choose a tier or to judge a value.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from google.rpc.status_pb2 import Status

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.assessments import Assessment, TierIdentity
from stepdown.domain.bands import Band
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.errors import NoAnswerError, RequestRejectedError
from stepdown.domain.intake import InputFlag
from stepdown.domain.notices import AnswerGiven, CallShed, RequestRefused
from stepdown.domain.reasons import InputIssue, Reason, RejectReason
from stepdown.ports import AnswerWatch, Asked, Clock, Receipt
from stepdown.serving.drift_sample import drift_sample
from stepdown.transport.calls import CallRecord
from stepdown.transport.claims import Claims
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.assessments import EncodedAssessment, encode_assessment
from stepdown.transport.codec.requests import RequestLimits, decode_request
from stepdown.transport.last_resort import outcome_by_rules
from stepdown.transport.questions import CallTerms, Prepared, Question
from stepdown.transport.refusals import ledger_unavailable, overloaded
from stepdown.transport.status import incident_status, no_answer_status, rejection_status

# Kept back from a caller's deadline for the way of the answer to it.
_DELIVERY_S = 0.003


class AssessmentFlow:
    """Answers questions; shared by every call of every transport."""

    def __init__(
        self,
        *,
        chain: Asked,
        pathways: ClinicalPathways,
        claims: Claims,
        clock: Clock,
        record: CallRecord,
        limits: RequestLimits,
        watch: AnswerWatch | None = None,
    ) -> None:
        """`watch` sees each answer with the input it was given on; None where nothing is compared with the past."""
        self._chain = chain
        self._pathways = pathways
        self._claims = claims
        self._clock = clock
        self._record = record
        self._recording = record.recording
        self._limits = limits
        self._watch = watch

    def now_s(self) -> float:
        """The time line of `Question.until_s`."""
        return self._chain.now_s()

    def begin(
        self, messages: Sequence[AssessRiskRequest], terms: CallTerms, arrived: Callable[[Question], None]
    ) -> tuple[Question, ...]:
        """Prepare every encounter, then ask the chain for all of them at once.

        `arrived` is called for each that is ready for `conclude`, possibly before this returns, from any thread: once
        when the chain is done with it, and once more if its record was waited for.
        """
        begun_s = self._chain.now_s()
        questions = tuple(self._open(message, terms, arrived) for message in messages)
        opened_s = self._chain.now_s()
        for question in questions:
            prepared = question.prepared
            if prepared is not None and prepared.asks:
                allowance = terms.allowance(budget_ms=prepared.pathway.budget_ms, encounters=len(messages))
                answer_by_s = allowance.answer_by_s(begun_s=begun_s, now_s=opened_s)
                question.until_s = answer_by_s + allowance.patience_s
                question.silence = allowance.silence
                question.request = self._addressed(question, prepared, terms, answer_by_s=answer_by_s, arrived=arrived)
        for question in questions:
            if question.request is None:
                arrived(question)
        self._submit(questions, arrived)
        return questions

    def conclude(self, question: Question, terms: CallTerms) -> None:
        """Make the answer, or the failure. An outcome that is not there by now is not waited for any longer.

        Nor is a record: where one is on the way after the first call, the question is settled by the second.
        """
        if question.is_settled:
            return
        if question.unsealed is not None:
            self._attempt(question, partial(self._seal, question, question.unsealed))
            return
        if question.outcome is None and question.request is not None:
            self._chain.cancel(question.request)
        self._attempt(question, partial(self._finish, question, terms))

    def abandon(self, questions: Iterable[Question]) -> None:
        """The caller went away: stop what can be stopped, and let the same request be sent again."""
        for question in questions:
            if not question.is_settled:
                if question.request is not None:
                    self._chain.cancel(question.request)
                self._claims.release(question.claim)

    def _open(self, message: AssessRiskRequest, terms: CallTerms, arrived: Callable[[Question], None]) -> Question:
        content = message.SerializeToString(deterministic=True)
        question = Question(
            request_id=message.request_id,
            arrived=arrived,
            terms=terms,
            pathway=self._pathways.configured(message.pathway),
            begun_s=self._chain.now_s(),
            request_digest=self._recording.digest_of(content),
        )
        self._attempt(question, partial(self._prepare, question, message, content))
        return question

    def _prepare(self, question: Question, message: AssessRiskRequest, content: bytes) -> None:
        terms = question.terms
        request = decode_request(message, limits=self._limits)
        if self._limits.shedding.refuses(terms.waited_s, terms.remaining_s):
            self._record.notice(CallShed(urgency=request.urgency))
            raise overloaded()
        pathway = self._pathways.named(request.pathway, minimum_tier=request.minimum_tier)
        question.minimum_tier = request.minimum_tier
        question.claim, stored = self._claims.claim(terms.caller, message, content=content)
        if stored is not None:
            question.settle(answer=stored)
            return
        assessment = pathway.prepare(request, received_time_s=self._clock.wall_s())
        self._claims.permit(request, assessment.intake.grid)
        if assessment.intake.wrong_patient_retraction:
            self._claims.retract(request.encounter_token)
            self._record.event("wrong_patient_retraction", pathway=pathway.name, trace_id=terms.trace_id)
        question.prepared = Prepared(pathway=pathway, assessment=assessment, flags=_flags(terms, pathway.budget_ms))

    def _addressed(
        self,
        question: Question,
        prepared: Prepared,
        terms: CallTerms,
        *,
        answer_by_s: float,
        arrived: Callable[[Question], None],
    ) -> Request:
        """What the chain is asked."""
        asked, rules = prepared.assessment.request, prepared.assessment.rules
        return Request(
            pathway=prepared.pathway.name,
            payload=prepared.assessment.payload,
            deadline_s=answer_by_s,
            reply_to=partial(_reply, question, arrived),
            rules_in_hand=rules is not None,
            rules_identity=prepared.assessment.rules_identity,
            minimum_tier=asked.minimum_tier,
            urgency=asked.urgency,
            client=terms.caller,
            rules_band=rules.band if rules is not None else Band.INDETERMINATE,
            models_spared=self._limits.shedding.spares_models(asked.urgency, terms.waited_s, terms.remaining_s),
        )

    def _submit(self, questions: Sequence[Question], arrived: Callable[[Question], None]) -> None:
        requests = [question.request for question in questions if question.request is not None]
        if not requests:
            return
        try:
            self._chain.submit(requests)
        except Exception as error:  # noqa: BLE001  # our own fault must not cost a patient the answer in hand
            self._record.incident(error)
            for question in questions:
                if question.request is not None and question.outcome is None:
                    arrived(question)

    def _attempt(self, question: Question, step: Callable[[], None]) -> None:
        """Take a step; whatever it raises becomes the question's failure, and its claim is given back."""
        try:
            step()
        except RequestRejectedError as error:
            if error.reason is not RejectReason.OVERLOADED:
                self._record.notice(RequestRefused(pathway=question.pathway, reason=error.reason))
            self._refuse(question, rejection_status(error), error.reason.value)
        except NoAnswerError as error:
            status = no_answer_status(error, pathway=question.pathway, minimum_tier=question.minimum_tier)
            self._refuse(question, status, error.reason.value)
        except Exception as error:  # noqa: BLE001  # its text could hold a patient's value: only its id goes out
            incident_id = self._record.incident(error)
            self._refuse(question, incident_status(incident_id), Reason.INTERNAL_FAULT.value, incident_id)
        if question.failure is not None:
            self._claims.release(question.claim)

    def _finish(self, question: Question, terms: CallTerms) -> None:
        prepared = question.prepared
        if prepared is None:
            raise NoAnswerError(reason=Reason.INTERNAL_FAULT, detail="concluded before it was prepared")
        assessment = self._assessment(prepared, question.outcome, question.silence)
        answer = encode_assessment(assessment, trace_id=terms.trace_id)
        if self._watch is not None and prepared.assessment.intake.models_in_indication:
            self._watch.saw(drift_sample(prepared.assessment, assessment))
        if question.request is None and assessment.answered_by is not None:
            self._tell(assessment, assessment.answered_by, question, terms)
        receipt = self._recording.answer(assessment, answer.unsealed, question.asked_by, partial(_recorded, question))
        question.receipt = receipt
        if receipt is None or receipt.is_done:
            self._seal(question, answer)
        else:
            question.unsealed = answer
            question.until_s = self._chain.now_s() + self._patience_s(question)

    def _seal(self, question: Question, answer: EncodedAssessment) -> None:
        """Say whether the answer is on the ledger, and let it go. Raises: RequestRejectedError if it has to be."""
        receipt = question.receipt
        if receipt is not None and not receipt.record_id:
            self._recording.count_unrecorded()
            if self._recording.is_required:
                raise ledger_unavailable()
        sealed = answer.sealed("" if receipt is None else receipt.record_id)
        self._claims.settle(question.claim, sealed)
        question.settle(answer=sealed)

    def _patience_s(self, question: Question) -> float:
        """How long a record is waited for: never so long that the answer would miss its caller."""
        remaining_s = question.terms.remaining_s
        if remaining_s is None:
            return self._recording.wait_s
        left_s = remaining_s - (self._chain.now_s() - question.begun_s) - _DELIVERY_S
        return max(0.0, min(self._recording.wait_s, left_s))

    def _refuse(self, question: Question, status: Status, reason: str, incident_id: str = "") -> None:
        question.settle(failure=status)
        self._recording.refusal(reason, question.asked_by, pathway=question.pathway, incident_id=incident_id)

    def _tell(self, assessment: Assessment, tier: TierIdentity, question: Question, terms: CallTerms) -> None:
        """The chain tells of what it was asked for; an abstention that it was not asked for is told here."""
        budget_s = question.prepared.pathway.budget_ms / 1000 if question.prepared is not None else 0.0
        self._record.notice(
            AnswerGiven(
                pathway=assessment.pathway,
                answered_by=tier,
                degradations=assessment.degradations,
                rows=1,
                elapsed_s=self._chain.now_s() - question.begun_s,
                slack_s=budget_s if terms.remaining_s is None else terms.remaining_s,
            )
        )

    def _assessment(self, prepared: Prepared, outcome: Outcome | None, silence: Reason) -> Assessment:
        """From the chain's outcome; from the rules in hand where the chain, or what reads its outcome, failed."""
        generated_time_s = self._clock.wall_s()
        finish = partial(
            prepared.pathway.finish, prepared.assessment, generated_time_s=generated_time_s, flags=prepared.flags
        )
        if prepared.assessment.abstained:
            return finish(None)
        try:
            if outcome is not None:
                return finish(outcome)
        except NoAnswerError:
            raise
        except Exception as error:  # noqa: BLE001  # a defect on the way from a model steps down like any failed tier
            self._record.incident(error)
            silence = Reason.INTERNAL_FAULT
        return finish(outcome_by_rules(prepared, silence))


def _recorded(question: Question, _receipt: Receipt) -> None:
    question.arrived(question)


def _reply(question: Question, arrived: Callable[[Question], None], outcome: Outcome) -> None:
    question.outcome = outcome
    arrived(question)


def _flags(terms: CallTerms, budget_ms: int) -> tuple[InputFlag, ...]:
    if terms.remaining_s is not None or terms.is_stream:
        return ()
    detail = f"the call had no deadline; {budget_ms} ms were allowed for the answer"
    return (InputFlag(issue=InputIssue.DEADLINE_NOT_SET, detail=detail),)
