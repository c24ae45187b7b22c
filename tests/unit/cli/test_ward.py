from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock
from typing import cast

import pytest

from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.api.v1.tiers_pb2 import TierIdentity
from stepdown.cli import ward as room
from stepdown.cli.ward import Ward
from stepdown.client import AssessmentClient, AssessmentError, AssessRiskRequest
from tests.unit.client.stay_text import row, written

PATIENCE_S = 20.0
HOURS = 8


class Answering:
    """Takes the place of a client; says when it was asked so many times."""

    def __init__(self, enough: int, answer: Callable[[int], Assessment]) -> None:
        self.requests: list[AssessRiskRequest] = []
        self.enough = Event()
        self._wanted = enough
        self._answer = answer
        self._lock = Lock()

    def assess(self, request: AssessRiskRequest, *, timeout_s: float) -> Assessment:
        assert timeout_s == 0.5
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            if number == self._wanted:
                self.enough.set()
        return self._answer(number)


def by(tier: str) -> Assessment:
    return Assessment(answered_by=TierIdentity(tier=tier))


@pytest.fixture
def stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two patients, who need not wait."""
    monkeypatch.setattr(room, "_PERIOD_S", 0.0)
    path = written(tmp_path, *(row(ICULOS=hour + 1) for hour in range(HOURS)))
    (tmp_path / "other.psv").write_bytes(path.read_bytes())
    return tmp_path


def attend(stays: Path, client: Answering) -> Ward:
    ward = Ward(cast("AssessmentClient", client), stays)
    ward.start()
    assert client.enough.wait(PATIENCE_S)
    ward.stop()
    return ward


def test_every_patient_of_the_folder_is_assessed_over_and_over_from_the_middle_of_the_stay(stays: Path) -> None:
    client = Answering(40, lambda _number: by("full"))
    ward = attend(stays, client)
    assert ward.patients == 2
    tokens = {request.subject_token for request in client.requests}
    # Each replay is of another, new patient, so that no rate is ever passed.
    assert len(tokens) > 2
    longest = max(len(request.series[0].values) for request in client.requests)
    shortest = min(len(request.series[0].values) for request in client.requests)
    assert (shortest, longest) == (HOURS // 2 + 1, HOURS)


def test_every_answer_is_counted_by_its_tier_and_every_missed_one_too(stays: Path) -> None:
    def answer(number: int) -> Assessment:
        if number % 4 == 0:
            raise AssessmentError(code="UNAVAILABLE", reason="", message="gone", details=())
        return by("full" if number % 2 else "rules")

    client = Answering(40, answer)
    tally = attend(stays, client).tally()
    assert tally.asked == len(client.requests)
    assert tally.missed == len(client.requests) // 4
    assert tally.answers["full"] == (len(client.requests) + 1) // 2
    assert tally.answers.total() + tally.missed == tally.asked
    assert len(tally.recent) == tally.answers.total()
    assert tally.slowest_ms >= max(latency_ms for _, _, latency_ms in tally.recent)


def test_a_tally_does_not_change_once_it_is_taken(stays: Path) -> None:
    ward = attend(stays, Answering(4, lambda _number: by("full")))
    taken = ward.tally()
    taken.answers["full"] = 0
    assert ward.tally().answers["full"] >= 4
