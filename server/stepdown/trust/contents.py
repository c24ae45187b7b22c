"""What must lie in a bundle of each kind, and that the documents among it can be read.

Used before signing, so that nobody puts their name to something no server would load, and after verifying, because a
signature says who, not whether it makes sense. Refuses to open models and known answers: only a worker does.
"""

from collections.abc import Mapping

from stepdown.domain.bundles import BundleKind, Manifest
from stepdown.domain.errors import TrustError
from stepdown.trust.card import CARD_FILE, parse_card
from stepdown.trust.documents import parse_json
from stepdown.trust.manifest import MANIFEST_FILE, parse_manifest
from stepdown.trust.members import Members
from stepdown.trust.refusal import TrustRule
from stepdown.trust.statement import STATEMENT_TYPE

REFERENCE_FILE = "reference.json"
PROVENANCE_FILE = "provenance.json"
KNOWN_ANSWERS_FILES = {BundleKind.ONNX: "known_answers.npz", BundleKind.RULES: "known_answers.json"}

PROVENANCE_PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
_MAXIMUM_DOCUMENT_BYTES = 16 * 1024 * 1024


def examine_contents(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a bundle whose required files are all there and whose documents can be read.

    Raises: TrustError FILE_MISSING, MANIFEST_INVALID, CARD_INVALID or PROVENANCE_INVALID.
    """
    if MANIFEST_FILE not in files:
        raise TrustError(rule=TrustRule.FILE_MISSING, detail=f"the bundle holds no {MANIFEST_FILE}")
    manifest = parse_manifest(files[MANIFEST_FILE])
    absent = sorted(set(_required_files(manifest)) - set(files))
    if absent:
        raise TrustError(rule=TrustRule.FILE_MISSING, detail=f"the bundle lacks {', '.join(absent)}")
    parse_card(files[CARD_FILE])
    _check_provenance(files[PROVENANCE_FILE])
    return manifest


def _required_files(manifest: Manifest) -> tuple[str, ...]:
    always = (CARD_FILE, PROVENANCE_FILE, KNOWN_ANSWERS_FILES[manifest.kind])
    if manifest.model is not None:
        return (*always, REFERENCE_FILE, manifest.model.file, *manifest.model.external_data)
    return (*always, manifest.rules_file or "")


def _check_provenance(text: bytes) -> None:
    rule = TrustRule.PROVENANCE_INVALID
    value = parse_json(text, rule=rule, what=PROVENANCE_FILE, maximum_bytes=_MAXIMUM_DOCUMENT_BYTES)
    statement = Members.of(value, where=PROVENANCE_FILE, rule=rule)
    for key, expected in (("_type", STATEMENT_TYPE), ("predicateType", PROVENANCE_PREDICATE_TYPE)):
        if statement.text(key) != expected:
            raise statement.refusal(key, expected)
    statement.list("subject")
    statement.object("predicate")
