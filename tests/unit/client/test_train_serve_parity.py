"""What a model is given in service is what it was trained on: the last 48 rows of the file, column for column."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from models.training.psv import read_folder
from models.training.windows import windows
from stepdown.client.psv import WINDOW_H, Stay, read_stay
from stepdown.clinical.channels import GRID_CHANNELS
from stepdown.domain.intake import Intake
from stepdown.domain.reasons import InputIssue
from stepdown.transport.codec.requests import RequestLimits, decode_request
from tests.fakes.clinical_pathways import ROOT, clinical_pathway
from tests.unit.client.stay_text import row, written

STAYS = sorted((ROOT / "deploy" / "demo" / "stays").glob("*.psv"))
ENDING = datetime(2026, 3, 29, 1, 59, 59, 123_457, tzinfo=UTC)


@cache
def taken_in(stay: Stay) -> tuple[Intake, ...]:
    """What intake makes of every hour of a stay."""
    pathway = clinical_pathway()
    requests = [decode_request(each, limits=RequestLimits()) for each in stay.requests(ending=ENDING)]
    return tuple(pathway.prepare(each, received_time_s=ENDING.timestamp()).intake for each in requests)


def differences(path: Path) -> Iterator[str]:
    """Each hour, row and column in which service differs, in any bit, from what the training code cuts out."""
    served = [np.frombuffer(intake.grid.cells, "<u4") for intake in taken_in(read_stay(path))]
    trained = windows(read_folder(path.parent).select(position_of(path)), np.arange(len(served)))
    assert trained.shape == (len(served), WINDOW_H, len(GRID_CHANNELS))
    unequal = np.stack(served).reshape(trained.shape) != trained.view("<u4")
    for hour, line, column in np.argwhere(unequal).tolist():
        yield f"hour {hour}: row {line}: {GRID_CHANNELS[column]}"


def position_of(path: Path) -> NDArray[np.int64]:
    """Which stay of its folder a file is."""
    return np.array([sorted(path.parent.glob("*.psv")).index(path)])


def test_there_are_stays_to_compare() -> None:
    assert len(STAYS) == 12
    assert max(len(read_stay(path).rows) for path in STAYS) > WINDOW_H


@pytest.mark.parametrize("path", STAYS, ids=lambda path: path.stem)
def test_the_grid_is_the_last_48_rows_of_the_file(path: Path) -> None:
    assert list(differences(path)) == []


@pytest.mark.parametrize("path", STAYS, ids=lambda path: path.stem)
def test_nothing_is_dropped_but_vital_signs_charted_longer_ago_than_intensive_care_allows(path: Path) -> None:
    """One entry for each core vital sign that is older than an hour; the models still have it."""
    stay = read_stay(path)
    for hour, intake in enumerate(taken_in(stay)):
        dropped = Counter((entry.channel, entry.issue) for entry in intake.dropped)
        recent = {name: list(_recent(stay, name, hour)) for name in ("HR", "O2Sat", "Temp", "SBP", "Resp")}
        stale = {name for name, values in recent.items() if values == [False, False] and _charted(stay, name, hour)}
        assert dropped == Counter((name, InputIssue.STALE) for name in stale)


def _recent(stay: Stay, name: str, hour: int) -> Iterator[bool]:
    """Whether a column was charted in this hour, and in the one before: an hour is not yet too old."""
    for known in (hour - 1, hour):
        yield known >= 0 and stay.hour(known)[name] == stay.hour(known)[name]


def _charted(stay: Stay, name: str, hour: int) -> bool:
    return any(any(_recent(stay, name, known)) for known in range(max(0, hour + 1 - WINDOW_H), hour + 1))


@pytest.mark.parametrize(
    "static",
    [
        {"Age": "83.14"},
        {"Gender": "NaN", "Unit1": "NaN", "Unit2": "NaN"},
        {"HospAdmTime": "-5366.86"},
        {"HospAdmTime": "-0.03"},
        {"HospAdmTime": "0"},
        {"HospAdmTime": "23.99"},
        {"HospAdmTime": "NaN"},
    ],
    ids=str,
)
def test_whatever_the_challenge_says_of_a_patient_reaches_the_model(tmp_path: Path, static: dict[str, str]) -> None:
    rows = [row(ICULOS=hour + 1, **static) for hour in range(5)]
    assert list(differences(written(tmp_path, *rows))) == []


def test_hours_in_which_nothing_was_charted_are_kept(tmp_path: Path) -> None:
    nothing = dict.fromkeys(("HR", "O2Sat", "Temp", "SBP", "DBP", "Resp"), "NaN")
    rows = [row(ICULOS=hour + 1, **(nothing if hour in {0, 2, 3} else {})) for hour in range(5)]
    assert list(differences(written(tmp_path, *rows))) == []


def test_the_request_of_an_hour_does_not_depend_on_when_it_is_replayed() -> None:
    """The same grid whatever the clock says: no rounding of an instant moves a value into another hour."""
    stay = read_stay(STAYS[0])
    pathway = clinical_pathway()
    grids = set()
    for microseconds in (0, 1, 333_333, 999_999):
        ending = ENDING.replace(microsecond=microseconds)
        last = list(stay.requests(ending=ending))[-1]
        request = decode_request(last, limits=RequestLimits())
        grids.add(crc32(pathway.prepare(request, received_time_s=ending.timestamp()).intake.grid.cells))
    assert len(grids) == 1
