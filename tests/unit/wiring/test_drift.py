"""Which references are watched, and what is said of one that cannot be."""

import json
from types import MappingProxyType

import pytest

from stepdown.domain.bundles import VerifiedBundle
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.settings import DriftSettings
from stepdown.trust.contents import REFERENCE_FILE
from stepdown.wiring.drift import drift_watches
from tests.fakes.bundles import ECHO, bundle
from tests.fakes.drift_references import document


def holding(content: bytes | None) -> VerifiedBundle:
    made = bundle(ECHO)
    files = dict(made.files) | ({} if content is None else {REFERENCE_FILE: content})
    return VerifiedBundle(
        manifest=made.manifest, files=MappingProxyType(files), signers=made.signers, sha256=made.sha256
    )


def roster(content: bytes | None, *, clinical: bool = True) -> Roster:
    tiers = (
        TierDescription(name="full", bundle=holding(content)),
        TierDescription(name="refused", bundle=None),
        TierDescription(name="rules", bundle=holding(content), is_rules=True),
    )
    pathway = Pathway(name="sepsis", budget_ms=500, tiers=tiers, clinical=clinical)
    return Roster(pathways=MappingProxyType({"sepsis": pathway}))


def test_a_models_reference_is_watched_and_a_rule_bundle_has_none() -> None:
    channels = {"HR": document()["channels"]["HR"]}
    content = json.dumps(document(channels=channels)).encode()
    watches = drift_watches(roster(content), DriftSettings(), refused=pytest.fail)
    assert watches["sepsis"].has_reference
    assert [tier for tier, _ in watches["sepsis"].report().tiers] == ["full"]


def test_a_reference_that_cannot_be_used_is_told_and_not_watched() -> None:
    told: list[str] = []
    watches = drift_watches(roster(b"[]"), DriftSettings(), refused=told.append)
    assert not watches["sepsis"].has_reference
    assert told
    assert "reference.json" in told[0]


def test_a_bundle_without_a_reference_is_not_watched() -> None:
    assert not drift_watches(roster(None), DriftSettings(), refused=pytest.fail)["sepsis"].has_reference


def test_a_pathway_of_raw_tensors_is_not_watched() -> None:
    assert drift_watches(roster(None, clinical=False), DriftSettings(), refused=pytest.fail) == {}
