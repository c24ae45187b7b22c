"""Claims over the idempotency store and the rate limits: one lock, one clock, bounded memory.

What counts against the rate is a content that was not assessed before; polling an unchanged patient tells nobody
anything new. It counts within the hour of clinical time that it is about, where a drip of small changes would probe a
model, and with far more room over the encounter as a whole: so a stay may be replayed hour by hour as fast as it can be
sent.
"""

from collections import OrderedDict
from dataclasses import replace
from hashlib import sha256
from threading import Lock

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.intake import ObservationGrid
from stepdown.domain.observations import ClinicalRequest
from stepdown.ports import Clock
from stepdown.resilience.idempotency import IdempotencyStore, Replay
from stepdown.resilience.rate_limit import EncounterRateLimit, RatePolicy

HOURS_OF_ROOM = 50
REMEMBERED_CONTENTS = 50_000
_HOUR_S = 3600.0


class StoredClaims:
    """Meets `Claims`. Answers are kept for `kept_for_s` at the longest."""

    def __init__(self, clock: Clock, *, rate: RatePolicy, kept_for_s: float = 3600.0) -> None:
        """Start with nothing stored and every encounter at rest. `rate` holds for one hour of an encounter."""
        self._clock = clock
        self._kept_for_s = kept_for_s
        self._lock = Lock()
        self._store: IdempotencyStore[bytes] = IdempotencyStore()
        self._hour = EncounterRateLimit(rate)
        self._encounter = EncounterRateLimit(replace(rate, burst=rate.burst * HOURS_OF_ROOM))
        self._assessed: OrderedDict[bytes, None] = OrderedDict()

    def claim(self, caller: str, message: AssessRiskRequest, *, content: bytes) -> tuple[str, bytes | None]:
        """The key now held, and the stored answer if this very request was answered before."""
        if not message.request_id:
            return "", None  # intake refuses it, with everything else that is wrong
        key = f"{caller}\0{message.request_id}"
        digest = sha256(content).hexdigest()
        with self._lock:
            claim = self._store.begin(
                key, digest, encounter_token=message.encounter_token, now_s=self._clock.monotonic_s()
            )
        return (key, None) if not isinstance(claim, Replay) else ("", claim.answer)

    def permit(self, request: ClinicalRequest, grid: ObservationGrid) -> None:
        """Count the request against its encounter's rate, unless that hour's content was assessed before.

        The content is what a model is given: the grid, in which every time is relative to `as_of_time`.
        """
        hour = f"{request.encounter_token}\0{int((request.as_of_time_s or 0.0) // _HOUR_S)}"
        content = sha256(hour.encode() + grid.cells).digest()
        with self._lock:
            if content in self._assessed:
                self._assessed.move_to_end(content)
                return
            now_s = self._clock.monotonic_s()
            self._hour.admit(hour, now_s=now_s)
            self._encounter.admit(request.encounter_token, now_s=now_s)
            self._assessed[content] = None
            if len(self._assessed) > REMEMBERED_CONTENTS:
                self._assessed.popitem(last=False)

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
