"""The ten methods that are refused by name, each with the reason and the way that is open instead."""

from collections.abc import Callable
from typing import Never

import grpc
from google.protobuf.message import Message

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceServicer

NO_LOADING = "Bundles are verified at start and activated by the operator: a client loads and unloads none."
NO_SHARED_MEMORY = "No memory is shared with clients: send the tensors in the request."
NO_TRACE = "Tensors are patient data and are not traced: follow a call by its traceparent header."
NO_LOG_SETTINGS = "What is logged is set in the server's configuration file."


def _refusal(text: str) -> Callable[[object, Message, grpc.ServicerContext], Never]:
    def refuse(_self: object, _request: Message, context: grpc.ServicerContext) -> Never:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

    return refuse


class RefusedMethods(GRPCInferenceServiceServicer):
    """Answers UNIMPLEMENTED, so that a client learns why instead of guessing from a method that is not there."""

    RepositoryModelLoad = _refusal(NO_LOADING)
    RepositoryModelUnload = _refusal(NO_LOADING)
    SystemSharedMemoryStatus = _refusal(NO_SHARED_MEMORY)
    SystemSharedMemoryRegister = _refusal(NO_SHARED_MEMORY)
    SystemSharedMemoryUnregister = _refusal(NO_SHARED_MEMORY)
    CudaSharedMemoryStatus = _refusal(NO_SHARED_MEMORY)
    CudaSharedMemoryRegister = _refusal(NO_SHARED_MEMORY)
    CudaSharedMemoryUnregister = _refusal(NO_SHARED_MEMORY)
    TraceSetting = _refusal(NO_TRACE)
    LogSettings = _refusal(NO_LOG_SETTINGS)
