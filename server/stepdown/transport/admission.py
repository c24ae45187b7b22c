"""Lets a call in or turns it away, and turns whatever ends it into a status. Refuses to let an exception's text out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.notices import CallShed, RequestRefused
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.transport.authorization import Authorization, CallDeniedError
from stepdown.transport.calls import Call, CallRecord, caller_now, current_call, enter_call
from stepdown.transport.in_flight import InFlight
from stepdown.transport.refusals import limit_passed, refused
from stepdown.transport.status import denied_status, incident_status, push_back, rejection_status
from stepdown.transport.stream_places import StreamPlaces
from stepdown.transport.tracing import TRACERESPONSE, Trace, take_up

RequestMessage = TypeVar("RequestMessage")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """`request_bytes` holds for every method but those of `method_request_bytes`."""

    request_bytes: int = 4 * 1024 * 1024
    method_request_bytes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


class _CodedContext(Protocol):
    """The part of gRPC's servicer context that its published types leave out."""

    def code(self) -> grpc.StatusCode | None: ...


class Admission:
    """In this order: TLS version and identity, role, size; and only then is a byte parsed."""

    def __init__(
        self,
        *,
        authorization: Authorization,
        record: CallRecord,
        limits: CallLimits,
        in_flight: InFlight,
        open_streams: InFlight,
    ) -> None:
        self._authorization = authorization
        self._record = record
        self._limits = limits
        self._in_flight = in_flight
        self._open_streams = open_streams

    @contextmanager
    def call(self, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        """Everything that happens in one call. Whatever is raised in it ends as a status."""
        trace = take_up(context.invocation_metadata())
        context.set_trailing_metadata(((TRACERESPONSE, trace.response),))
        try:
            properties = cast("Mapping[str, Sequence[bytes]]", context.auth_context())
            enter_call(self.permit(method, properties, trace))
            yield
        except grpc.RpcError:
            raise  # the caller went away while it was being read: gRPC's own, and gRPC looks for this very object
        except Exception as error:  # grpc would send the text of anything that got past here
            if _is_abort(error, context):
                raise
            end_call(context, trace, self.status(error, method))

    def permit(self, method: str, properties: Mapping[str, Sequence[bytes]], trace: Trace) -> Call:
        """Let a call in by what its connection has proven. Raises: CallDeniedError."""
        return Call(caller=self._authorization.permit(method, properties), trace=trace)

    def count_until_delivered(self, context: grpc.ServicerContext) -> None:
        """The call is in flight until its answer has left the server, not only until its function has returned."""
        _count(self._in_flight, context)

    @contextmanager
    def stream(self, context: grpc.ServicerContext, places: StreamPlaces) -> Iterator[None]:
        """Hold one of the places. Raises: RequestRejectedError if none is free."""
        _count(self._open_streams, context)
        with places.held_by(current_call().caller.name):
            yield

    def parse(self, method: str, parser: Callable[[bytes], RequestMessage], request: bytes) -> RequestMessage:
        """The message. Raises: RequestRejectedError for one that is too large, before it is parsed, or malformed."""
        maximum = self._limits.method_request_bytes.get(method, self._limits.request_bytes)
        if len(request) > maximum:
            text = f"the request is larger than {maximum} bytes"
            raise limit_passed("maximum_request_bytes", maximum, field="", description=text)
        try:
            return parser(request)
        except DecodeError as error:
            text = "not a message of this method's type"
            raise refused(RejectReason.MESSAGE_MALFORMED, field="", description=text) from error

    def status(self, error: Exception, method: str) -> Status:
        """What a call ends with that this was raised in, put on record. Any other text than ours stays here."""
        if isinstance(error, CallDeniedError):
            status = denied_status(authenticated=error.authenticated)
            self._record.event("call_denied", method=method, code=status.message, caller=error.caller)
            return status
        if isinstance(error, RequestRejectedError):
            shed = error.reason is RejectReason.OVERLOADED
            refusal = CallShed(urgency=None) if shed else RequestRefused(pathway="", reason=error.reason)
            self._record.notice(refusal)
            self._record.recording.refusal(error.reason.value, caller_now())
            return rejection_status(error)
        incident_id = self._record.incident(error)
        self._record.recording.refusal(Reason.INTERNAL_FAULT.value, caller_now(), incident_id=incident_id)
        return incident_status(incident_id)


def _count(counter: InFlight, context: grpc.ServicerContext) -> None:
    counter.enter()
    if not context.add_callback(counter.leave):
        counter.leave()


def _is_abort(error: Exception, context: grpc.ServicerContext) -> bool:
    """`context.abort` raises a bare Exception after it has set the code; nothing else does both."""
    return type(error) is Exception and not error.args and cast("_CodedContext", context).code() is not None


def ending_metadata(status: Status, trace: Trace) -> tuple[tuple[str, str | bytes], ...]:
    """The trailers of a call that ends with a status: its details, when to come back, and the trace."""
    details = rpc_status.to_status(status).trailing_metadata
    return (*details, *push_back(status), (TRACERESPONSE, trace.response))


def end_call(context: grpc.ServicerContext, trace: Trace, status: Status) -> NoReturn:
    """End the call with the status, its details and the trace."""
    ending = rpc_status.to_status(status)
    context.set_trailing_metadata(ending_metadata(status, trace))
    context.abort(ending.code, ending.details)
