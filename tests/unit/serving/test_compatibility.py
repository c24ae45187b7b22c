from dataclasses import replace

import pytest

from stepdown.domain.bundles import BundleKind, Manifest, ModelSpec, TensorSpec, TierRole
from stepdown.serving.compatibility import misfit
from tests.fakes.clinical_pathways import model_bundle, rules_bundle

FULL = model_bundle("sepsis-full").manifest
NEWS2 = rules_bundle("news2").manifest


def changed(**fields: object) -> Manifest:
    """The full model with fields of its model spec replaced."""
    assert FULL.model is not None
    return replace(FULL, model=replace(FULL.model, **fields))  # type: ignore[arg-type]


def spec(manifest: Manifest) -> ModelSpec:
    assert manifest.model is not None
    return manifest.model


INPUT = TensorSpec(name="observations", datatype="FP32", shape=(-1, 24, 40))
SCORE = spec(FULL).score
assert SCORE is not None


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NEWS2, "kind: rules"),
        (replace(FULL, tier_role=TierRole.DISTILLED), "tier_role: distilled"),
        (changed(score=None), "score: without"),
        (changed(thresholds=None), "score: without"),
        (changed(inputs=(INPUT,)), "input: observations FP32 [-1, 24, 40]"),
        (changed(outputs=spec(FULL).outputs[1:]), "output: lacks probability"),
        (changed(score=replace(SCORE, outcome="death")), "score.outcome"),
        (changed(score=replace(SCORE, horizon_h=12.0)), "score.horizon_h"),
    ],
)
def test_what_does_not_fit_is_named_by_its_field(new: Manifest, field: str) -> None:
    assert field in misfit(new, present=FULL, clinical=True)


@pytest.mark.parametrize(
    ("new", "present"),
    [
        (changed(maximum_batch=7), FULL),
        (changed(outputs=(*spec(FULL).outputs, replace(INPUT, name="more"))), FULL),
        (FULL, None),
        (replace(NEWS2, version="2.0.0"), NEWS2),
    ],
)
def test_what_an_answer_says_of_itself_may_change(new: Manifest, present: Manifest | None) -> None:
    assert misfit(new, present=present, clinical=True) == ""


def test_models_that_assess_nobody_need_no_score_but_cannot_lose_or_gain_one() -> None:
    plain = changed(score=None, thresholds=None)
    assert misfit(plain, present=plain, clinical=False) == ""
    assert "score: one of the two" in misfit(plain, present=FULL, clinical=False)
    assert plain.kind is BundleKind.ONNX
