"""Manifests that say what they are, and every way they can fail to."""

import re
import tomllib

import pytest
import tomli_w

from stepdown.domain.bundles import BandThresholds, BundleKind, InputCheckPolicy, TierRole
from stepdown.domain.errors import TrustError
from stepdown.trust.manifest import parse_manifest
from tests.unit.trust.samples import MODEL_MANIFEST, RULES_MANIFEST

GENERIC_MANIFEST = MODEL_MANIFEST[: MODEL_MANIFEST.index("[score]")].replace('"full"', '"generic"')


def problems(text: str) -> str:
    with pytest.raises(TrustError) as refused:
        parse_manifest(text.encode())
    assert refused.value.rule == "MANIFEST_INVALID"
    return refused.value.detail


def test_a_model_s_manifest_is_read_whole() -> None:
    manifest = parse_manifest(MODEL_MANIFEST.encode())
    assert (manifest.name, manifest.version, manifest.kind) == ("sepsis-full", "1.0.0", BundleKind.ONNX)
    assert (manifest.tier_role, manifest.parent_version, manifest.rules_file) == (TierRole.FULL, "", None)
    model = manifest.model
    assert model is not None
    assert (model.file, model.external_data, model.maximum_batch) == ("model.onnx", ("weights/w.bin",), 64)
    assert [(tensor.name, tensor.datatype, tensor.shape) for tensor in (*model.inputs, *model.outputs)] == [
        ("observations", "FP32", (-1, 48, 40)),
        ("probability", "FP32", (-1, 1)),
        ("checks", "FP32", (-1, 2)),
    ]
    assert (model.outputs[0].minimum, model.outputs[0].maximum, model.outputs[1].minimum) == (0.0, 1.0, None)
    assert model.outputs[1].labels == ("EXTREME_VALUE", "COUPLING")
    assert model.score is not None
    assert (model.score.output, model.score.horizon_h) == ("probability", 6.0)
    assert model.thresholds == BandThresholds(low_medium=0.02, medium=0.05, high=0.12)
    assert model.input_checks == InputCheckPolicy(output="checks", flag_at=1.0, refuse_at=3.0)


def test_a_rule_bundle_s_manifest_is_read() -> None:
    manifest = parse_manifest(RULES_MANIFEST.encode())
    assert (manifest.kind, manifest.rules_file, manifest.model) == (BundleKind.RULES, "rules.toml", None)


def test_a_generic_model_needs_no_score() -> None:
    manifest = parse_manifest(GENERIC_MANIFEST.encode())
    assert manifest.model is not None
    assert (manifest.tier_role, manifest.model.score, manifest.model.input_checks) == (TierRole.GENERIC, None, None)


def test_description_and_parent_version_may_be_left_out() -> None:
    text = re.sub(r"(description|parent_version) = .*\n", "", RULES_MANIFEST)
    assert parse_manifest(text.encode()).description == ""


def test_every_problem_is_reported_at_once() -> None:
    text = RULES_MANIFEST.replace('"1.2.0"', '"1.2"').replace('"rules.toml"', '"/rules.toml"') + "extra = 1\n"
    found = problems('schema_ = "x"\n' + text)
    for problem in (
        "version is '1.2'",
        "rules.file is '/rules.toml'",
        "schema_ is not a known key",
        "rules.extra is not",
    ):
        assert problem in found


@pytest.mark.parametrize(
    ("section", "key", "value", "problem"),
    [
        (None, "schema", "stepdown/bundle/v2", "schema is 'stepdown/bundle/v2'; it must be \"stepdown/bundle/v1\""),
        (None, "schema", None, "schema is absent"),
        (None, "name", "Sepsis", "name is 'Sepsis'"),
        (None, "name", 7, "name is '7'"),
        (None, "name", ["a"], "name is a list"),
        (None, "version", "01.0.0", "it must be a semantic version"),
        (None, "kind", "pickle", "kind is 'pickle'; it must be one of onnx, rules"),
        (None, "kind", None, "kind is absent"),
        (None, "tier_role", "best", "it must be one of full, distilled, rules, generic"),
        (None, "tier_role", "rules", "tier_role rules does not go with kind onnx"),
        (None, "tier_role", "generic", "score belongs to the tier roles full and distilled"),
        (None, "parent_version", "1.0.0", "parent_version is the version itself"),
        (None, "parent_version", "x", "parent_version is 'x'"),
        (None, "minimum_server_version", "", "minimum_server_version is ''"),
        (None, "description", "\x1b[2J", "description is"),
        (None, "rules", {"file": "rules.toml"}, "rules does not belong to a bundle of kind onnx"),
        (None, "model", 3, "model is '3'; it must be a table"),
        (None, "input", [], "input must list 1 to 64 tensors, and lists 0"),
        (None, "output", [1], "it must be an array of tables, [[output]]"),
        ("model", "file", "../model.onnx", "model.file is '../model.onnx'"),
        ("model", "file", "weights/w.bin", "names the model file itself"),
        ("model", "external_data", ["/w.bin"], "names a file that is not a plain relative path"),
        ("model", "external_data", ["a", "a"], "model.external_data names something twice"),
        ("model", "external_data", "w.bin", "it must be a list of strings"),
        ("model", "external_data", None, ""),
        ("model", "maximum_batch", 0, "it must be a whole number from 1 to 4096"),
        ("model", "maximum_batch", True, "model.maximum_batch is 'True'"),
        ("model", "maximum_batch", 1.5, "model.maximum_batch is '1.5'"),
        ("model", "minimum_placement_share", 1.5, "must lie between 0 and 1"),
        ("model", "minimum_placement_share", float("nan"), "it must be a finite number"),
        ("model", "minimum_placement_share", 10**400, "it must be a finite number"),
        ("model", "device", "cuda", "model.device is not a known key"),
        ("score", "output", "logit", "score.output names no output"),
        ("score", "output", "checks", "must name an output of one FP32 or FP64 number"),
        ("score", "horizon_h", 0, "must be more than 0 hours"),
        ("score", "horizon_h", "6", "score.horizon_h is '6'; it must be a finite number"),
        ("score", "outcome", "", "score.outcome is ''"),
        ("thresholds", "medium", 0.02, "< medium < high must hold"),
        ("thresholds", "high", 1.0, "< medium < high must hold"),
        ("thresholds", "low_medium", 0, "< medium < high must hold"),
        ("input_checks", "output", "nothing", "input_checks.output names no output"),
        ("input_checks", "output", "probability", "must name an FP32 or FP64 output with labels"),
        ("input_checks", "refuse_at", 0.5, "must be more than 0 and at most refuse_at"),
    ],
)
def test_a_problem_is_named_where_it_is(section: str | None, key: str, value: object, problem: str) -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    place = table if section is None else table[section]
    if value is None:
        del place[key]
    else:
        place[key] = value
    text = tomli_w.dumps(table)
    if problem:
        assert problem in problems(text)
    else:
        parse_manifest(text.encode())


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("name", "", "output[1].name is ''"),
        ("name", "x\ny", "it must be the tensor's name in the graph"),
        ("name", "probability", "output names one tensor twice"),
        ("datatype", "BYTES", "output[1].datatype is 'BYTES'; it must be one of BOOL"),
        ("shape", [1, 2], "output[1].shape must begin with -1, the batch"),
        ("shape", [-1, -1], "may leave no dimension open but the first"),
        ("shape", [-1, 0], "may leave no dimension open but the first"),
        ("shape", [], "must have 1 to 8 dimensions"),
        ("shape", [-1] + [1] * 8, "must have 1 to 8 dimensions"),
        ("shape", [-1, 1 << 28, 2], "elements in one row"),
        ("shape", [-1, 2.0], "it must be a list of whole numbers"),
        ("shape", [-1, True], "it must be a list of whole numbers"),
        ("shape", "-1", "it must be a list of whole numbers"),
        ("shape", [-1, 3], "labels must name each of the last dimension's elements, and there are 2"),
        ("shape", [-1], "labels must name each of the last dimension's elements"),
        ("labels", ["a", "a"], "labels names something twice"),
        ("labels", ["a", ""], "it must be a list of strings"),
        ("minimum", "0", "output[1].minimum is '0'; it must be a finite number"),
    ],
)
def test_a_tensor_s_problem_is_named_where_it_is(key: str, value: object, problem: str) -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    table["output"][1][key] = value
    assert problem in problems(tomli_w.dumps(table))


@pytest.mark.parametrize(("minimum", "maximum"), [(None, 1.0), (0.0, None), (-0.1, 1.0), (0.0, 1.1)])
def test_a_score_must_be_bounded_as_a_probability(minimum: float | None, maximum: float | None) -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    for key, value in (("minimum", minimum), ("maximum", maximum)):
        table["output"][0].pop(key)
        if value is not None:
            table["output"][0][key] = value
    assert "whose minimum and maximum lie between 0 and 1" in problems(tomli_w.dumps(table))


def test_a_lower_bound_is_not_above_the_upper_one() -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    table["output"][1] |= {"minimum": 2.0, "maximum": 1.0}
    assert "output[1].minimum is greater than maximum" in problems(tomli_w.dumps(table))


def test_inputs_have_no_bounds() -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    table["input"][0]["minimum"] = 0.0
    assert "input[0].minimum is not a known key" in problems(tomli_w.dumps(table))


def test_score_and_thresholds_need_each_other() -> None:
    table = tomllib.loads(MODEL_MANIFEST)
    del table["thresholds"]
    assert "thresholds and score need each other" in problems(tomli_w.dumps(table))


def test_a_clinical_role_needs_a_score() -> None:
    assert "score belongs to the tier roles" in problems(GENERIC_MANIFEST.replace('"generic"', '"distilled"'))


def test_rules_have_no_model() -> None:
    found = problems(RULES_MANIFEST + '[model]\nfile = "m.onnx"\n[score]\noutput = "x"\n')
    assert "model does not belong to a bundle of kind rules" in found
    assert "score does not belong to a bundle of kind rules" in found


def test_a_rule_bundle_has_the_rules_role() -> None:
    assert "tier_role full does not go with kind rules" in problems(
        RULES_MANIFEST.replace('tier_role = "rules"', 'tier_role = "full"')
    )
