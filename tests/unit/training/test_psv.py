"""The challenge's file format, both ways."""

from pathlib import Path

import numpy as np
import pytest

from models.training.columns import NAMES
from models.training.psv import PsvFormatError, read_folder, write_folder
from models.training.simulation.simulator import simulate
from models.training.stays import UNRECORDED
from tests.unit.training.test_columns import CHALLENGE_HEADER


def test_written_stays_are_read_back_unchanged(tmp_path: Path) -> None:
    stays = simulate(5, seed=8).stays
    write_folder(stays, tmp_path, bedside=True)
    assert read_folder(tmp_path).names == stays.names
    assert read_folder(tmp_path).sha256 == stays.sha256


def test_the_header_is_the_challenges_unless_bedside_columns_are_asked_for(tmp_path: Path) -> None:
    stays = simulate(1, seed=8).stays
    (plain,) = write_folder(stays, tmp_path / "plain", bedside=False)
    (bedside,) = write_folder(stays, tmp_path / "bedside", bedside=True)
    assert plain.read_text().splitlines()[0] == CHALLENGE_HEADER
    assert bedside.read_text().splitlines()[0] == CHALLENGE_HEADER + "|Consciousness|SupplementalOxygen"


def test_a_tool_that_indexes_by_position_reads_bedside_files_alike(tmp_path: Path) -> None:
    stays = simulate(1, seed=8).stays
    read = []
    for bedside in (False, True):
        (path,) = write_folder(stays, tmp_path / str(bedside), bedside=bedside)
        read.append(np.loadtxt(path, delimiter="|", skiprows=1)[:, :41])
    assert np.array_equal(read[0], read[1], equal_nan=True)


def test_a_plain_file_has_no_bedside_observations(tmp_path: Path) -> None:
    write_folder(simulate(2, seed=8).stays, tmp_path, bedside=False)
    stays = read_folder(tmp_path)
    assert set(stays.consciousness.tolist()) == {UNRECORDED}
    assert set(stays.on_oxygen.tolist()) == {UNRECORDED}


def test_a_file_without_labels_is_read_as_unlabelled(tmp_path: Path) -> None:
    (tmp_path / "p1.psv").write_text("|".join(NAMES) + "\n" + "|".join(["1"] * 40) + "\n")
    assert read_folder(tmp_path).label.tolist() == [0]


def test_a_value_finer_than_the_charting_resolution_survives(tmp_path: Path) -> None:
    stays = simulate(1, seed=8).stays
    stays.predictors[0, 0] = np.float32(72.375)
    write_folder(stays, tmp_path, bedside=False)
    assert read_folder(tmp_path).predictors[0, 0] == np.float32(72.375)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "header"),
        ("HR|O2Sat\n1|2\n", "header"),
        (CHALLENGE_HEADER + "\n", "no hours"),
        (CHALLENGE_HEADER + "\n" + "|".join(["1"] * 40) + "\n", "rows of 40"),
        (CHALLENGE_HEADER + "\n" + "|".join(["x"] * 41) + "\n", "not 41 numbers"),
    ],
)
def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "p1.psv").write_text(text)
    with pytest.raises(PsvFormatError, match=rf"p1\.psv: .*{complaint}"):
        read_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PsvFormatError, match=r"no \.psv file"):
        read_folder(tmp_path)
