"""`grpc.health.v1.Health` on gRPC: Check, List and Watch over the health board."""

from collections.abc import Iterator

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from stepdown.transport.health import Health, HealthBoard

_Response = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Each method's docstring is the protocol's."""

    def __init__(self, board: HealthBoard) -> None:
        self._board = board

    def Check(  # noqa: N802  # the protocol's name
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """One service's health. NOT_FOUND for an unknown one, as the protocol says."""
        health = self._board.snapshot().get(request.service)
        if health is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return _response(health)

    def List(  # noqa: N802
        self, request: Message, context: grpc.ServicerContext
    ) -> Message:
        """Every service's health."""
        del request, context
        statuses = {name: _response(health) for name, health in self._board.snapshot().items()}
        response: Message = health_pb2.HealthListResponse(statuses=statuses)  # type: ignore[attr-defined]  # not in its stubs
        return response

    def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> Iterator[health_pb2.HealthCheckResponse]:
        """One service's health now and after each change; SERVICE_UNKNOWN for as long as it is not known."""
        watcher = self._board.watch(request.service)
        try:
            if context.add_callback(watcher.close):
                for health in watcher.told():
                    yield _response(health)
        finally:
            self._board.forget(watcher)


def _response(health: Health | None) -> health_pb2.HealthCheckResponse:
    if health is None:
        return _Response(status=_Response.SERVICE_UNKNOWN)
    return _Response(status=_Response.SERVING if health.serving else _Response.NOT_SERVING)
