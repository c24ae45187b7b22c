"""A ward of simulated patients, each assessed over and over at a steady pace, with every answer counted."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread

from stepdown.client import AssessmentClient, AssessmentError
from stepdown.client.psv import Stay, read_stay

_PERIOD_S = 0.25
_TIMEOUT_S = 0.5


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of every question so far; `recent` holds (when, tier, latency in ms), newest last."""

    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    slowest_ms: float = 0.0
    recent: tuple[tuple[float, str, float], ...] = ()


class Ward:
    """One thread per patient; a patient's stay is replayed from its middle on, again and again."""

    def __init__(self, client: AssessmentClient, stays: Path) -> None:
        """Take in every stay of a folder."""
        self._client = client
        self._stays = [read_stay(path) for path in sorted(stays.glob("*.psv"))]
        self._tally = Tally()
        self._recent: deque[tuple[float, str, float]] = deque(maxlen=4096)
        self._lock = Lock()
        self._stopped = Event()
        self._threads = [Thread(target=self._attend, args=(stay,), daemon=True) for stay in self._stays]

    @property
    def patients(self) -> int:
        """How many patients lie here."""
        return len(self._stays)

    def start(self) -> None:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask no more, and wait for the answers that are due."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=10 * _TIMEOUT_S)

    def tally(self) -> Tally:
        """A copy of the counts."""
        with self._lock:
            tally = self._tally
            return Tally(
                asked=tally.asked,
                answers=Counter(tally.answers),
                missed=tally.missed,
                slowest_ms=tally.slowest_ms,
                recent=tuple(self._recent),
            )

    def _attend(self, stay: Stay) -> None:
        while not self._stopped.is_set():
            requests = list(stay.requests(ending=datetime.now(UTC)))
            for request in requests[len(requests) // 2 :]:
                if self._stopped.wait(_PERIOD_S):
                    return
                begun_s = time.monotonic()
                try:
                    tier = self._client.assess(request, timeout_s=_TIMEOUT_S).answered_by.tier
                except AssessmentError:
                    tier = ""
                self._count(tier, (time.monotonic() - begun_s) * 1e3)

    def _count(self, tier: str, latency_ms: float) -> None:
        with self._lock:
            self._tally.asked += 1
            self._tally.slowest_ms = max(self._tally.slowest_ms, latency_ms)
            if tier:
                self._tally.answers[tier] += 1
                self._recent.append((time.monotonic(), tier, latency_ms))
            else:
                self._tally.missed += 1
