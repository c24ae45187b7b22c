"""A public gRPC server with a lane: services are added to it as to any other, and some of their methods go to the lane.

Refuses nothing that gRPC's own server takes.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import grpc

from stepdown.ports import Asked
from stepdown.transport.completion_queue.lane import Lane
from stepdown.transport.completion_queue.methods import LaneMethods
from stepdown.transport.guard import Guard
from stepdown.transport.stepwise import StepwiseMethod


class LaneServer(grpc.Server):
    """Meets `StepwiseRegistry`: what is to be answered in steps is said before its service is added."""

    def __init__(self, server: grpc.Server, *, lane: Lane, methods: LaneMethods, guard: Guard, asked: Asked) -> None:
        self._server: Any = server
        self._lane = lane
        self._methods = methods
        self._guard = guard
        self.asked = asked
        lane.prepare(server)

    def add_stepwise(self, method: str, answers: StepwiseMethod | None) -> None:
        """Have the lane serve a method: in steps, or (None) in a thread, once it was decided that it can be."""
        self._methods.add(method, answers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Any]) -> None:
        """What generated code calls: the lane's methods stay here, the rest goes on."""
        rest = {}
        for name, handler in method_handlers.items():
            method = f"/{service_name}/{name}"
            if method in self._methods:
                self._lane.register(method)
                self._methods.guard(method, self._guard.guarded(method, handler))
            else:
                rest[name] = handler
        self._server.add_registered_method_handlers(service_name, rest)

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """As gRPC's own."""
        self._server.add_generic_rpc_handlers(generic_rpc_handlers)

    def add_insecure_port(self, address: str) -> int:
        """As gRPC's own."""
        return int(self._server.add_insecure_port(address))

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """As gRPC's own; the lane's calls come by the same port."""
        return int(self._server.add_secure_port(address, server_credentials))

    def start(self) -> None:
        """Serve."""
        self._server.start()
        self._lane.start(self._methods.served)

    def stop(self, grace: float | None) -> threading.Event:
        """As gRPC's own, and the lane ends with the last of its calls."""
        stopped = self._server.stop(grace)
        threading.Thread(target=self._close, args=(stopped,), name="lane-end", daemon=True).start()
        return stopped  # type: ignore[no-any-return]

    def wait_for_termination(self, timeout: float | None = None) -> bool:
        """As gRPC's own."""
        return bool(self._server.wait_for_termination(timeout))

    def _close(self, stopped: threading.Event) -> None:
        stopped.wait()
        self._lane.close()
