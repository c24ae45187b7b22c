"""The PyTorch modules against what they export to. Needs the training environment: `make test-models`.

These are not part of `make test`, which runs where PyTorch is not installed; what is committed is tested there, on the
ONNX files themselves.
"""

import hashlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.columns import INDEX, NAMES, WINDOW_H
from models.training.fitting.forgetting import forget
from models.training.fitting.scaling import fit_checks, fit_scaling
from models.training.fitting.students import sample_rows, trend_features
from models.training.fitting.teacher import TeacherRecipe, every_hour_logits, train_teacher
from models.training.networks.additive import AdditiveModel
from models.training.networks.input_checks import InputChecks
from models.training.networks.preparation import Preparation
from models.training.networks.served import Calibration, ServedAdditive, ServedTransformer
from models.training.networks.transformer import Transformer
from models.training.networks.trend import FEATURES, TrendFeatures
from models.training.published import CONTRIBUTIONS, INPUT_CHECKS, PROBABILITY
from models.training.publishing.export import export
from models.training.scoring import Graph
from models.training.simulation.simulator import simulate
from models.training.stays import Stays
from models.training.windows import windows

ROOT = Path(__file__).resolve().parents[3]
OUTPUTS = {"full": (PROBABILITY, INPUT_CHECKS), "distilled": (PROBABILITY, CONTRIBUTIONS, INPUT_CHECKS)}


@cache
def stays() -> Stays:
    return simulate(512, seed=21).stays


@cache
def parts() -> tuple[Preparation, InputChecks]:
    scaling = fit_scaling(stays())
    preparation = Preparation(scaling.centre, scaling.spread)
    return preparation, fit_checks(stays(), preparation, sample=2_000, rng=np.random.default_rng(0))


@cache
def served(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    preparation, checks = parts()
    calibration = Calibration(slope=0.9, intercept=-1.1)
    if name == "full":
        module: torch.nn.Module = ServedTransformer(
            preparation=preparation, model=Transformer(), checks=checks, calibration=calibration
        )
    else:
        module = ServedAdditive(preparation=preparation, model=AdditiveModel(), checks=checks, calibration=calibration)
    return module.eval()


@cache
def exported(name: str) -> bytes:
    return export(served(name), outputs=OUTPUTS[name])


def hostile_windows() -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    grid = windows(stays(), np.random.default_rng(1).choice(len(stays().label), 64, replace=False))
    grid[0], grid[1], grid[2], grid[3] = np.nan, np.inf, -np.inf, 1e30
    grid[4, :, INDEX["HR"]] = np.inf
    return grid


@pytest.mark.parametrize("name", sorted(OUTPUTS))
@pytest.mark.parametrize("batch", [1, 7, 64])
def test_the_exported_graph_answers_as_the_module_does(name: str, batch: int) -> None:
    grid = hostile_windows()[:batch]
    with torch.no_grad():
        expected = served(name)(torch.from_numpy(grid))
    found = Graph(exported(name)).run(grid)
    for output, value in zip(OUTPUTS[name], expected, strict=True):
        assert np.isfinite(found[output]).all()
        assert found[output] == pytest.approx(value.numpy(), abs=2e-5)


def test_exporting_twice_gives_the_same_bytes_and_so_does_another_folder(tmp_path: Path) -> None:
    script = (
        "import hashlib, torch; from models.training.networks.served import *;"
        "from models.training.graph_tests.test_graphs import exported;"
        "print(hashlib.sha256(exported('distilled')).hexdigest())"
    )
    for folder in (ROOT, tmp_path):
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ended.stdout.split()[-1] == hashlib.sha256(exported("distilled")).hexdigest()


def test_preparation_leaves_no_number_undefined() -> None:
    prepared = parts()[0](torch.from_numpy(hostile_windows()))
    assert all(torch.isfinite(tensor).all() for tensor in prepared)


def test_forward_fill_carries_the_newest_value_and_its_age() -> None:
    grid = np.full((1, WINDOW_H, len(NAMES)), np.nan, dtype=np.float32)
    grid[0, 40, INDEX["HR"]], grid[0, 44, INDEX["HR"]] = 90, 120
    prepared = parts()[0](torch.from_numpy(grid))
    last, age, seen = (tensor[0, :, INDEX["HR"]] for tensor in (prepared.last, prepared.age_h, prepared.seen))
    assert seen.tolist() == [0.0] * 40 + [1.0] * 8
    assert age[40:].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert torch.all(last[:40] == 0)
    assert torch.all(last[41:44] == last[40])
    assert torch.all(last[44:] == last[44])
    assert last[44] > last[40]


def test_trend_features_are_the_means_they_are_called() -> None:
    grid = windows(stays(), np.flatnonzero(stays().hour_of_row >= 30)[:5])
    prepared = parts()[0](torch.from_numpy(grid))
    features = TrendFeatures()(prepared)[:, 0]
    value, there = prepared.standard[:, :, INDEX["HR"]], prepared.observed[:, :, INDEX["HR"]]
    for name, span in {
        "mean": slice(0, 48),
        "mean_3h": slice(45, 48),
        "mean_8h": slice(40, 48),
        "mean_8_24h": slice(24, 40),
    }.items():
        expected = (value * there)[:, span].sum(dim=1) / there[:, span].sum(dim=1)
        assert features[:, FEATURES.index(name), INDEX["HR"]].numpy() == pytest.approx(expected.numpy(), abs=1e-5)


def test_features_of_every_hour_end_with_those_of_the_last() -> None:
    prepared = parts()[0](torch.from_numpy(windows(stays(), np.arange(20, 40))))
    every = TrendFeatures(hours=WINDOW_H)(prepared)
    assert every[:, -1].numpy() == pytest.approx(TrendFeatures()(prepared)[:, 0].numpy(), abs=1e-4)


def test_an_hour_scores_the_same_whether_the_window_ends_there_or_later() -> None:
    torch.manual_seed(0)
    model = Transformer().eval()
    ends = stays().first_row[1:] - 1
    ends = ends[np.diff(stays().first_row) <= WINDOW_H][:20]
    with torch.no_grad():
        every = model.every_hour(parts()[0](torch.from_numpy(windows(stays(), ends))))
        last = model(parts()[0](torch.from_numpy(windows(stays(), ends - 5))))
    assert every[:, -6].numpy() == pytest.approx(last[:, 0].numpy(), abs=2e-5)


def test_logits_of_every_row_are_those_of_their_own_windows_within_the_first_48_hours() -> None:
    torch.manual_seed(0)
    model = Transformer().eval()
    rows = np.flatnonzero(stays().hour_of_row < WINDOW_H)[::97]
    with torch.no_grad():
        alone = model(parts()[0](torch.from_numpy(windows(stays(), rows))))[:, 0].numpy()
    assert every_hour_logits(stays(), parts()[0], model)[rows] == pytest.approx(alone, abs=2e-5)


def test_centring_moves_contributions_to_a_mean_of_nought_and_leaves_scores_alone() -> None:
    torch.manual_seed(0)
    model = AdditiveModel().eval()
    features = trend_features(stays(), np.arange(300), parts()[0])
    with torch.no_grad():
        before = model(features)
        model.centre_on(features)
        assert model(features).numpy() == pytest.approx(before.numpy(), abs=1e-5)
        assert model.contributions(features).mean(dim=0).abs().max() < 1e-5


def test_training_resumed_from_a_checkpoint_ends_where_an_unbroken_run_does(tmp_path: Path) -> None:
    torch.use_deterministic_algorithms(mode=True)
    data = stays().select(np.arange(200))

    def run(checkpoint: Path, *, interrupted: bool) -> Transformer:
        recipe = TeacherRecipe(epochs=2, windows_per_epoch=256, peak_rate=1e-3)
        if interrupted:
            state = torch.load(tmp_path / "whole.pt.first", weights_only=True)
            torch.save(state, checkpoint)
        return train_teacher(data, data, parts()[0], recipe=recipe, checkpoint=checkpoint)

    whole = _run_keeping_the_first_epoch(data, tmp_path / "whole.pt")
    resumed = run(tmp_path / "resumed.pt", interrupted=True)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def _run_keeping_the_first_epoch(data: Stays, checkpoint: Path) -> Transformer:
    saved = torch.save

    def keep(state: dict[str, object], path: Path) -> None:
        saved(state, path)
        if state["epochs_done"] == 1:
            saved(state, checkpoint.with_name("whole.pt.first"))

    torch.save = keep
    try:
        recipe = TeacherRecipe(epochs=2, windows_per_epoch=256, peak_rate=1e-3)
        return train_teacher(data, data, parts()[0], recipe=recipe, checkpoint=checkpoint)
    finally:
        torch.save = saved


def test_forgetting_hides_what_it_says_and_nothing_of_the_future_is_left_uncounted() -> None:
    grid = np.ones((400, WINDOW_H, len(NAMES)), dtype=np.float32)
    there = forget(grid, np.random.default_rng(0))
    assert np.all(np.isnan(grid[~there]))
    assert there[:, -1].all()
    assert 0.08 < np.mean(~there[:, 0]) < 0.22
    uncut = np.flatnonzero(there.all(axis=1))
    assert 0.03 < np.isnan(grid[uncut]).all(axis=1).mean() < 0.07


def test_a_sample_of_hours_holds_every_positive_one_up_to_half() -> None:
    rows = sample_rows(stays(), count=4_000, rng=np.random.default_rng(0))
    positive = int(stays().label.sum())
    assert int(stays().label[rows].sum()) == min(positive, 2_000)
    assert len(np.unique(rows)) == len(rows) == 4_000


def test_a_checkpoint_of_another_recipe_is_not_gone_on_with(tmp_path: Path) -> None:
    data = stays().select(np.arange(200))
    short = TeacherRecipe(epochs=1, windows_per_epoch=128, peak_rate=1e-3)
    other = TeacherRecipe(epochs=1, windows_per_epoch=128, peak_rate=2e-3)
    train_teacher(data, data, parts()[0], recipe=short, checkpoint=tmp_path / "used.pt")
    gone_on = train_teacher(data, data, parts()[0], recipe=other, checkpoint=tmp_path / "used.pt")
    fresh = train_teacher(data, data, parts()[0], recipe=other, checkpoint=tmp_path / "fresh.pt")
    assert torch.equal(gone_on.embed.weight, fresh.embed.weight)
