"""The committed model bundles, run as they are: known answers, hostile inputs, input checks, size and provenance."""

import hashlib
import io
import json
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.training.columns import INDEX, LABORATORY, NAMES, WINDOW_H, positions
from models.training.evaluation.corruptions import CORRUPTIONS
from models.training.published import CHECK_LABELS, DISTILLED, FULL, MODEL_FILE
from models.training.publishing.bundle import read_bundle
from models.training.scoring import Graph, padding
from models.training.simulation.simulator import simulate
from models.training.windows import windows
from stepdown.domain.bundles import Manifest, ModelSpec
from stepdown.trust.contents import examine_contents

ROOT = Path(__file__).resolve().parents[2]
TIERS = (FULL, DISTILLED)
LARGEST_TOTAL_BYTES = 6_000_000
Grid = np.ndarray[tuple[int, int, int], np.dtype[np.float32]]

each_tier = pytest.mark.parametrize("name", TIERS)


@cache
def files(name: str) -> dict[str, bytes]:
    return read_bundle(ROOT / "models" / name / "1.0.0")


@cache
def manifest(name: str) -> Manifest:
    return examine_contents(files(name))


def spec(name: str) -> ModelSpec:
    model = manifest(name).model
    assert model is not None
    return model


@cache
def graph(name: str) -> Graph:
    return Graph(files(name)[MODEL_FILE])


@cache
def ordinary() -> Grid:
    stays = simulate(300, seed=424242).stays
    rows = np.random.default_rng(1).choice(len(stays.label), 200, replace=False)
    return windows(stays, rows)


def flagged(name: str, grid: Grid) -> dict[str, float]:
    checks = graph(name).run(grid)["input_checks"]
    return dict(zip(CHECK_LABELS, (checks >= 1).mean(axis=0).tolist(), strict=True))


@each_tier
def test_known_answers_are_reproduced_within_their_tolerance(name: str) -> None:
    known = np.load(io.BytesIO(files(name)["known_answers.npz"]), allow_pickle=False)
    outputs = graph(name).run(known["input.observations"])
    assert set(outputs) == {output.name for output in spec(name).outputs}
    for output, value in outputs.items():
        assert np.abs(value - known[f"output.{output}"]).max() <= float(known[f"atol.{output}"])


@each_tier
def test_known_answers_hold_missing_and_infinite_rows_and_tell_scores_apart(name: str) -> None:
    known = np.load(io.BytesIO(files(name)["known_answers.npz"]), allow_pickle=False)
    grid = known["input.observations"]
    assert 8 <= len(grid) <= 32
    assert np.isnan(grid).all(axis=(1, 2)).any()
    assert np.isposinf(grid).any()
    assert np.isneginf(grid).any()
    assert np.ptp(known["output.probability"]) > 50 * float(known["atol.probability"])


@each_tier
def test_the_graph_is_the_one_the_manifest_describes(name: str) -> None:
    model = onnx.load_from_string(files(name)[MODEL_FILE])
    described = spec(name)
    for values, tensors in ((model.graph.input, described.inputs), (model.graph.output, described.outputs)):
        assert [value.name for value in values] == [tensor.name for tensor in tensors]
        for value, tensor in zip(values, tensors, strict=True):
            dimensions = value.type.tensor_type.shape.dim
            assert [part.dim_value or -1 for part in dimensions] == list(tensor.shape)
    assert next(opset.version for opset in model.opset_import if opset.domain == "") == 20
    assert all(part.data_location == onnx.TensorProto.DEFAULT for part in model.graph.initializer)


@each_tier
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0, 1e-40])
def test_any_number_everywhere_gives_finite_answers_in_range(name: str, value: float) -> None:
    outputs = graph(name).run(np.full((3, WINDOW_H, len(NAMES)), value, dtype=np.float32))
    assert all(np.isfinite(output).all() for output in outputs.values())
    assert np.all((outputs["probability"] >= 0) & (outputs["probability"] <= 1))


@each_tier
def test_hostile_values_anywhere_give_finite_answers(name: str) -> None:
    rng = np.random.default_rng(2)
    grid = ordinary().copy()
    hostile = np.array([np.nan, np.inf, -np.inf, 3e38, -1e30, 0.0, -0.0, 1e-45], dtype=np.float32)
    damaged = rng.random(grid.shape) < 0.2
    grid[damaged] = rng.choice(hostile, int(damaged.sum()))
    assert all(np.isfinite(output).all() for output in graph(name).run(grid).values())


@each_tier
def test_a_row_answers_the_same_alone_and_in_any_batch(name: str) -> None:
    grid = ordinary()[:33]
    together = graph(name).run(grid)
    for at in (0, 7, 32):
        alone = graph(name).run(grid[at : at + 1])
        for output, value in alone.items():
            assert value[0] == pytest.approx(together[output][at], abs=2e-5)


@each_tier
def test_a_later_hour_never_changes_an_earlier_answer(name: str) -> None:
    # A window that ends an hour earlier is the same hours moved down by one row.
    stays = simulate(50, seed=11).stays
    ends = stays.first_row[1:] - 1
    short = ends[np.diff(stays.first_row) < WINDOW_H]
    moved = np.full((len(short), WINDOW_H, len(NAMES)), np.nan, dtype=np.float32)
    moved[:, 1:] = windows(stays, short)[:, :-1]
    earlier = graph(name).run(windows(stays, short - 1))
    assert graph(name).run(moved)["probability"] == pytest.approx(earlier["probability"], abs=1e-6)


@each_tier
def test_an_impossible_value_counts_as_missing_and_is_reported(name: str) -> None:
    missing, impossible = ordinary().copy(), ordinary().copy()
    missing[:, 40:, INDEX["Temp"]] = np.nan
    impossible[:, 40:, INDEX["Temp"]] = 101.3
    before, after = graph(name).run(missing), graph(name).run(impossible)
    assert np.array_equal(before["probability"], after["probability"])
    out_of_range = CHECK_LABELS.index("OUT_OF_RANGE")
    assert np.all(before["input_checks"][:, out_of_range] == 0)
    assert np.all(after["input_checks"][:, out_of_range] == 8)


@each_tier
def test_a_window_without_a_recent_vital_sign_is_unsuitable(name: str) -> None:
    refuse_at = 3.0
    grid = np.concatenate([padding(), ordinary()[:5]])
    grid[1:, WINDOW_H - 12 :, :8] = np.nan
    assert np.all(graph(name).run(grid)["input_checks"].max(axis=1) >= refuse_at)


@each_tier
def test_one_hour_of_vital_signs_is_answered_and_not_refused(name: str) -> None:
    grid = padding()
    for column, value in {"HR": 110, "O2Sat": 93, "Temp": 38.6, "SBP": 96, "MAP": 66, "DBP": 51, "Resp": 26}.items():
        grid[0, -1, INDEX[column]] = value
    assert graph(name).run(grid)["input_checks"].max() < 3


@each_tier
def test_sound_windows_are_seldom_flagged_and_never_refused(name: str) -> None:
    checks = graph(name).run(ordinary())["input_checks"]
    assert np.mean((checks >= 1).any(axis=1)) < 0.08
    assert np.mean((checks >= 3).any(axis=1)) < 0.01


@pytest.mark.parametrize(
    ("damage", "check", "share"),
    [
        ("systolic and diastolic swapped", "COUPLING", 0.6),
        ("heart rate stuck for 10 h", "FLAT_LINE", 0.99),
        ("no laboratory values at all", "OBSERVATION_RATE", 0.6),
        ("temperature in Fahrenheit", "OUT_OF_RANGE", 0.9),
        ("glucose in mmol/L", "EXTREME_VALUE", 0.5),
    ],
)
def test_each_kind_of_damage_is_noticed_by_the_check_made_for_it(damage: str, check: str, share: float) -> None:
    assert flagged(DISTILLED, CORRUPTIONS[damage](ordinary().copy()))[check] >= share
    assert flagged(DISTILLED, ordinary())[check] < 0.05


def test_both_tiers_check_their_input_alike() -> None:
    grid = ordinary().copy()
    grid[:60, :, positions(LABORATORY)] = np.nan
    full, distilled = (graph(name).run(grid)["input_checks"] for name in TIERS)
    assert np.array_equal(full, distilled)


def test_contributions_and_a_constant_are_the_logit_of_the_probability() -> None:
    outputs = graph(DISTILLED).run(ordinary())
    probability = outputs["probability"][:, 0].astype(np.float64)
    constant = np.log(probability / (1 - probability)) - outputs["contributions"].sum(axis=1)
    assert np.ptp(constant) < 1e-3


def test_contributions_are_centred() -> None:
    mean = np.abs(graph(DISTILLED).run(ordinary())["contributions"].mean(axis=0))
    assert mean.max() < 0.15


def test_a_column_contributes_from_its_own_values_alone() -> None:
    grid = ordinary().copy()
    before = graph(DISTILLED).run(grid)["contributions"]
    grid[:, -3:, INDEX["Lactate"]] = 9.0
    changed = np.abs(graph(DISTILLED).run(grid)["contributions"] - before).max(axis=0) > 1e-5
    assert np.flatnonzero(changed).tolist() == [INDEX["Lactate"]]


@each_tier
def test_sicker_looks_riskier(name: str) -> None:
    stays = simulate(600, seed=99).stays
    last = stays.first_row[1:] - 1
    risk = graph(name).run(windows(stays, last))["probability"][:, 0]
    assert np.median(risk[stays.is_septic]) > 3 * np.median(risk[~stays.is_septic])


@each_tier
def test_the_reference_was_made_with_the_thresholds_of_the_manifest(name: str) -> None:
    reference = json.loads(files(name)["reference.json"])
    total = sum(reference["bands"].values())
    shares = {band: count / total for band, count in reference["bands"].items()}
    assert shares["HIGH"] == pytest.approx(0.03, abs=0.003)
    assert shares["HIGH"] + shares["MEDIUM"] == pytest.approx(0.08, abs=0.005)
    assert sum(reference["score"]["counts"]) == reference["rows"] == total


@each_tier
def test_provenance_names_the_bytes_that_lie_beside_it(name: str) -> None:
    subjects = json.loads(files(name)["provenance.json"])["subject"]
    expected = {file: hashlib.sha256(content).hexdigest() for file, content in files(name).items()}
    del expected["provenance.json"]
    assert {subject["name"]: subject["digest"]["sha256"] for subject in subjects} == expected


@each_tier
def test_the_card_says_that_simulated_performance_is_not_clinical_performance(name: str) -> None:
    assert b"not clinical performance" in files(name)["card.toml"]


def test_all_committed_graphs_together_stay_small_and_name_no_place() -> None:
    graphs = sorted((ROOT / "models").rglob("*.onnx"))
    assert len(graphs) >= len(TIERS)
    assert sum(path.stat().st_size for path in graphs) < LARGEST_TOTAL_BYTES
    for path in graphs:
        content = path.read_bytes()
        assert not any(trace in content for trace in (b"/home", b"/root", b"/tmp", b"site-packages", b".py"))
