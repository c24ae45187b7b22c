"""What the `bundle` commands show: one plain value for `--json`, one table for people, from the same facts.

Refuses to judge: whether a bundle is accepted is decided in `trust`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from stepdown.cli.bundle.origin import gather_provenance, provenance_as_json, provenance_lines
from stepdown.domain.bundles import Manifest, TensorSpec, VerifiedBundle
from stepdown.domain.card import NOT_AVAILABLE
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Provenance
from stepdown.trust.card import parse_card
from stepdown.trust.certificates import parse_certificates, serial_number
from stepdown.trust.contents import examine_documents
from stepdown.trust.digests import bundle_digest
from stepdown.trust.envelope import parse_envelope
from stepdown.trust.file_set import check_file_set
from stepdown.trust.names import is_signature
from stepdown.trust.statement import parse_statement

_SHOWN_DIGEST = 16  # the whole one is in --json


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """A bundle as it lies there, nothing of it believed."""

    manifest: Manifest
    digests: Mapping[str, str]
    sizes: Mapping[str, int]
    disclosed: int
    attributes: int
    provenance: Provenance | TrustError
    signatures: Mapping[str, str]


def gather_facts(files: Mapping[str, bytes]) -> BundleFacts:
    """What the files say. Raises: TrustError when required documents are missing or cannot be read."""
    contents = {name: files[name] for name in sorted(files) if not is_signature(name)}
    manifest = examine_documents(contents)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    attributes = parse_card(contents["card.toml"]).hti1.values()
    return BundleFacts(
        manifest=manifest,
        digests={name: digests[name] for name in contents},
        sizes={name: len(content) for name, content in contents.items()},
        disclosed=sum(value != NOT_AVAILABLE for value in attributes),
        attributes=len(attributes),
        provenance=gather_provenance(contents, manifest),
        signatures={
            name: _describe_signature(files[name], digests, what=name) for name in sorted(files) if is_signature(name)
        },
    )


def facts_as_json(facts: BundleFacts) -> dict[str, object]:
    """The facts as one JSON value."""
    manifest = facts.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "tier_role": manifest.tier_role,
        "parent_version": manifest.parent_version,
        "minimum_server_version": manifest.minimum_server_version,
        "description": manifest.description,
        "sha256": bundle_digest(facts.digests),
        "files": [{"name": name, "bytes": facts.sizes[name], "sha256": facts.digests[name]} for name in facts.digests],
        "tensors": [
            {"kind": kind, "name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
            for kind, tensors in _tensors(manifest)
            for tensor in tensors
        ],
        "card": {"disclosed": facts.disclosed, "attributes": facts.attributes},
        "provenance": provenance_as_json(facts.provenance),
        "signatures": [{"file": name, "says": says} for name, says in facts.signatures.items()],
        "verified": None,
    }


def print_facts(console: Console, facts: BundleFacts) -> None:
    """The facts as tables."""
    manifest = facts.manifest
    summary = _plain_table()
    summary.add_row("bundle", f"{manifest.name} {manifest.version}  ({manifest.kind}, tier role {manifest.tier_role})")
    summary.add_row("digest", bundle_digest(facts.digests))
    if manifest.description:
        summary.add_row("description", manifest.description)
    for kind, tensors in _tensors(manifest):
        for tensor in tensors:
            summary.add_row(kind, f"{tensor.name}  {tensor.datatype} {list(tensor.shape)}")
    summary.add_row("card", f"{facts.disclosed} of {facts.attributes} source attributes disclosed")
    for title, line in provenance_lines(facts.provenance):
        summary.add_row(title, line)
    for name, says in facts.signatures.items():
        summary.add_row("signature", f"{name}: {says}")
    console.print(summary)
    listing = Table("file", "bytes", "sha256", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name, digest in facts.digests.items():
        listing.add_row(name, f"{facts.sizes[name]:,}", digest[:_SHOWN_DIGEST] + "…")
    console.print(listing)
    console.print("Nothing is verified here; that is: stepdown bundle verify", style="dim")


def verified_as_json(bundle: VerifiedBundle) -> dict[str, object]:
    """A verified bundle as one JSON value."""
    return {
        "verified": True,
        "name": bundle.manifest.name,
        "version": bundle.manifest.version,
        "sha256": bundle.sha256,
        "signers": [{"name": signer.name, "key_id": signer.key_id} for signer in bundle.signers],
        "files": sorted(bundle.files),
    }


def print_verified(console: Console, bundle: VerifiedBundle) -> None:
    """A verified bundle as a table."""
    table = _plain_table()
    table.add_row("verified", f"{bundle.manifest.name} {bundle.manifest.version}")
    table.add_row("digest", bundle.sha256)
    for signer in bundle.signers:
        table.add_row("signed by", f"{signer.name}  (key {signer.key_id[:_SHOWN_DIGEST]}…)")
    table.add_row("files", f"{len(bundle.files)}, exactly those that were signed")
    console.print(table)


def _plain_table() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _tensors(manifest: Manifest) -> tuple[tuple[str, tuple[TensorSpec, ...]], ...]:
    if manifest.model is None:
        return ()
    return ("input", manifest.model.inputs), ("output", manifest.model.outputs)


def _describe_signature(text: bytes, digests: Mapping[str, str], *, what: str) -> str:
    """What a signature file claims, and whether it is about the files that are there."""
    try:
        envelope = parse_envelope(text, what=what)
        check_file_set(signed=parse_statement(envelope.payload, what=what).files, present=digests)
        if not envelope.certificates:
            return f"by a key (hint {envelope.key_hint[:_SHOWN_DIGEST] or 'none'}), over these files"
        leaf = parse_certificates(envelope.certificates, what=what)[0]
        return f"by the certificate with serial number {serial_number(leaf)}, over these files"
    except TrustError as error:
        return f"{error.rule}: {error.detail}"
