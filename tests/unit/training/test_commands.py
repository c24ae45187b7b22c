"""The commands that need no PyTorch, the demonstration's stays, and where a run takes its stays from."""

from pathlib import Path

import numpy as np
import pytest

from models.training.__main__ import main
from models.training.columns import INDEX
from models.training.dataset import DatasetSource
from models.training.demo_stays import KINDS
from models.training.psv import read_folder, write_folder
from models.training.recipe import SMOKE
from models.training.simulation.simulator import simulate
from models.training.stays import UNRECORDED, Stays

DEMO_STAYS = Path(__file__).resolve().parents[3] / "deploy" / "demo" / "stays"


@pytest.fixture
def demo() -> Stays:
    return read_folder(DEMO_STAYS)


def test_simulate_writes_as_many_stays_as_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["simulate", "--stays", "3", "--seed", "5", "--out", str(tmp_path)])
    assert read_folder(tmp_path).names == ("s5-000000", "s5-000001", "s5-000002")
    assert capsys.readouterr().out.startswith("3 stays")


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["trane"])
    assert "invalid choice" in capsys.readouterr().err


def test_the_demonstration_has_a_stay_of_every_kind_and_a_page_that_names_each(demo: Stays) -> None:
    assert set(demo.names) == set(KINDS)
    readme = (DEMO_STAYS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.psv`" in readme for name in KINDS)


def test_stays_of_the_demonstration_are_what_their_names_say(demo: Stays) -> None:
    septic = {name for name, is_septic in zip(demo.names, demo.is_septic, strict=True) if is_septic}
    assert septic == {name for name in KINDS if name.startswith("septic")}
    assert not np.any(demo.consciousness == UNRECORDED)
    assert not np.any(demo.on_oxygen == UNRECORDED)
    rows = demo.stay_of_row == demo.names.index("well-copd")
    assert 87 <= np.nanmedian(demo.predictors[rows, INDEX["O2Sat"]]) <= 93


def test_a_folder_is_split_the_same_way_for_training_and_for_judging(tmp_path: Path) -> None:
    write_folder(simulate(60, seed=2).stays, tmp_path, bedside=False)
    source = DatasetSource(recipe=SMOKE, folder=tmp_path)
    splits = source.splits()
    assert source.test().sha256 == splits.test.sha256
    assert len(splits.train) + len(splits.validation) + len(splits.test) == 60
    assert "simulated" not in source.description + source.population


def test_simulated_splits_share_no_stay() -> None:
    names = [simulate(5, seed=seed).stays.names for seed in (1, 2)]
    assert not set(names[0]) & set(names[1])
    assert "simulated" in DatasetSource(recipe=SMOKE).population
