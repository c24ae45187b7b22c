"""Stands before every method of every service: no handler runs, and no byte is parsed, before the call is let in.

Refuses to know what any method does.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import grpc

from stepdown.domain.errors import RequestRejectedError
from stepdown.transport.admission import Admission
from stepdown.transport.calls import current_call, enter_call
from stepdown.transport.draining import DrainSignal
from stepdown.transport.interference import Interference
from stepdown.transport.reception import Reception
from stepdown.transport.refusals import overloaded, server_draining
from stepdown.transport.stream_places import StreamPlaces
from stepdown.transport.turns import Turns

HEALTH = "/grpc.health.v1.Health/"
WATCH = HEALTH + "Watch"
SHEDDABLE = frozenset(
    {
        "/stepdown.api.v1.AssessmentService/AssessRisk",
        "/stepdown.api.v1.AssessmentService/BatchAssessRisk",
        "/inference.GRPCInferenceService/ModelInfer",
    }
)
"""What comes in floods. Health, status and the operator's own calls are let in as long as there is a thread."""

# The class is generic in its stubs alone.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
MaybeHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Behaviour: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """Where calls run, so that one kind never takes a thread from another.

    `answering`: whose turn it is, of the unary calls whose message is here; `waited_s`: how long the one of this thread
    waited before; `has_room`: whether one more may wait. Streams run on `streams`, and watches of health, of which
    every client keeps one open, on `watches`; `places` and `watch_places` bound them.
    """

    answering: Turns
    streams: ThreadPoolExecutor
    places: StreamPlaces
    watches: ThreadPoolExecutor
    watch_places: StreamPlaces
    waited_s: Callable[[], float]
    has_room: Callable[[], bool]


class Guard(grpc.ServerInterceptor):
    """Wraps each method's handler once, at its first call.

    gRPC is told that every method takes a stream, so that a single message is awaited here, within limits, and not in
    gRPC's own code without any. A call that arrives in a drain is refused, and its caller goes elsewhere; one that was
    queued before is answered.
    """

    def __init__(
        self,
        admission: Admission,
        *,
        reception: Reception,
        lanes: Lanes,
        drain: DrainSignal,
        interference: Interference | None = None,
    ) -> None:
        """`interference` None: nobody's answers are ever held back for a drill."""
        self._admission = admission
        self._interference = interference
        self._reception = reception
        self._lanes = lanes
        self._drain = drain
        self._guarded: dict[str, Handler] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], MaybeHandler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> MaybeHandler:
        """The guarded handler; None, which gRPC answers with UNIMPLEMENTED, where there is no such method."""
        method = handler_call_details.method
        if self._drain.is_set and not method.startswith(HEALTH):
            return self._refusing(method, server_draining)
        if method in SHEDDABLE and not self._lanes.has_room():
            return self._refusing(method, overloaded)
        known = self._guarded.get(method)
        if known is not None:
            return known
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        guarded = self._guarded[method] = self._wrap(method, handler)
        return guarded

    def guarded(self, method: str, handler: Handler) -> Handler:
        """The same method behind this guard, for a transport that finds its handlers by itself."""
        return self._wrap(method, handler)

    def _wrap(self, method: str, handler: Handler) -> Handler:
        """The same handler, taking bytes. Its own way of parsing is applied inside the guard."""
        parser = handler.request_deserializer or bytes

        def parse(request: bytes) -> object:
            return self._admission.parse(method, parser, request)

        behaviour = _behaviour(handler)
        if handler.response_streaming:
            answers = self._streaming(method, handler, behaviour, parse)
            # grpc looks for this attribute to choose the pool.
            answers.experimental_thread_pool = self._pool(method)  # type: ignore[attr-defined]
            return grpc.stream_stream_rpc_method_handler(answers, None, handler.response_serializer)
        return grpc.stream_unary_rpc_method_handler(self._single(method, handler, behaviour, parse))

    def _pool(self, method: str) -> ThreadPoolExecutor:
        return self._lanes.watches if method == WATCH else self._lanes.streams

    def _refusing(self, method: str, refusal: Callable[[], RequestRejectedError]) -> Handler:
        """A handler that reads nothing, whatever the shape of the method: gRPC lets it end any call."""

        def refuse(requests: object, context: grpc.ServicerContext) -> Iterator[object]:
            del requests
            with self._admission.call(method, context):
                raise refusal()

        refuse.experimental_thread_pool = self._lanes.streams  # type: ignore[attr-defined]
        return grpc.stream_stream_rpc_method_handler(refuse)

    def _single(self, method: str, handler: Handler, behaviour: Behaviour, parse: Behaviour) -> Behaviour:
        serialise = handler.response_serializer or bytes

        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            with self._admission.call(method, context):
                if handler.request_streaming:
                    with self._reception.stream(requests) as messages, self._answering(context):
                        answered = serialise(behaviour(map(parse, messages), context))
                else:
                    message = self._reception.message(requests, context)
                    with self._answering(context):
                        answered = serialise(behaviour(parse(message), context))
                self._hold(context)
                return self._reception.deliver(answered, context)

        return answer

    def _hold(self, context: grpc.ServicerContext) -> None:
        if self._interference is not None:
            self._interference.hold(current_call().caller.name, context)

    @contextmanager
    def _answering(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Hold one of the places of calls that are worked on; in flight from here until the answer has left.

        Raises: RequestRejectedError OVERLOADED for a call that has waited for longer than anybody should.
        """
        call = current_call()
        with self._lanes.answering.taken_by(call.caller.name, waited_s=self._lanes.waited_s()) as waited_s:
            enter_call(replace(call, waited_s=waited_s))
            self._admission.count_until_delivered(context)
            yield

    def _streaming(self, method: str, handler: Handler, behaviour: Behaviour, parse: Behaviour) -> Behaviour:
        places = self._lanes.watch_places if method == WATCH else self._lanes.places

        def answer(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[object]:
            with (
                self._admission.call(method, context),
                self._admission.stream(context, places),
                self._reception.stream(requests) as messages,
            ):
                request = (
                    map(parse, messages)
                    if handler.request_streaming
                    else parse(self._reception.message(requests, context))
                )
                for response in behaviour(request, context):
                    self._hold(context)
                    with self._reception.passage(context):
                        yield response
                    messages.answered()

        return answer


def _behaviour(handler: Handler) -> Behaviour:
    """The function that a handler holds."""
    shapes: dict[tuple[bool, bool], Behaviour | None] = {
        (False, False): handler.unary_unary,
        (False, True): handler.unary_stream,
        (True, False): handler.stream_unary,
        (True, True): handler.stream_stream,
    }
    shape = (handler.request_streaming, handler.response_streaming)
    behaviour = shapes[shape]
    if behaviour is None:
        raise TypeError(f"a handler of shape {shape} holds no function")
    return behaviour
