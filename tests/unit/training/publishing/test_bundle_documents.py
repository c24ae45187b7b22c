"""The documents that training writes are ones the server's own readers accept."""

import hashlib
import json

import numpy as np
import pytest

from models.training.columns import INDEX, NAMES
from models.training.publishing.card import NOT_AVAILABLE, SIMULATED_WARNING, CardFacts, card
from models.training.publishing.manifest import ManifestFacts, manifest
from models.training.publishing.provenance import Origin, hardware, provenance
from models.training.publishing.reference import newest, reference
from models.training.recipe import SMOKE
from models.training.simulation.simulator import simulate
from models.training.stays import Stays
from stepdown.domain.bundles import BandThresholds, InputCheckPolicy, TierRole
from stepdown.trust.card import parse_card
from stepdown.trust.manifest import parse_manifest

THRESHOLDS = {"low_medium": 0.02, "medium": 0.05, "high": 0.12}


def facts(*, with_contributions: bool) -> ManifestFacts:
    return ManifestFacts(
        name="sepsis-distilled",
        version="1.0.0",
        tier_role="distilled",
        description="a test",
        population="nobody",
        thresholds=THRESHOLDS,
        with_contributions=with_contributions,
    )


def origin() -> Origin:
    return Origin(
        recipe=SMOKE,
        simulated=True,
        data_sha256={"train": "aa", "validation": "bb", "test": "cc"},
        stays={"train": 3, "validation": 2, "test": 1},
        commit="0" * 40,
        clean=True,
        started="2026-01-01T00:00:00+00:00",
        finished="2026-01-01T00:10:00+00:00",
        python="3.11.7",
        libraries={"torch": "2.13.0"},
        hardware=hardware(),
    )


def test_the_manifest_says_what_the_server_needs_to_serve() -> None:
    read = parse_manifest(manifest(facts(with_contributions=True)))
    assert read.tier_role is TierRole.DISTILLED
    assert read.model is not None
    assert read.model.inputs[0].shape == (-1, 48, 40)
    assert [output.name for output in read.model.outputs] == ["probability", "contributions", "input_checks"]
    assert read.model.outputs[1].labels == NAMES
    assert read.model.thresholds == BandThresholds(**THRESHOLDS)
    assert read.model.input_checks == InputCheckPolicy(output="input_checks", flag_at=1.0, refuse_at=3.0)


def test_a_model_without_contributions_promises_none() -> None:
    read = parse_manifest(manifest(facts(with_contributions=False)))
    assert read.model is not None
    assert [output.name for output in read.model.outputs] == ["probability", "input_checks"]


@pytest.mark.parametrize("simulated", [True, False])
def test_the_card_is_complete_and_warns_when_its_patients_are_simulated(simulated: bool) -> None:
    read = parse_card(
        card(
            CardFacts(
                name="sepsis-full",
                version="1.0.0",
                released="2026-01-01",
                architecture="something",
                data="some stays",
                simulated=simulated,
                cohort="everyone",
                validity="AUROC 0.5",
                fairness=NOT_AVAILABLE,
                alerting=NOT_AVAILABLE,
            )
        )
    )
    assert len(read.hti1) == 31
    assert read.hti1["validity_internal"] == "AUROC 0.5"
    assert read.hti1["validity_external"] == NOT_AVAILABLE
    assert (SIMULATED_WARNING in read.chai["usefulness_interpretation"]) is simulated
    assert (SIMULATED_WARNING in read.hti1["training_relevance"]) is simulated


def test_provenance_names_every_file_by_its_digest_and_what_went_in() -> None:
    statement = json.loads(provenance({"b": b"2", "a": b"1"}, origin()))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"] == [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
        for name, content in (("a", b"1"), ("b", b"2"))
    ]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["recipe"]["name"] == "smoke"
    named = [dependency.get("name", dependency.get("uri")) for dependency in definition["resolvedDependencies"]]
    assert named == [
        "train-stays",
        "validation-stays",
        "test-stays",
        "git+file:models/training",
        "pkg:pypi/torch@2.13.0",
    ]


def test_hardware_does_not_name_the_machine() -> None:
    assert set(hardware()) == {"processor", "cores", "machine", "system"}


def test_the_reference_counts_every_window_once() -> None:
    stays = simulate(60, seed=9).stays
    rows = np.arange(len(stays.label))
    probability = np.random.default_rng(0).random(len(rows)) * 0.2
    document = json.loads(reference(stays, rows, probability, THRESHOLDS))
    assert document["rows"] == len(rows)
    assert tuple(document["channels"]) == NAMES
    for channel in document["channels"].values():
        assert len(channel["counts"]) == len(channel["edges"]) + 1
        assert sum(channel["counts"]) + channel["missing"] == len(rows)
        assert channel["edges"] == sorted(set(channel["edges"]))
    assert sum(document["score"]["counts"]) == len(rows)
    assert document["bands"]["LOW"] == int(np.sum(probability < 0.02))
    assert document["bands"]["HIGH"] == int(np.sum(probability >= 0.12))


def test_a_value_on_an_edge_counts_above_it() -> None:
    stays = simulate(60, seed=9).stays
    rows = np.arange(len(stays.label))
    document = json.loads(reference(stays, rows, np.full(len(rows), 0.05), THRESHOLDS))
    assert document["bands"] == {"LOW": 0, "LOW_MEDIUM": 0, "MEDIUM": len(rows), "HIGH": 0}
    assert document["score"] == {"edges": [0.05], "counts": [0, len(rows)]}
    sex = document["channels"]["Gender"]
    assert sex["edges"] == [0.0, 1.0]
    assert sex["counts"][0] == 0


def test_the_reference_looks_at_the_newest_possible_value() -> None:
    stays = simulate(1, seed=9).stays
    stays.predictors[:, INDEX["Lactate"]] = np.nan
    stays.predictors[0, INDEX["Lactate"]] = 2.0
    stays.predictors[1, INDEX["Lactate"]] = 400.0  # impossible, as the graphs have it
    last, age_h = (each[:, INDEX["Lactate"]] for each in newest(stays, np.array([0, 1])))
    assert last.tolist() == [2.0, 2.0]
    assert age_h.tolist() == [0.0, 1.0]
    blank = Stays(
        names=stays.names,
        first_row=stays.first_row,
        predictors=np.full_like(stays.predictors, np.nan),
        consciousness=stays.consciousness,
        on_oxygen=stays.on_oxygen,
        label=stays.label,
    )
    assert all(np.isnan(each).all() for each in newest(blank, np.array([0])))
