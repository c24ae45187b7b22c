"""Claims over the idempotency store and the rate limit: one lock, one clock, bounded memory."""

from hashlib import sha256
from threading import Lock

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.observations import ClinicalRequest
from stepdown.ports import Clock
from stepdown.resilience.idempotency import IdempotencyStore, Replay
from stepdown.resilience.rate_limit import EncounterRateLimit, RatePolicy


class StoredClaims:
    """Meets `Claims`. Answers are kept for `kept_for_s` at the longest."""

    def __init__(self, clock: Clock, *, rate: RatePolicy, kept_for_s: float = 3600.0) -> None:
        """Start with nothing stored and every encounter at rest."""
        self._clock = clock
        self._kept_for_s = kept_for_s
        self._lock = Lock()
        self._store: IdempotencyStore[bytes] = IdempotencyStore()
        self._limit = EncounterRateLimit(rate)

    def claim(self, caller: str, message: AssessRiskRequest) -> tuple[str, bytes | None]:
        """The key now held, and the stored answer if this very request was answered before."""
        if not message.request_id:
            return "", None  # intake refuses it, with everything else that is wrong
        key = f"{caller}\0{message.request_id}"
        digest = sha256(message.SerializeToString(deterministic=True)).hexdigest()
        with self._lock:
            claim = self._store.begin(
                key, digest, encounter_token=message.encounter_token, now_s=self._clock.monotonic_s()
            )
        return (key, None) if not isinstance(claim, Replay) else ("", claim.answer)

    def permit(self, request: ClinicalRequest) -> None:
        """Count the request against its encounter's rate."""
        with self._lock:
            self._limit.admit(request.encounter_token, now_s=self._clock.monotonic_s())

    def settle(self, key: str, answer: bytes) -> None:
        """Store the answer under the key."""
        with self._lock:
            self._store.complete(key, answer, valid_until_s=self._clock.monotonic_s() + self._kept_for_s)

    def release(self, key: str) -> None:
        """Give the key back without an answer."""
        with self._lock:
            self._store.abandon(key)

    def retract(self, encounter_token: str) -> None:
        """Forget the answers for an encounter into which another patient's data had found their way."""
        with self._lock:
            self._store.invalidate(encounter_token)
