"""Publishing writes card and provenance into bundles that `build` left behind; signatures over the old ones go."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from models.training.dataset import DatasetSource
from models.training.publishing.bundle import read_bundle, write_bundle
from models.training.publishing.publication import publish
from models.training.recipe import SMOKE
from stepdown.trust.card import parse_card
from tests.unit.training.publishing.test_bundle_documents import origin

NAMES = ("sepsis-full", "sepsis-distilled")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    for name in NAMES:
        write_bundle(tmp_path / name / "1.0.0", {"model.onnx": b"graph", "manifest.toml": b""})
        (tmp_path / name / "1.0.0" / "signatures").mkdir()
        (tmp_path / name / "1.0.0" / "signatures" / "demo.sig").write_bytes(b"old")
    (tmp_path / "origin.json").write_text(json.dumps(asdict(origin())))
    return tmp_path


def test_publishing_adds_card_and_provenance_and_drops_signatures_that_no_longer_hold(built: Path) -> None:
    publish(DatasetSource(recipe=SMOKE), models=built, work=built, version="1.0.0")
    for name in NAMES:
        folder = built / name / "1.0.0"
        assert set(read_bundle(folder)) == {"model.onnx", "manifest.toml", "card.toml", "provenance.json"}
        assert not (folder / "signatures").exists()
        subjects = json.loads((folder / "provenance.json").read_text())["subject"]
        assert [subject["name"] for subject in subjects] == ["card.toml", "manifest.toml", "model.onnx"]


def test_publishing_twice_gives_the_same_bytes(built: Path) -> None:
    publish(DatasetSource(recipe=SMOKE), models=built, work=built, version="1.0.0")
    first = read_bundle(built / NAMES[0] / "1.0.0")
    publish(DatasetSource(recipe=SMOKE), models=built, work=built, version="1.0.0")
    assert read_bundle(built / NAMES[0] / "1.0.0") == first


def test_the_card_carries_the_figures_of_the_evaluation_and_says_so_when_there_are_none(built: Path) -> None:
    source = DatasetSource(recipe=SMOKE)
    publish(source, models=built, work=built, version="1.0.0")
    card = built / NAMES[0] / "1.0.0" / "card.toml"
    assert parse_card(card.read_bytes()).hti1["validity_internal"] == "not available"
    sentences = {NAMES[0]: {"validity": "AUROC 0.9", "fairness": "alike", "alerting": "none"}}
    (built / "evaluation.json").write_text(json.dumps({"card_sentences": sentences}))
    publish(source, models=built, work=built, version="1.0.0")
    assert parse_card(card.read_bytes()).hti1["validity_internal"] == "AUROC 0.9"
