"""`AssessmentService` on gRPC."""

from collections.abc import Iterator

import grpc

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1 import assessment_service_pb2_grpc, outcomes_pb2
from stepdown.domain.reasons import RejectReason
from stepdown.transport.admission import end_call
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.assessment_stream import AssessmentStream
from stepdown.transport.calls import current_call
from stepdown.transport.codec.item_failures import encode_failure
from stepdown.transport.deadlines import remaining_s
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.questions import CallTerms
from stepdown.transport.refusals import limit_passed, refused, server_draining
from stepdown.transport.status import rejection_status
from stepdown.transport.waiting import answer_all

MAXIMUM_BATCH = 1_024


class AssessmentServicer(assessment_service_pb2_grpc.AssessmentServiceServicer):
    """Each method's docstring is the wire contract's."""

    def __init__(
        self, flow: AssessmentFlow, *, in_flight: InFlight, drain: DrainSignal, outcomes: OutcomeDesk | None = None
    ) -> None:
        """`outcomes` None: no ledger is kept, and reports have no place."""
        self._outcomes = outcomes
        self._flow = flow
        self._in_flight = in_flight
        self._drain = drain

    def AssessRisk(  # noqa: N802  # the wire's name
        self, request: wire.AssessRiskRequest, context: grpc.ServicerContext
    ) -> wire.AssessRiskResponse:
        """Assess one encounter."""
        questions = answer_all(self._flow, (request,), _terms(context), when_gone=context.add_callback)
        for question in questions:
            if question.failure is not None:
                end_call(context, current_call().trace, question.failure)
        return wire.AssessRiskResponse(assessment=questions[0].assessment if questions else None)

    def BatchAssessRisk(  # noqa: N802
        self, request: wire.BatchAssessRiskRequest, context: grpc.ServicerContext
    ) -> wire.BatchAssessRiskResponse:
        """Assess many encounters, each on its own."""
        refuse_too_many(len(request.requests))
        questions = answer_all(self._flow, request.requests, _terms(context), when_gone=context.add_callback)
        return wire.BatchAssessRiskResponse(
            results=[
                wire.BatchAssessRiskResult(
                    request_id=question.request_id,
                    assessment=question.assessment,
                    failure=None if question.failure is None else encode_failure(question.failure),
                )
                for question in questions
            ]
        )

    def StreamAssessRisk(  # noqa: N802
        self, request_iterator: Iterator[wire.StreamAssessRiskRequest], context: grpc.ServicerContext
    ) -> Iterator[wire.StreamAssessRiskResponse]:
        """Assess encounters as they come."""
        stream = AssessmentStream(self._flow, terms=_terms(context, is_stream=True), in_flight=self._in_flight)
        stop_watching = self._drain.watch(stream.drain)
        try:
            if context.add_callback(stream.leave):
                yield from stream.answers(request_iterator)
        finally:
            stop_watching()
        if stream.is_drained:
            end_call(context, current_call().trace, rejection_status(server_draining()))

    def RecordOutcome(  # noqa: N802
        self, request: outcomes_pb2.RecordOutcomeRequest, context: grpc.ServicerContext
    ) -> outcomes_pb2.RecordOutcomeResponse:
        """Put on the ledger what became of a patient after an answer, or what was thought of it."""
        del context
        if self._outcomes is None:
            text = "this server keeps no ledger, and a report would be lost"
            raise refused(RejectReason.OUTCOMES_NOT_KEPT, field="", description=text)
        return outcomes_pb2.RecordOutcomeResponse(record_id=self._outcomes.take(request))


def _terms(context: grpc.ServicerContext, *, is_stream: bool = False) -> CallTerms:
    call = current_call()
    return CallTerms(
        caller=call.caller.name,
        trace_id=call.trace.trace_id,
        remaining_s=remaining_s(context),
        is_stream=is_stream,
        waited_s=call.waited_s,
    )


def refuse_too_many(encounters: int) -> None:
    """Raises: RequestRejectedError for a batch of more than `MAXIMUM_BATCH`."""
    if encounters > MAXIMUM_BATCH:
        text = f"a batch holds at most {MAXIMUM_BATCH} encounters; send several, or a stream"
        raise limit_passed("maximum_batch", MAXIMUM_BATCH, field="requests", description=text)
