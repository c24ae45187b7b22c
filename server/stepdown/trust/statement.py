"""The signed statement: in-toto Statement v1 with the OpenSSF Model Signing v1.0 predicate.

It lists every file with its sha256. The signer's own wishes in it (paths to ignore, links to follow) are not honoured:
what must match is every file of the bundle outside `signatures/`. Refuses sharded digests, other hash algorithms and
the older predicate, which named no root digest.

Format: <https://model_signing/signature/v1.0>; <https://in-toto.io/Statement/v1>.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import parse_json
from stepdown.trust.members import Members
from stepdown.trust.names import SIGNATURE_DIRECTORY, check_names
from stepdown.trust.refusal import TrustRule

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
SIGNED_ON = "stepdown_signed_on"
MAXIMUM_BYTES = 4 * 1024 * 1024

_RULE = TrustRule.STATEMENT_MALFORMED
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed for: name -> hex sha256 of every file. `signed_time_s` (Unix) is what the signer says, or None."""

    files: Mapping[str, str]
    signed_time_s: float | None


def parse_statement(payload: bytes, *, what: str) -> Statement:
    """Everything in the statement that binds.

    Raises: TrustError STATEMENT_MALFORMED, SIGNATURE_FORMAT_UNSUPPORTED, FILE_NAME_UNSAFE or FILE_NAME_COLLISION.
    """
    value = parse_json(payload, rule=_RULE, what=what, maximum_bytes=MAXIMUM_BYTES)
    top = Members.of(value, where=what, rule=_RULE)
    top.require("_type", STATEMENT_TYPE)
    top.require("predicateType", PREDICATE_TYPE)
    predicate = top.object("predicate")
    serialization = predicate.object("serialization")
    serialization.require("method", "files")
    serialization.require("hash_type", "sha256")
    resources = tuple(
        _parse_resource(Members.of(resource, where=f"{predicate.where}.resources[{place}]", rule=_RULE))
        for place, resource in enumerate(predicate.list("resources"))
    )
    check_names(name for name, _ in resources)
    subject = top.only_object("subject")
    subject.text("name")
    signed_root = subject.object("digest", known={"sha256"}).text("sha256")
    if signed_root != _root_digest(digest for _, digest in resources):
        raise TrustError(rule=_RULE, detail=f"{what}: the subject's digest is not that of the files listed")
    return Statement(files=dict(resources), signed_time_s=_signed_time(predicate))


def render_statement(subject: str, digests: Mapping[str, str], *, signed_time_s: float | None = None) -> bytes:
    """The statement that signs for files by name -> hex sha256. `subject` is for people; it binds nothing."""
    said = {} if signed_time_s is None else {SIGNED_ON: _utc(signed_time_s).isoformat()}
    resources = [{"name": name, "algorithm": "sha256", "digest": digests[name]} for name in sorted(digests)]
    root = _root_digest(digests[name] for name in sorted(digests))
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject, "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                # For the public tool, which reads it; see the module's docstring for what this one does.
                "ignore_paths": [SIGNATURE_DIRECTORY],
            },
            "resources": resources,
            **said,
        },
    }
    return json.dumps(statement, indent=2).encode("ascii")


def _signed_time(predicate: Members) -> float | None:
    """In whole seconds UTC, written one way only."""
    if SIGNED_ON not in predicate.values:
        return None
    text = predicate.text(SIGNED_ON)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise predicate.refusal(SIGNED_ON, "a time") from error
    if moment.tzinfo is None or _utc(moment.timestamp()).isoformat() != text:
        raise predicate.refusal(SIGNED_ON, "a time in whole seconds UTC, as in 2026-01-31T12:00:00+00:00")
    return moment.timestamp()


def _utc(time_s: float) -> datetime:
    return datetime.fromtimestamp(int(time_s), UTC)


def _root_digest(digests: Iterable[str]) -> str:
    root = hashlib.sha256()
    for digest in digests:
        root.update(bytes.fromhex(digest))
    return root.hexdigest()


def _parse_resource(resource: Members) -> tuple[str, str]:
    resource.require("algorithm", "sha256")
    digest = resource.text("digest")
    if _SHA256_HEX.fullmatch(digest) is None:
        raise resource.refusal("digest", "64 lower-case hexadecimal digits")
    return resource.text("name"), digest
