"""Claims that permit everything and store nothing, unless the test says otherwise."""

from dataclasses import dataclass, field

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.intake import ObservationGrid
from stepdown.domain.observations import ClinicalRequest


@dataclass(slots=True)
class FakeClaims:
    """Meets `transport.claims.Claims`. `refusal` is raised by whichever method it is set for."""

    stored: bytes | None = None
    claim_refusal: RequestRejectedError | None = None
    rate_refusal: RequestRejectedError | None = None
    claimed: list[tuple[str, str]] = field(default_factory=list)
    settled: list[tuple[str, bytes]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    retracted: list[str] = field(default_factory=list)

    def claim(self, caller: str, message: AssessRiskRequest, *, content: bytes) -> tuple[str, bytes | None]:
        del content
        if self.claim_refusal is not None:
            raise self.claim_refusal
        self.claimed.append((caller, message.request_id))
        return message.request_id, self.stored

    def permit(self, request: ClinicalRequest, grid: ObservationGrid) -> None:
        del request, grid
        if self.rate_refusal is not None:
            raise self.rate_refusal

    def settle(self, key: str, answer: bytes) -> None:
        self.settled.append((key, answer))

    def release(self, key: str) -> None:
        self.released.append(key)

    def retract(self, encounter_token: str) -> None:
        self.retracted.append(encounter_token)
