"""The urgency of a call beside its message, so that a busy server knows it before it reads.

The message says it too, and the message is believed. Refuses to make a call more urgent than what it asks.
"""

from google.protobuf.message import Message

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest, BatchAssessRiskRequest
from stepdown.api.v1.observations_pb2 import Urgency

URGENCY_KEY = "stepdown-urgency"

_PREFIX = "URGENCY_"
_NAMED = frozenset(Urgency.values()) - {Urgency.URGENCY_UNSPECIFIED}


def urgency_metadata(request: Message) -> tuple[tuple[str, str], ...]:
    """For gRPC: the urgency of the request, or of the most urgent one of a batch; nothing for what has none."""
    if isinstance(request, BatchAssessRiskRequest):
        requests = tuple(request.requests)
    elif isinstance(request, AssessRiskRequest):
        requests = (request,)
    else:
        return ()
    # The contract numbers them by urgency; a number that it does not name is refused by the server, and says nothing.
    named = [each.urgency for each in requests if each.urgency in _NAMED]
    most = max(named, default=Urgency.URGENCY_ROUTINE)
    return ((URGENCY_KEY, Urgency.Name(most).removeprefix(_PREFIX).lower()),)
