"""The private parts of gRPC that the lane stands on, and whether they are there.

They are pinned by release: the same names in another release may mean something else. Refuses to guess.
"""

from importlib import import_module
from typing import Any

import grpc

PINNED_GRPCIO = "1.85.1"

_NEEDED = {
    "Server": ("register_completion_queue", "register_method", "request_registered_call"),
    "CompletionQueue": ("poll", "shutdown"),
    "Call": ("cancel", "peer", "start_server_batch"),
    "RequestCallEvent": ("call", "call_details", "invocation_metadata", "success"),
    "BatchOperationEvent": ("batch_operations", "success"),
    "CompletionType": ("queue_shutdown", "queue_timeout"),
    "ReceiveCloseOnServerOperation": ("cancelled",),
    "ReceiveMessageOperation": ("message",),
    "SendInitialMetadataOperation": (),
    "SendMessageOperation": (),
    "SendStatusFromServerOperation": (),
    "auth_context": (),
}
_CORE_SERVER = "_cy_server"


cygrpc: Any = import_module("grpc._cython.cygrpc")
"""gRPC's core as Python has it; `grpc` itself is made of it."""


def obstacle(release: str = grpc.__version__, core: object = cygrpc) -> str:
    """Why the lane cannot be used with this gRPC; empty where nothing speaks against it."""
    if release != PINNED_GRPCIO:
        return f"the lane is made for grpcio {PINNED_GRPCIO}, and this is {release}"
    for name, members in _NEEDED.items():
        part = getattr(core, name, None)
        for missing in [name] if part is None else [f"{name}.{each}" for each in members if not hasattr(part, each)]:
            return f"this grpcio has no {missing}"
    return ""


def core_of(server: grpc.Server) -> Any:  # noqa: ANN401  # the extension module has no types
    """The core's server within a public one. Raises: AttributeError where it is kept elsewhere."""
    return getattr(server, _CORE_SERVER)
