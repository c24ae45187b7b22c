"""Takes inferences from request to reply, alone or on a stream. Refuses to end a stream for one of its requests."""

from collections.abc import Callable, Iterator, Mapping

import grpc
from google.rpc.status_pb2 import Status

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.errors import NoAnswerError, RequestRejectedError
from stepdown.domain.notices import RequestRefused
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.ports import Asked
from stepdown.transport.admission import end_call
from stepdown.transport.calls import CallRecord, caller_now, current_call
from stepdown.transport.deadlines import remaining_s
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.oip.inquiry import Inquiry
from stepdown.transport.oip.models import ServedModel, find_model
from stepdown.transport.oip.parameters import MINIMUM_TIER
from stepdown.transport.oip.replies import encode
from stepdown.transport.oip.requests import decode
from stepdown.transport.oip.stream import InferenceStream
from stepdown.transport.refusals import ledger_unavailable, refused
from stepdown.transport.status import incident_status, no_answer_status, rejection_status

_FINAL = "triton_final_response"


class InferenceCalls:
    """Asks the chain on behalf of `ModelInfer` and `ModelStreamInfer`."""

    def __init__(
        self,
        *,
        chain: Asked,
        models: Mapping[str, ServedModel],
        record: CallRecord,
        in_flight: InFlight,
        drain: DrainSignal,
    ) -> None:
        """`in_flight` counts the single answers of streams; unary calls are counted where they come in."""
        self._chain = chain
        self._models = models
        self._record = record
        self._in_flight = in_flight
        self._drain = drain

    def infer(self, request: pb.ModelInferRequest, context: grpc.ServicerContext) -> pb.ModelInferResponse:
        """Answer one call, or end it with a status."""
        try:
            return self._infer(request, context)
        except NoAnswerError as error:
            end_call(context, current_call().trace, self.no_answer(error, request))

    def no_answer(self, error: NoAnswerError, request: pb.ModelInferRequest) -> Status:
        """The status of a request that no tier could answer, put on record."""
        self._refused(error.reason.value)
        return _no_answer(error, request)

    def stream(
        self, requests: Iterator[pb.ModelInferRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ModelStreamInferResponse]:
        """Answer each request of a stream. One that fails is answered with its error, and the stream goes on."""

        def begin(request: pb.ModelInferRequest) -> _StreamedInference:
            return _StreamedInference(self, request, remaining_s=remaining_s(context), caller=caller)

        caller = current_call().caller.name
        stream = InferenceStream(begin)
        stop_watching = self._drain.watch(stream.drain)
        try:
            if context.add_callback(stream.leave):
                yield from stream.answers(requests)
        finally:
            stop_watching()
        if stream.is_drained:
            error = RequestRejectedError(reason=RejectReason.SERVER_DRAINING, violations=(), retry_after_s=1.0)
            end_call(context, current_call().trace, rejection_status(error))

    def ask(
        self,
        request: pb.ModelInferRequest,
        *,
        remaining_s: float | None,
        caller: str,
        is_stream: bool = False,
        arrived: Callable[[], None] = lambda: None,
    ) -> Inquiry:
        """Understand a request and put it to the chain; `arrived` is called when the outcome is there, from any thread.

        Raises:
            RequestRejectedError: the request cannot be understood, or what it addresses takes no tensors.
            NoAnswerError: what it addresses has no verified bundle.
        """
        model = find_model(self._models, name=request.model_name, version=request.model_version)
        if model.interface is None:
            raise _takes_no_tensors(model)
        inference = decode(request, model=model, interface=model.interface)
        return Inquiry(
            self._chain, inference, remaining_s=remaining_s, is_stream=is_stream, caller=caller, arrived=arrived
        )

    def _infer(self, request: pb.ModelInferRequest, context: grpc.ServicerContext) -> pb.ModelInferResponse:
        inquiry = self.ask(request, remaining_s=remaining_s(context), caller=current_call().caller.name)
        if not context.add_callback(inquiry.withdraw):
            inquiry.withdraw()
        return self.reply(inquiry, request)

    def reply(self, inquiry: Inquiry, request: pb.ModelInferRequest) -> pb.ModelInferResponse:
        """The answer, once it is there and on its way to the ledger.

        Raises:
            NoAnswerError: there is none.
            RequestRejectedError: there is, but it may not go out without a record.
        """
        outcome = inquiry.outcome()
        if outcome is None:
            return pb.ModelInferResponse()  # the caller has gone, and nobody reads this
        response = encode(inquiry.inference, outcome)
        recording = self._record.recording
        if recording.ledger is not None:
            by = caller_now(recording.digest(request.SerializeToString(deterministic=True)))
            content = response.SerializeToString(deterministic=True)
            if not recording.inference(outcome, content, by, rows=inquiry.inference.payload.rows):
                recording.count_unrecorded()
                raise ledger_unavailable()
        return response

    def enter(self) -> None:
        """One more answer of a stream is under way."""
        self._in_flight.enter()

    def leave(self) -> None:
        """One less."""
        self._in_flight.leave()

    def status_of(self, error: Exception, request: pb.ModelInferRequest) -> Status:
        """What a stream says of a request that failed, put on record where that is due."""
        if isinstance(error, NoAnswerError):
            return self.no_answer(error, request)
        if isinstance(error, RequestRejectedError):
            model = self._models.get(request.model_name)
            self._record.notice(RequestRefused(pathway=model.pathway if model else "", reason=error.reason))
            self._refused(error.reason.value)
            return rejection_status(error)
        incident_id = self._record.incident(error)
        self._refused(Reason.INTERNAL_FAULT.value, incident_id)
        return incident_status(incident_id)

    def _refused(self, reason: str, incident_id: str = "") -> None:
        self._record.recording.refusal(reason, caller_now(), incident_id=incident_id)


class _StreamedInference:
    """One request of a stream, asked at once and answered in its turn."""

    def __init__(
        self, calls: InferenceCalls, request: pb.ModelInferRequest, *, remaining_s: float | None, caller: str
    ) -> None:
        self._calls = calls
        self._request = request
        self._inquiry: Inquiry | None = None
        self._error: Exception | None = None
        calls.enter()
        try:
            self._inquiry = calls.ask(request, remaining_s=remaining_s, caller=caller, is_stream=True)
        except Exception as error:  # noqa: BLE001 - answered in its turn, by `reply`
            self._error = error

    def reply(self) -> pb.ModelStreamInferResponse:
        """The answer, or the error in its place."""
        try:
            response = pb.ModelStreamInferResponse(infer_response=self._inferred())
        except Exception as error:  # noqa: BLE001 - one request must not end the stream of all
            text = self._calls.status_of(error, self._request).message
            named = pb.ModelInferResponse(model_name=self._request.model_name, id=self._request.id)
            response = pb.ModelStreamInferResponse(error_message=text, infer_response=named)
        response.infer_response.parameters[_FINAL].bool_param = True
        return response

    def withdraw(self) -> None:
        """The client is gone."""
        if self._inquiry is not None:
            self._inquiry.withdraw()

    def close(self) -> None:
        """Delivered, or wanted no more."""
        self.withdraw()
        self._calls.leave()

    def _inferred(self) -> pb.ModelInferResponse:
        if self._inquiry is None:
            raise self._error or RuntimeError("neither asked nor refused")
        return self._calls.reply(self._inquiry, self._request)


def _takes_no_tensors(model: ServedModel) -> RequestRejectedError | NoAnswerError:
    if model.refusal is not None:
        return NoAnswerError(reason=model.refusal, detail=model.obstacle)
    reason = RejectReason.TIER_TAKES_NO_TENSORS
    return refused(reason, field="model_name", description=f"{model.name} takes no tensors: {model.obstacle}.")


def _no_answer(error: NoAnswerError, request: pb.ModelInferRequest) -> Status:
    minimum_tier = request.parameters[MINIMUM_TIER].string_param if MINIMUM_TIER in request.parameters else ""
    return no_answer_status(error, pathway=request.model_name, minimum_tier=minimum_tier)
