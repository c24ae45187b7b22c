"""Steady load from simulated stays, with every answer kept, so that a test can count what was lost and mislabelled."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import cycle, islice, zip_longest
from threading import Event, Lock, Thread
from typing import Self
from uuid import UUID

from stepdown.client import AssessmentClient, AssessmentError, AssessRiskRequest, summarise
from stepdown.client.psv import read_stay
from tests.faults.running_server import ROOT, RunningServer

_WARM_UP_S = 30.0
_WARM_UP_ANSWERS = 30
STAYS = ROOT / "deploy" / "demo" / "stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answered question."""

    at_s: float
    elapsed_s: float
    tier: str
    bundle: str
    sha256: str
    signers: tuple[str, ...]
    device: str
    degraded: tuple[str, ...]
    recorded: bool


def requests(count: int) -> Iterator[AssessRiskRequest]:
    """That many requests, hour by hour over all demo stays."""
    for made, hour in enumerate(islice(cycle(_hours()), count)):
        request = AssessRiskRequest()
        request.CopyFrom(hour)
        request.request_id = str(UUID(int=made))
        yield request


@cache
def _hours() -> tuple[AssessRiskRequest, ...]:
    """Every hour of every demo stay, stay by stay in turn."""
    ending = datetime.now(UTC)
    per_stay = [list(read_stay(path).requests(ending=ending)) for path in sorted(STAYS.glob("*.psv"))]
    return tuple(hour for hours in zip_longest(*per_stay) for hour in hours if hour is not None)


class Load:
    """Threads that ask without pause until stopped."""

    def __init__(self, server: RunningServer, *, threads: int = 4, timeout_s: float = 2.0) -> None:
        self.answers: list[Answer] = []
        self.failures: list[str] = []
        self._client = server.client()
        _hours()
        self._requests = requests(1_000_000)
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._stopped = Event()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        deadline_s = time.monotonic() + _WARM_UP_S
        while len(self.answers) < _WARM_UP_ANSWERS:
            assert time.monotonic() < deadline_s, self.failures
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(10)
        self._client.close()

    def since(self, moment_s: float) -> Counter[str]:
        """Who answered after a moment."""
        return Counter(answer.tier for answer in tuple(self.answers) if answer.at_s >= moment_s)

    def _run(self) -> None:
        while not self._stopped.is_set():
            with self._lock:
                request = next(self._requests)
            begun_s = time.monotonic()
            try:
                self.answers.append(ask(self._client, request, timeout_s=self._timeout_s))
            except AssessmentError as error:
                self.failures.append(f"{time.monotonic() - begun_s:.3f} s: {error}")
            time.sleep(0.005)


def ask(client: AssessmentClient, request: AssessRiskRequest, *, timeout_s: float = 0.5) -> Answer:
    """One question, one answer."""
    begun_s = time.monotonic()
    assessment = client.assess(request, timeout_s=timeout_s)
    now_s = time.monotonic()
    assert assessment.request_id == request.request_id
    identity = assessment.answered_by
    return Answer(
        at_s=begun_s,
        elapsed_s=now_s - begun_s,
        tier=identity.tier,
        bundle=summarise(assessment).bundle,
        sha256=identity.bundle.sha256,
        signers=tuple(identity.bundle.signers),
        device=identity.device,
        degraded=tuple(step.tier for step in assessment.degradations),
        recorded=assessment.recorded,
    )
