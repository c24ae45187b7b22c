"""Stands before every method of every service: no handler runs, and no byte is parsed, before the call is let in.

Refuses to know what any method does.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

import grpc

from stepdown.transport.admission import Admission
from stepdown.transport.draining import DrainSignal
from stepdown.transport.refusals import server_draining

_HEALTH = "/grpc.health.v1.Health/"

# The class is generic in its stubs alone.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
MaybeHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Behaviour: TypeAlias = Callable[..., Any]


class Guard(grpc.ServerInterceptor):
    """Wraps each method's handler once, at its first call.

    Answers that come as a stream are made on `stream_pool`, so that open streams take no thread from unary calls. A
    call that arrives in a drain is refused, and its caller goes elsewhere; one that was queued before is answered.
    """

    def __init__(self, admission: Admission, *, stream_pool: ThreadPoolExecutor, drain: DrainSignal) -> None:
        self._admission = admission
        self._stream_pool = stream_pool
        self._drain = drain
        self._guarded: dict[str, Handler] = {}

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], MaybeHandler],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> MaybeHandler:
        """The guarded handler; None, which gRPC answers with UNIMPLEMENTED, where there is no such method."""
        method = handler_call_details.method
        if self._drain.is_set and not method.startswith(_HEALTH):
            return self._refusing(method)
        known = self._guarded.get(method)
        if known is not None:
            return known
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        guarded = self._guarded[method] = self._wrap(method, handler)
        return guarded

    def _wrap(self, method: str, handler: Handler) -> Handler:
        """The same handler, taking bytes. Its own way of parsing is applied inside the guard."""
        parser = handler.request_deserializer or bytes

        def parse(request: bytes) -> object:
            return self._admission.parse(method, parser, request)

        make, behaviour = _shape(handler)
        read = partial(map, parse) if handler.request_streaming else parse
        if handler.response_streaming:
            answer = self._streaming(method, behaviour, read)
            # grpc looks for this attribute to choose the pool.
            answer.experimental_thread_pool = self._stream_pool  # type: ignore[attr-defined]
        else:
            answer = self._single(method, behaviour, read)
        return make(answer, request_deserializer=None, response_serializer=handler.response_serializer)

    def _refusing(self, method: str) -> Handler:
        """A handler that reads nothing, whatever the shape of the method: gRPC lets it end any call."""

        def refuse(requests: object, context: grpc.ServicerContext) -> Iterator[object]:
            del requests
            with self._admission.call(method, context):
                raise server_draining()

        refuse.experimental_thread_pool = self._stream_pool  # type: ignore[attr-defined]
        return grpc.stream_stream_rpc_method_handler(refuse)

    def _single(self, method: str, behaviour: Behaviour, read: Behaviour) -> Behaviour:
        def answer(request: object, context: grpc.ServicerContext) -> object:
            with self._admission.call(method, context):
                self._admission.count_until_delivered(context)
                return behaviour(read(request), context)

        return answer

    def _streaming(self, method: str, behaviour: Behaviour, read: Behaviour) -> Behaviour:
        def answer(request: object, context: grpc.ServicerContext) -> Iterator[object]:
            with self._admission.call(method, context), self._admission.stream(context):
                yield from behaviour(read(request), context)

        return answer


def _shape(handler: Handler) -> tuple[Callable[..., Handler], Behaviour]:
    """How gRPC makes a handler of this shape, and the function it holds."""
    shape = (handler.request_streaming, handler.response_streaming)
    makers: dict[tuple[bool, bool], tuple[Callable[..., Handler], Behaviour | None]] = {
        (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary),
        (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream),
        (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary),
        (True, True): (grpc.stream_stream_rpc_method_handler, handler.stream_stream),
    }
    make, behaviour = makers[shape]
    if behaviour is None:
        raise TypeError(f"a handler of shape {shape} holds no function")
    return make, behaviour
