"""Holds a request id while its request is answered, and keeps the answer for whoever asks the same again."""

from typing import Protocol

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.intake import ObservationGrid
from stepdown.domain.observations import ClinicalRequest


class Claims(Protocol):
    """One idempotency key per caller and request id, and a rate per encounter. Any thread may call."""

    def claim(self, caller: str, message: AssessRiskRequest, *, content: bytes) -> tuple[str, bytes | None]:
        """The key now held, and the stored answer if this very request was answered before.

        `content`: the message in bytes, the same for the same message.
        Raises: RequestRejectedError IDEMPOTENCY_PAYLOAD_MISMATCH, REQUEST_IN_PROGRESS.
        """

    def permit(self, request: ClinicalRequest, grid: ObservationGrid) -> None:
        """Count the request against its encounter's rate. Raises: RequestRejectedError ENCOUNTER_RATE_LIMITED."""

    def settle(self, key: str, answer: bytes) -> None:
        """Store the answer under the key."""

    def release(self, key: str) -> None:
        """Give the key back without an answer; the empty key is nobody's."""

    def retract(self, encounter_token: str) -> None:
        """Forget the answers for an encounter into which another patient's data had found their way."""
