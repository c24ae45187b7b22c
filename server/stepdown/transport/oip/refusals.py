"""The ten methods that are refused by name, each with the reason and the way that is open instead."""

from typing import Never, Protocol

import grpc
from google.protobuf.message import Message

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceServicer

NO_LOADING = "Bundles are verified at start and activated by the operator: a client loads and unloads none."
NO_SHARED_MEMORY = "No memory is shared with clients: send the tensors in the request."
NO_TRACE = "Tensors are patient data and are not traced: follow a call by its traceparent header."
NO_LOG_SETTINGS = "What is logged is set in the server's configuration file."


class _Refusal(Protocol):
    """A method without `self`, with the parameters' names that the generated class gives them."""

    def __call__(self, request: Message, context: grpc.ServicerContext) -> Never: ...


def _refusal(text: str) -> _Refusal:
    def refuse(request: Message, context: grpc.ServicerContext) -> Never:  # noqa: ARG001 - gRPC passes both
        context.abort(grpc.StatusCode.UNIMPLEMENTED, text)

    return refuse


class RefusedMethods(GRPCInferenceServiceServicer):
    """Answers UNIMPLEMENTED, so that a client learns why instead of guessing from a method that is not there."""

    RepositoryModelLoad = staticmethod(_refusal(NO_LOADING))
    RepositoryModelUnload = staticmethod(_refusal(NO_LOADING))
    SystemSharedMemoryStatus = staticmethod(_refusal(NO_SHARED_MEMORY))
    SystemSharedMemoryRegister = staticmethod(_refusal(NO_SHARED_MEMORY))
    SystemSharedMemoryUnregister = staticmethod(_refusal(NO_SHARED_MEMORY))
    CudaSharedMemoryStatus = staticmethod(_refusal(NO_SHARED_MEMORY))
    CudaSharedMemoryRegister = staticmethod(_refusal(NO_SHARED_MEMORY))
    CudaSharedMemoryUnregister = staticmethod(_refusal(NO_SHARED_MEMORY))
    TraceSetting = staticmethod(_refusal(NO_TRACE))
    LogSettings = staticmethod(_refusal(NO_LOG_SETTINGS))
