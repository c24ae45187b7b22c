"""Calls over a real connection, and what is looked at after them."""

from threading import Event

import grpc
import numpy as np
import pytest
from google.protobuf.message import Message

from stepdown.api.oip import (
    infer_pb2,
)
from stepdown.domain.engine_events import Request
from tests.fakes.open_inference_side import OpenInferenceSide

PATIENCE_S = 10.0


def ended(call: object, request: Message) -> tuple[grpc.StatusCode | None, str]:
    """How a call that fails is ended."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=PATIENCE_S)  # type: ignore[operator]
    return caught.value.code(), caught.value.details() or ""


def asked(side: OpenInferenceSide) -> Request:
    ((request,),) = side.chain.submitted
    return request


def probability(response: infer_pb2.ModelInferResponse) -> float:
    return float(np.frombuffer(response.raw_output_contents[0], "<f4")[0])


class Telling(list[Request]):
    """A list that says when something was put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Event()

    def append(self, request: Request) -> None:
        super().append(request)
        self.told.set()
