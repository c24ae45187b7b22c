"""Keeps every call as it came off the wire, and reads the answers when the load is over."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from locust.event import Events

from loadtests.labels import is_unsuited, label_faults
from loadtests.order import Order
from loadtests.record import Outcome, Pulse
from stepdown.api.v1.assessment_service_pb2 import (
    AssessRiskResponse,
    BatchAssessRiskResponse,
    BatchAssessRiskResult,
    StreamAssessRiskResponse,
)
from stepdown.client import AssessmentError

UNANSWERED = "no answer"
LATE = "answered after the deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One call or one message of a stream that came to an end; times on this process's monotonic clock."""

    profile: str
    urgency: str
    request_ids: tuple[str, ...]
    intended_s: float
    sent_s: float
    done_s: float
    deadline_s: float
    reply: bytes = b""
    failure: str = ""


class Recorder:
    """Listens to locust's `request` event."""

    def __init__(self, events: Events) -> None:
        """Begin to listen."""
        self.pulses: list[Pulse] = []
        self._settled: list[Settled] = []
        events.request.add_listener(self._keep)

    def outcomes(self, order: Order, zero_s: float) -> Iterator[Outcome]:
        """Every encounter's outcome, its times counted from `zero_s`."""
        for settled in self._settled:
            by_id = _results(settled)
            for request_id in settled.request_ids:
                yield _outcome(settled, request_id, by_id.get(request_id), order, zero_s)

    def _keep(self, context: dict[str, Any], **_fired: object) -> None:
        self._settled.append(context["settled"])


def _results(settled: Settled) -> dict[str, BatchAssessRiskResult | StreamAssessRiskResponse]:
    """Each answer under the id of the request that it stands beside. One call answers whatever was asked."""
    if not settled.reply:
        return {}
    if settled.profile == "monitor-feed":
        streamed = StreamAssessRiskResponse.FromString(settled.reply)
        return {streamed.request_id: streamed}
    if len(settled.request_ids) == 1:
        single = AssessRiskResponse.FromString(settled.reply)
        (request_id,) = settled.request_ids
        return {request_id: BatchAssessRiskResult(request_id=request_id, assessment=single.assessment)}
    return {result.request_id: result for result in BatchAssessRiskResponse.FromString(settled.reply).results}


def _outcome(
    settled: Settled,
    request_id: str,
    result: BatchAssessRiskResult | StreamAssessRiskResponse | None,
    order: Order,
    zero_s: float,
) -> Outcome:
    faults: tuple[str, ...] = ()
    tier, unsuited, failure = "", False, settled.failure
    if result is not None and result.HasField("failure"):
        error = AssessmentError.of_item(result.failure)
        failure = f"{error.code} {error.reason}".strip()
    elif result is not None:
        answer = result.assessment
        faults = label_faults(answer, request_id=request_id, pathway=order.pathway, chain=order.chain)
        late = settled.done_s - settled.sent_s > settled.deadline_s
        tier, failure = ("", LATE) if late else (answer.answered_by.tier, "")
        unsuited = is_unsuited(answer)
    return Outcome(
        profile=settled.profile,
        urgency=settled.urgency,
        intended_s=round(settled.intended_s - zero_s, 6),
        sent_s=round(settled.sent_s - zero_s, 6),
        done_s=round(settled.done_s - zero_s, 6),
        tier=tier,
        failure=failure if tier else failure or UNANSWERED,
        label_faults=faults,
        request_id=request_id,
        unsuited=unsuited,
    )
