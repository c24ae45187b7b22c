"""A server of assessments that does as its script says, call after call: what no real one could be brought to do."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1 import assessments_pb2
from stepdown.api.v1.assessment_service_pb2_grpc import (
    AssessmentServiceServicer,
    add_AssessmentServiceServicer_to_server,
)
from stepdown.api.v1.outcomes_pb2 import RecordOutcomeRequest, RecordOutcomeResponse
from tests.unit.transport.grpc_side import server_credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How one call ends instead of being answered."""

    code: grpc.StatusCode
    trailing: tuple[tuple[str, str | bytes], ...] = ()


@dataclass(slots=True)
class Scripted(AssessmentServiceServicer):
    """Refuses as long as the script lasts, then answers. `asked` holds every request id, in order."""

    script: list[Refusal] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def AssessRisk(self, request: Any, context: Any) -> wire.AssessRiskResponse:  # noqa: ANN401, N802
        self._asked(request.request_id, context)
        return wire.AssessRiskResponse(assessment=assessments_pb2.Assessment(request_id=request.request_id))

    def BatchAssessRisk(self, request: Any, context: Any) -> wire.BatchAssessRiskResponse:  # noqa: ANN401, N802
        self._asked(",".join(each.request_id for each in request.requests), context)
        return wire.BatchAssessRiskResponse(
            results=[
                wire.BatchAssessRiskResult(
                    request_id=each.request_id, assessment=assessments_pb2.Assessment(request_id=each.request_id)
                )
                for each in request.requests
            ]
        )

    def StreamAssessRisk(self, request_iterator: Any, context: Any) -> Iterator[Any]:  # noqa: ANN401, N802
        for message in request_iterator:
            self._asked(message.request.request_id, context)
            answer = assessments_pb2.Assessment(request_id=message.request.request_id)
            yield wire.StreamAssessRiskResponse(request_id=message.request.request_id, assessment=answer)

    def RecordOutcome(  # noqa: N802
        self,
        request: RecordOutcomeRequest,
        context: Any,  # noqa: ANN401
    ) -> RecordOutcomeResponse:
        self._asked(request.report_id, context)
        return RecordOutcomeResponse(record_id=f"{self.address}/0")

    def _asked(self, request_id: str, context: Any) -> None:  # noqa: ANN401
        self.asked.append(request_id)
        if self.script:
            refusal = self.script.pop(0)
            context.set_trailing_metadata(refusal.trailing)
            context.abort(refusal.code, "as the script says")


@contextmanager
def scripted(*scripts: Sequence[Refusal]) -> Iterator[tuple[Scripted, ...]]:
    """One server for each script."""
    credential = server_credential()
    pairs = [(credential.private_key_pem, credential.certificate_pem)]
    servers, parts = [], []
    for script in scripts:
        part = Scripted(list(script))
        server = grpc.server(ThreadPoolExecutor(8))
        add_AssessmentServiceServicer_to_server(part, server)
        part.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', grpc.ssl_server_credentials(pairs))}"
        server.start()
        servers.append(server)
        parts.append(part)
    try:
        yield tuple(parts)
    finally:
        for server in servers:
            server.stop(None)
