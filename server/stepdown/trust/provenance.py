"""Reading `provenance.json`: an in-toto Statement v1 with the SLSA provenance v1 predicate, about this very bundle.

What the bundle runs must be among its subjects, byte for byte: a provenance of another model says nothing. Documents
may have been edited since the build, and it is told which. Refuses to judge the builder: a trust policy does. It is no
proof either: it says what the bundle's signers vouch for.

Sources: <https://in-toto.io/Statement/v1>; <https://slsa.dev/spec/v1.0/provenance>.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from stepdown.domain.bundles import Manifest
from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import Material, Provenance
from stepdown.trust.documents import parse_json, quoted
from stepdown.trust.encryption import plain_digests
from stepdown.trust.members import Members
from stepdown.trust.refusal import TrustRule
from stepdown.trust.statement import STATEMENT_TYPE

PROVENANCE_FILE = "provenance.json"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_MATERIALS = 4096

_RULE = TrustRule.PROVENANCE_INVALID
_MAXIMUM_TEXT_CHARACTERS = 4096
_DIGEST = re.compile(r"[0-9a-f]{8,256}")
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


def parse_provenance(text: bytes) -> Provenance:
    """What the document says. Raises: TrustError PROVENANCE_INVALID."""
    value = parse_json(text, rule=_RULE, what=PROVENANCE_FILE, maximum_bytes=MAXIMUM_BYTES)
    statement = Members.of(value, where=PROVENANCE_FILE, rule=_RULE)
    for key, expected in (("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE)):
        if statement.text(key) != expected:
            raise statement.refusal(key, expected)
    predicate = statement.object("predicate")
    definition, details = predicate.object("buildDefinition"), predicate.object("runDetails")
    metadata = _optional(details, "metadata")
    internal = _optional(definition, "internalParameters")
    return Provenance(
        build_type=_text(definition, "buildType"),
        builder=_text(details.object("builder"), "id"),
        subjects=_subjects(statement),
        started_time_s=_time(metadata, "startedOn"),
        finished_time_s=_time(metadata, "finishedOn"),
        parameters=_json(definition.object("externalParameters").values),
        hardware=_json(_optional(internal, "hardware").values),
        materials=tuple(_materials(definition)),
    )


def about(provenance: Provenance, files: Mapping[str, bytes], manifest: Manifest) -> Provenance:
    """The same, held against the bundle it lies in. Raises: TrustError PROVENANCE_MISMATCH when it is of another."""
    model = manifest.model
    runs = (model.file, *model.external_data) if model is not None else (manifest.rules_file or "",)
    unnamed = sorted(set(runs) - {name for name, _ in provenance.subjects})
    if unnamed:
        raise _mismatch(f"does not name {', '.join(unnamed)}, which this bundle runs")
    opened = plain_digests(files)  # of an encrypted bundle, what is inside counts
    edited = tuple(
        name for name, digest in provenance.subjects if (opened.get(name) or _digest_in(files, name)) != digest
    )
    foreign = sorted(set(edited) & set(runs))
    if foreign:
        raise _mismatch(f"is about another {', '.join(foreign)} than the one in this bundle")
    return replace(provenance, edited=edited)


def _digest_in(files: Mapping[str, bytes], name: str) -> str:
    return hashlib.sha256(files[name]).hexdigest() if name in files else ""


def _mismatch(problem: str) -> TrustError:
    return TrustError(rule=TrustRule.PROVENANCE_MISMATCH, detail=f"{PROVENANCE_FILE} {problem}")


def _subjects(statement: Members) -> tuple[tuple[str, str], ...]:
    subjects: dict[str, str] = {}
    for place, value in enumerate(_bounded(statement, "subject")):
        subject = Members.of(value, where=f"{statement.where}.subject[{place}]", rule=_RULE)
        name, digest = _text(subject, "name"), subject.object("digest").text("sha256")
        if _SHA256_HEX.fullmatch(digest) is None:
            raise subject.refusal("digest.sha256", "64 lower-case hexadecimal digits")
        if subjects.setdefault(name, digest) != digest:
            raise TrustError(rule=_RULE, detail=f"{PROVENANCE_FILE}: two digests for {quoted(name)}")
    return tuple(sorted(subjects.items()))


def _materials(definition: Members) -> Iterator[Material]:
    for place, value in enumerate(_bounded(definition, "resolvedDependencies")):
        material = Members.of(value, where=f"{definition.where}.resolvedDependencies[{place}]", rule=_RULE)
        yield Material(
            name=_text(material, "name", default=""),
            uri=_text(material, "uri", default=""),
            digests=tuple(sorted(_digests(_optional(material, "digest")))),
            note=_json(_optional(material, "annotations").values),
        )


def _digests(digests: Members) -> Iterator[tuple[str, str]]:
    for algorithm in digests.values:
        digest = digests.text(algorithm)
        if not digest:
            continue  # a build outside a checkout knows no commit, and says so with an empty text
        if not algorithm.isalnum() or _DIGEST.fullmatch(digest) is None:
            raise TrustError(rule=_RULE, detail=f"{digests.where} holds what is no digest in lower-case hexadecimal")
        yield algorithm, digest


def _bounded(members: Members, key: str) -> list[object]:
    values = members.list(key) if key in members.values else []
    if len(values) > MAXIMUM_MATERIALS:
        raise members.refusal(key, f"an array of at most {MAXIMUM_MATERIALS}")
    return values


def _optional(members: Members, key: str) -> Members:
    if key in members.values:
        return members.object(key)
    return Members(values={}, where=f"{members.where}.{key}", rule=_RULE)


def _text(members: Members, key: str, *, default: str | None = None) -> str:
    """A text fit to be shown."""
    if default is not None and key not in members.values:
        return default
    text = members.text(key)
    if not text or not text.isprintable() or len(text) > _MAXIMUM_TEXT_CHARACTERS:
        raise members.refusal(key, "a short text of printable characters")
    return text


def _time(metadata: Members, key: str) -> float | None:
    if key not in metadata.values:
        return None
    try:
        moment = datetime.fromisoformat(metadata.text(key))
        if moment.tzinfo is None:
            raise metadata.refusal(key, "a time with its zone, as in 2026-01-31T12:00:00Z")
        return moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise metadata.refusal(key, "a time as in RFC 3339") from error


def _json(values: dict[str, object]) -> str:
    """The same on one line of ASCII, which can do nothing to a terminal; nothing for nothing."""
    try:
        return json.dumps(values, separators=(", ", ": ")) if values else ""
    except RecursionError as error:
        raise TrustError(rule=_RULE, detail=f"{PROVENANCE_FILE}: nested too deeply") from error
