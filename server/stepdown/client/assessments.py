"""The calls that an integration makes, answered by whichever of its servers can.

A call that met a dead, stopped, stopping or overloaded server is sent again to another: safe, because a server answers
a repeated `request_id` with the answer it gave before.
"""

from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from stepdown.api.v1.assessment_service_pb2 import (
    AssessRiskRequest,
    AssessRiskResponse,
    BatchAssessRiskRequest,
    BatchAssessRiskResponse,
)
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.api.v1.outcomes_pb2 import RecordOutcomeRequest, RecordOutcomeResponse
from stepdown.client.connection import Credentials
from stepdown.client.failover import Failover
from stepdown.client.failures import AssessmentError, settled
from stepdown.client.feed import Feed
from stepdown.client.servers import Servers

DEFAULT_TIMEOUT_S = 1.0
REPORT_TIMEOUT_S = 5.0


class AssessmentClient:
    """Asks for assessments. Thread-safe; close it, or use it in a `with` block."""

    def __init__(self, addresses: str | Sequence[str], credentials: Credentials) -> None:
        """`addresses`: as `Credentials.channels` takes them. Raises AddressError, OSError."""
        self._servers = Servers(credentials.channels(addresses))

    def assess(self, request: AssessRiskRequest, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Assessment:
        """One encounter. The timeout is the deadline the server plans its tiers by. Raises AssessmentError."""
        call: Failover[AssessRiskResponse] = Failover(
            self._servers,
            lambda server: server.assessments.AssessRisk,
            request,
            timeout_s=timeout_s,
            repeatable=bool(request.request_id),
        )
        return call.answer().assessment

    def assess_batch(
        self, requests: Iterable[AssessRiskRequest], *, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> tuple[Assessment | AssessmentError, ...]:
        """Up to 1,024 encounters in one call, each with an answer or a failure of its own. Raises AssessmentError."""
        message = BatchAssessRiskRequest(requests=requests)
        call: Failover[BatchAssessRiskResponse] = Failover(
            self._servers,
            lambda server: server.assessments.BatchAssessRisk,
            message,
            timeout_s=timeout_s,
            repeatable=all(request.request_id for request in message.requests),
        )
        return tuple(settled(result) for result in call.answer().results)

    def assess_stream(
        self, requests: Iterable[AssessRiskRequest]
    ) -> Iterator[tuple[str, Assessment | AssessmentError]]:
        """An open-ended feed: pairs of request id and answer, as they come. Raises AssessmentError.

        When its server goes, the feed goes on with another, which is sent again what has no answer yet.
        """
        return Feed(self._servers, requests).answers()

    def record_outcome(self, report: RecordOutcomeRequest, *, timeout_s: float = REPORT_TIMEOUT_S) -> str:
        """Report on an answer (`client.outcomes` builds reports): the id of the report's record, once it is kept.

        Asks every server until one's ledger holds the answer. Raises AssessmentError.
        """
        call: Failover[RecordOutcomeResponse] = Failover(
            self._servers,
            lambda server: server.assessments.RecordOutcome,
            report,
            timeout_s=timeout_s,
            repeatable=bool(report.report_id),
        )
        return call.answer().record_id

    def close(self) -> None:
        """Close every connection."""
        self._servers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
