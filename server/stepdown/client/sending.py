"""Questions sent without waiting for one another's answers: what measures a server must not be held up by it.

A question is encoded once and sent many times under new ids. Refuses to retry: an answer lost is an answer lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest, AssessRiskResponse
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.client.connection import Credentials

_METHOD = "/stepdown.api.v1.AssessmentService/AssessRisk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: an encoded answer, or the name of the status that ended the call and its text."""

    encoded: bytes
    code: str = ""
    text: str = ""

    def assessment(self) -> Assessment:
        """The answer. Raises: DecodeError."""
        return AssessRiskResponse.FromString(self.encoded).assessment


Settled: TypeAlias = Callable[[Reply], None]


class QuestionSender:
    """One connection. `send` returns at once; replies are told on a thread of gRPC's."""

    def __init__(self, addresses: str, credentials: Credentials) -> None:
        """`addresses`: as `Credentials.channel` takes them. Raises AddressError, OSError."""
        self._channel = credentials.channel(addresses)
        self._ask: Any = self._channel.unary_unary(_METHOD)

    def send(self, question: bytes, *, request_id: str, timeout_s: float, settled: Settled) -> None:
        """Send an encoded question under an id. The timeout is the deadline that the server plans its tiers by."""
        # A later field of the same number replaces an earlier one: the id needs no other encoding of the question.
        encoded = question + AssessRiskRequest(request_id=request_id).SerializeToString()
        self._ask.future(encoded, timeout=timeout_s).add_done_callback(lambda call: settled(_reply(call)))

    def close(self) -> None:
        """Close the connection; calls that are still open end without an answer."""
        self._channel.close()


def _reply(call: Any) -> Reply:  # noqa: ANN401 - gRPC's own type of a call is not public
    code = call.code()
    if code is grpc.StatusCode.OK:
        return Reply(encoded=call.result())
    return Reply(encoded=b"", code=code.name, text=call.details() or "")
