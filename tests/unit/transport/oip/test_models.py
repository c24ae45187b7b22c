"""What can be addressed, under which name and version, and what a chain has in common."""

from dataclasses import replace

import pytest

from stepdown.domain.bundles import ModelSpec, TensorSpec, VerifiedBundle
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.serving.roster import Roster
from stepdown.transport.oip.models import ModelKind, ServedModel, find_model, served_models
from tests.fakes.open_inference import (
    ECHO,
    REFUSED,
    WORDS,
    bundle,
    generic_pathway,
    model_tier,
    tensor,
)
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.oip.asking import MODELS

X, Y, Z = tensor("x", "FP32", 2), tensor("y", "FP32", 1), tensor("z", "INT64", 1)


def chain_of(*bundles: VerifiedBundle | None) -> ServedModel:
    tiers = (model_tier(f"t{index}", each) for index, each in enumerate(bundles))
    return served_models(Roster(pathways={"p": generic_pathway("p", *tiers)}))["p"]


def names(tensors: tuple[TensorSpec, ...]) -> list[str]:
    return [each.name for each in tensors]


def test_a_pathway_is_a_model_and_so_is_each_of_its_tiers() -> None:
    sepsis = [name for name in MODELS if name.startswith(PATHWAY)]
    assert sepsis == [PATHWAY, f"{PATHWAY}/full", f"{PATHWAY}/distilled", f"{PATHWAY}/rules"]
    kinds = [MODELS[name].kind for name in sepsis]
    assert kinds == [ModelKind.CHAIN, ModelKind.MODEL_TIER, ModelKind.MODEL_TIER, ModelKind.RULES_TIER]


def test_a_tier_has_the_version_of_its_bundle_and_a_chain_has_none() -> None:
    assert (MODELS[f"{PATHWAY}/full"].version, MODELS[PATHWAY].version) == ("1.0.0", "")


def test_a_chain_gives_what_all_its_model_tiers_give_and_a_tier_gives_all_it_has() -> None:
    outputs = {name: names(MODELS[name].interface.outputs) for name in MODELS if MODELS[name].interface}  # type: ignore[union-attr]
    assert outputs[PATHWAY] == ["probability", "input_checks"]
    assert set(outputs[f"{PATHWAY}/distilled"]) == {"probability", "contributions", "input_checks"}


def test_a_chain_takes_as_many_rows_as_the_least_of_its_tiers() -> None:
    small, large = bundle("a", (X,), (Y,), maximum_batch=2), bundle("b", (X,), (Y,), maximum_batch=9)
    interface = chain_of(large, small).interface
    assert interface is not None
    assert interface.maximum_batch == 2


def test_an_output_of_the_same_name_and_another_shape_is_not_the_same_output() -> None:
    wide = tensor("y", "FP32", 7)
    interface = chain_of(bundle("a", (X,), (Y, Z)), bundle("b", (X,), (wide, Z))).interface
    assert interface is not None
    assert names(interface.outputs) == ["z"]


@pytest.mark.parametrize("inputs", [(X, Z), (Z,), (Z, X)])
def test_tiers_that_take_different_inputs_cannot_be_asked_as_a_chain(inputs: tuple[TensorSpec, ...]) -> None:
    chain = chain_of(bundle("a", (X, Z) if inputs != (X, Z) else (X,), (Y,)), bundle("b", inputs, (Y,)))
    assert (chain.interface, "different inputs" in chain.obstacle) == (None, True)


def test_a_tier_whose_bundle_was_refused_takes_no_part_in_what_the_chain_offers() -> None:
    chain = chain_of(bundle("a", (X,), (Y, Z)), None)
    assert chain.interface is not None
    assert names(chain.interface.outputs) == ["y", "z"]
    assert list(chain.tier_outputs) == ["t0"]


def test_without_any_verified_bundle_there_is_a_reason_and_no_interface() -> None:
    for name in (REFUSED, f"{REFUSED}/main"):
        assert (MODELS[name].interface, MODELS[name].refusal) == (None, Reason.SIGNATURE_INVALID)


def test_a_datatype_that_cannot_be_served_is_named() -> None:
    assert MODELS[WORDS].interface is None
    assert MODELS[WORDS].obstacle == "text is of datatype BYTES, which is not served"
    assert MODELS[WORDS].refusal is None


@pytest.mark.parametrize("shape", [(-1, -1), (3, 2), ()])
def test_a_dimension_without_a_fixed_size_beside_the_rows_is_not_served(shape: tuple[int, ...]) -> None:
    odd = TensorSpec(name="odd", datatype="FP32", shape=shape)
    assert "odd has a dimension" in chain_of(bundle("a", (odd,), (Y,))).obstacle
    assert "odd has a dimension" in chain_of(bundle("a", (X,), (odd,))).obstacle


def test_a_rules_tier_takes_no_tensors_and_says_what_to_call_instead() -> None:
    rules = MODELS[f"{PATHWAY}/rules"]
    assert (rules.interface, rules.refusal) == (None, None)
    assert "AssessmentService/AssessRisk" in rules.obstacle


@pytest.mark.parametrize("version", ["", "1.0.0"])
def test_a_model_is_found_in_the_version_served_or_in_any(version: str) -> None:
    assert find_model(MODELS, name=f"{PATHWAY}/full", version=version).tier == "full"


@pytest.mark.parametrize(
    ("name", "version", "reason", "field"),
    [
        ("elsewhere", "", RejectReason.PATHWAY_UNKNOWN, "model_name"),
        ("", "", RejectReason.PATHWAY_UNKNOWN, "model_name"),
        (f"{PATHWAY}/fool", "", RejectReason.TIER_UNKNOWN, "model_name"),
        (f"{PATHWAY}/full/", "", RejectReason.TIER_UNKNOWN, "model_name"),
        (f"{PATHWAY}/full", "1", RejectReason.BUNDLE_UNKNOWN, "model_version"),
        (PATHWAY, "1.0.0", RejectReason.BUNDLE_UNKNOWN, "model_version"),
    ],
)
def test_what_is_not_served_is_refused(name: str, version: str, reason: RejectReason, field: str) -> None:
    with pytest.raises(RequestRejectedError) as caught:
        find_model(MODELS, name=name, version=version)
    assert (caught.value.reason, caught.value.violations[0].field) == (reason, field)
    assert "fool" not in caught.value.violations[0].description


def test_a_generic_model_is_a_chain_of_one() -> None:
    assert MODELS[ECHO].interface == MODELS[f"{ECHO}/main"].interface
    spec = MODELS[f"{ECHO}/main"]
    assert (spec.model_file, spec.bundle.sha256 if spec.bundle else "") == ("model.onnx", "12" * 32)


def test_two_tiers_with_one_bundle_are_two_models() -> None:
    shared = bundle("a", (X,), (Y,))
    assert isinstance(shared.manifest.model, ModelSpec)
    twin = replace(shared, manifest=replace(shared.manifest, version="3.0.0"))
    models = served_models(Roster(pathways={"p": generic_pathway("p", model_tier("a", shared), model_tier("b", twin))}))
    assert (models["p/a"].version, models["p/b"].version) == ("2.1.0", "3.0.0")
