"""Reading `manifest.toml`: what a bundle says it is, checked for sense before anything relies on it.

Every problem is reported at once. Refuses keys it does not know, files outside the bundle, thresholds that do not rise
and numbers whose meaning is not stated. Refuses to look at the files the manifest names: that is `contents.py`.
"""

from stepdown.domain.bundles import BundleKind, Manifest, ModelSpec, TierRole
from stepdown.domain.errors import TrustError
from stepdown.trust.documents import parse_toml
from stepdown.trust.fields import Fields
from stepdown.trust.manifest_meaning import check_meaning, read_input_checks, read_score, read_thresholds
from stepdown.trust.manifest_tensors import read_tensors
from stepdown.trust.names import is_bundle_name, name_problem
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import is_version

MANIFEST_FILE = "manifest.toml"
SCHEMA = "stepdown/bundle/v1"
MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_BATCH = 4096

_MODEL_SECTIONS = ("model", "input", "output", "score", "thresholds", "input_checks")


def parse_manifest(text: bytes) -> Manifest:
    """The manifest, checked. Raises: TrustError MANIFEST_INVALID whose detail lists every problem found."""
    table = parse_toml(text, rule=TrustRule.MANIFEST_INVALID, what=MANIFEST_FILE, maximum_bytes=MAXIMUM_BYTES)
    problems: list[str] = []
    fields = Fields(table, where="", problems=problems)
    manifest = _read_manifest(fields)
    fields.finish()
    if problems:
        raise TrustError(rule=TrustRule.MANIFEST_INVALID, detail=f"{MANIFEST_FILE}: " + "; ".join(problems))
    return manifest


def _read_manifest(fields: Fields) -> Manifest:
    fields.text("schema", accepts=lambda text: text == SCHEMA, wanted=f'"{SCHEMA}"')
    kind = (
        BundleKind.RULES
        if fields.text("kind", accepts=_is_kind, wanted=_one_of(BundleKind)) == "rules"
        else BundleKind.ONNX
    )
    role = fields.text("tier_role", accepts=_is_role, wanted=_one_of(TierRole)) or TierRole.GENERIC
    manifest = Manifest(
        name=fields.text("name", accepts=is_bundle_name, wanted="up to 64 of a-z, 0-9, '.', '_' and '-'"),
        version=_version(fields, "version"),
        kind=kind,
        tier_role=TierRole(role),
        minimum_server_version=_version(fields, "minimum_server_version"),
        parent_version=_version(fields, "parent_version", default=""),
        description=fields.text("description", default=""),
        model=_read_model(fields) if kind is BundleKind.ONNX else None,
        rules_file=_file(fields.table("rules"), "file") if kind is BundleKind.RULES else None,
    )
    _check_kind(fields, manifest)
    return manifest


def _read_model(fields: Fields) -> ModelSpec:
    table = fields.table("model")
    model = ModelSpec(
        file=_file(table, "file"),
        external_data=_files(table, "external_data"),
        maximum_batch=table.integer("maximum_batch", minimum=1, maximum=MAXIMUM_BATCH),
        minimum_placement_share=_share(table, "minimum_placement_share"),
        inputs=read_tensors(fields, "input"),
        outputs=read_tensors(fields, "output"),
        score=read_score(fields.table("score")) if fields.holds("score") else None,
        thresholds=read_thresholds(fields.table("thresholds")) if fields.holds("thresholds") else None,
        input_checks=read_input_checks(fields.table("input_checks")) if fields.holds("input_checks") else None,
    )
    if model.file in model.external_data:
        table.problem("external_data", "names the model file itself")
    check_meaning(fields, model)
    return model


def _check_kind(fields: Fields, manifest: Manifest) -> None:
    is_rules = manifest.kind is BundleKind.RULES
    for section in _MODEL_SECTIONS if is_rules else ("rules",):
        if fields.holds(section):
            fields.problem(section, f"does not belong to a bundle of kind {manifest.kind}")
    if is_rules != (manifest.tier_role is TierRole.RULES):
        fields.problem("tier_role", f"{manifest.tier_role} does not go with kind {manifest.kind}")
    is_clinical = manifest.tier_role in {TierRole.FULL, TierRole.DISTILLED}
    if not is_rules and is_clinical != (manifest.model is not None and manifest.model.score is not None):
        fields.problem("score", "belongs to the tier roles full and distilled, and they need it")
    if manifest.parent_version and manifest.parent_version == manifest.version:
        fields.problem("parent_version", "is the version itself")


def _is_kind(text: str) -> bool:
    return text in set(BundleKind)


def _is_role(text: str) -> bool:
    return text in set(TierRole)


def _one_of(names: type[BundleKind] | type[TierRole]) -> str:
    return "one of " + ", ".join(names)


def _version(fields: Fields, key: str, *, default: str | None = None) -> str:
    return fields.text(key, default=default, accepts=is_version, wanted="a semantic version such as 1.0.0")


def _file(fields: Fields, key: str) -> str:
    return fields.text(key, accepts=_is_inside, wanted="the plain relative name of a file in the bundle")


def _files(fields: Fields, key: str) -> tuple[str, ...]:
    names = fields.texts(key)
    if not all(_is_inside(name) for name in names):
        fields.problem(key, "names a file that is not a plain relative path in the bundle")
    return names


def _is_inside(name: str) -> bool:
    return name_problem(name) is None


def _share(fields: Fields, key: str) -> float:
    share = fields.number(key)
    if not 0.0 <= share <= 1.0:
        fields.problem(key, "must lie between 0 and 1")
    return share
