import grpc
import pytest

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.api.v1 import tiers_pb2
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.domain.card import CHAI_FIELDS, HTI1_ATTRIBUTES
from tests.fakes.clinical_pathways import GENERIC
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.failures import failure_of
from tests.unit.transport.grpc_side import GrpcSide


def stub(side: GrpcSide) -> CatalogServiceStub:
    return CatalogServiceStub(side.channel("viewer"))


def card(side: GrpcSide, bundle: str, version: str = "") -> wire.ModelCard:
    request = wire.GetModelCardRequest(bundle=bundle, version=version)
    return stub(side).GetModelCard(request, timeout=5).card


def test_every_pathway_is_listed_with_its_tiers_best_first(side: GrpcSide) -> None:
    clinical, generic = stub(side).ListPathways(wire.ListPathwaysRequest(), timeout=5).pathways
    assert (clinical.name, clinical.clinical, clinical.budget.ToMilliseconds()) == (PATHWAY, True, 500)
    assert [tier.name for tier in clinical.tiers] == ["full", "distilled", "rules"]
    assert [tier.rules for tier in clinical.tiers] == [False, False, True]
    full = clinical.tiers[0]
    assert (full.bundle.name, full.bundle.version) == ("sepsis-full", "1.0.0")
    assert list(full.execution_providers) == [tiers_pb2.EXECUTION_PROVIDER_CPU]
    assert full.description.startswith("Causal transformer")
    assert (generic.name, generic.clinical) == (GENERIC, False)


def test_a_tier_whose_bundle_was_refused_has_none(side: GrpcSide) -> None:
    pathway = stub(side).GetPathway(wire.GetPathwayRequest(name=GENERIC), timeout=5).pathway
    assert not pathway.tiers[0].HasField("bundle")


def test_a_models_card_holds_every_attribute_with_its_title_and_clause(side: GrpcSide) -> None:
    found = card(side, "sepsis-full")
    assert [each.key for each in found.hti1] == [each.key for each in HTI1_ATTRIBUTES]
    assert len(found.hti1) == 31
    assert [each.key for each in found.chai] == [each.key for each in CHAI_FIELDS]
    assert all(each.title and each.clause and each.value for each in (*found.hti1, *found.chai))
    assert len(found.evidence) == 0
    assert found.bundle.name == "sepsis-full"


@pytest.mark.parametrize("bundle", ["news2", "qsofa"])
def test_rules_that_answer_and_rules_that_support_have_cards_too(side: GrpcSide, bundle: str) -> None:
    assert card(side, bundle, "1.0.0").bundle.name == bundle


@pytest.mark.parametrize(("bundle", "version"), [("unheard-of", ""), ("sepsis-full", "9.9.9"), ("", "")])
def test_a_card_of_nothing_in_service_is_not_found(side: GrpcSide, bundle: str, version: str) -> None:
    failed = failure_of(lambda: card(side, bundle, version))
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "BUNDLE_UNKNOWN")


def test_a_pathway_that_is_not_there_is_not_found(side: GrpcSide) -> None:
    failed = failure_of(lambda: stub(side).GetPathway(wire.GetPathwayRequest(name="unheard-of"), timeout=5))
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN")
