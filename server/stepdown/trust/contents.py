"""What must lie in a bundle of each kind, and that the documents among it can be read.

Used before signing, so that nobody puts their name to something no server would load, and after verifying, because a
signature says who, not whether it makes sense. Refuses to open models and known answers: only a worker does.
"""

from collections.abc import Mapping

from stepdown.domain.bundles import BundleKind, Manifest
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Provenance
from stepdown.trust.card import CARD_FILE, parse_card
from stepdown.trust.encryption import examine_encryption
from stepdown.trust.manifest import MANIFEST_FILE, parse_manifest
from stepdown.trust.provenance import PROVENANCE_FILE, about, parse_provenance
from stepdown.trust.refusal import TrustRule

REFERENCE_FILE = "reference.json"
KNOWN_ANSWERS_FILES = {BundleKind.ONNX: "known_answers.npz", BundleKind.RULES: "known_answers.json"}


def examine_contents(files: Mapping[str, bytes]) -> Manifest:
    """The manifest of a bundle whose required files are all there and whose documents can be read.

    Raises: TrustError FILE_MISSING, MANIFEST_INVALID, CARD_INVALID, PROVENANCE_INVALID, PROVENANCE_MISMATCH,
        ENCRYPTION_INVALID or CIPHERTEXT_INVALID.
    """
    manifest = examine_documents(files)
    examine_provenance(files, manifest)
    return manifest


def examine_documents(files: Mapping[str, bytes]) -> Manifest:
    """The manifest, once everything it needs is there. Raises: TrustError as `examine_contents`, provenance apart."""
    if MANIFEST_FILE not in files:
        raise TrustError(rule=TrustRule.FILE_MISSING, detail=f"the bundle holds no {MANIFEST_FILE}")
    manifest = parse_manifest(files[MANIFEST_FILE])
    absent = sorted(set(_required_files(manifest)) - set(files))
    if absent:
        raise TrustError(rule=TrustRule.FILE_MISSING, detail=f"the bundle lacks {', '.join(absent)}")
    parse_card(files[CARD_FILE])
    examine_encryption(files, manifest)
    return manifest


def examine_provenance(files: Mapping[str, bytes], manifest: Manifest) -> Provenance:
    """The provenance, about what this bundle runs. Raises: TrustError PROVENANCE_INVALID or PROVENANCE_MISMATCH."""
    return about(parse_provenance(files[PROVENANCE_FILE]), files, manifest)


def _required_files(manifest: Manifest) -> tuple[str, ...]:
    always = (CARD_FILE, PROVENANCE_FILE, KNOWN_ANSWERS_FILES[manifest.kind])
    if manifest.model is not None:
        return (*always, REFERENCE_FILE, manifest.model.file, *manifest.model.external_data)
    return (*always, manifest.rules_file or "")
