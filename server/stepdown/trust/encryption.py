"""`encryption.json`: which files of a bundle are sealed, and the wrapped key that opens them.

It is signed with everything else, and so are the sealed files: a bundle is verified first, and only what was verified
is ever opened. The documents stay readable, because whoever verifies, audits or reads a model card has no key. Refuses
to seal anything but a model and its weights, and a bundle that was sealed under another name or version.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from stepdown.domain.bundles import Manifest
from stepdown.domain.errors import TrustError
from stepdown.trust.documents import decode_base64, parse_json
from stepdown.trust.encryption_chunks import FileBinding, check_length, open_file
from stepdown.trust.encryption_wrapping import Wrapping
from stepdown.trust.members import Members
from stepdown.trust.refusal import TrustRule

ENCRYPTION_FILE = "encryption.json"
SCHEMA = "stepdown/encryption/v1"
SALT_BYTES = 32
MAXIMUM_BYTES = 1 << 20
_LARGEST_CHUNK_BYTES = 1 << 26
_LARGEST_FILE_BYTES = 1 << 40
_LARGEST_WRAPPED_BYTES = 4096
_RULE = TrustRule.ENCRYPTION_INVALID
_MEMBER_KEYS = frozenset({"name", "bytes", "chunk_bytes", "sha256"})
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """The data key under a key that is kept elsewhere. `key` is a name for people and decides nothing."""

    wrapping: Wrapping
    key: str
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedMember:
    """One sealed file: what it is bound to, and the hex sha256 of what is inside."""

    binding: FileBinding
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """What `encryption.json` says."""

    bundle: str
    version: str
    salt: bytes
    data_key: WrappedKey
    members: tuple[SealedMember, ...]

    @property
    def bound_to(self) -> bytes:
        """What the wrapped data key is bound to, where its wrapping can bind: the bundle's name and version."""
        return key_binding(self.bundle, self.version)

    def open(self, path: str, sealed: bytes, *, data_key: bytes, into: memoryview) -> None:
        """Write what is in the sealed file `path` into a buffer of its length. Raises: CIPHERTEXT_INVALID."""
        member = next(each for each in self.members if each.binding.path == path)
        open_file(sealed, member.binding, data_key=data_key, salt=self.salt, sha256=member.sha256, into=into)


def key_binding(bundle: str, version: str) -> bytes:
    """A bundle's name and version as a wrapping binds them; neither can hold the space between."""
    return f"{SCHEMA} {bundle} {version}".encode()


def render_encryption(encryption: Encryption) -> bytes:
    """The document."""
    document = {
        "schema": SCHEMA,
        "name": encryption.bundle,
        "version": encryption.version,
        "salt": b64encode(encryption.salt).decode("ascii"),
        "data_key": {
            "wrapping": encryption.data_key.wrapping,
            "key": encryption.data_key.key,
            "wrapped": b64encode(encryption.data_key.wrapped).decode("ascii"),
        },
        "members": [
            {
                "name": member.binding.path,
                "bytes": member.binding.plain_bytes,
                "chunk_bytes": member.binding.chunk_bytes,
                "sha256": member.sha256,
            }
            for member in encryption.members
        ],
    }
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def encryption_of(files: Mapping[str, bytes]) -> Encryption | None:
    """What a bundle's files say of their encryption; None for a bundle in the clear.

    Raises: TrustError ENCRYPTION_INVALID when the document is not as it must be.
    """
    if ENCRYPTION_FILE not in files:
        return None
    value = parse_json(files[ENCRYPTION_FILE], rule=_RULE, what=ENCRYPTION_FILE, maximum_bytes=MAXIMUM_BYTES)
    top = Members.of(
        value, where=ENCRYPTION_FILE, rule=_RULE, known={"schema", "name", "version", "salt", "data_key", "members"}
    )
    if top.text("schema") != SCHEMA:
        raise top.refusal("schema", SCHEMA)
    bundle, version = top.text("name"), top.text("version")
    salt = decode_base64(top.text("salt"), rule=_RULE, what=f"{ENCRYPTION_FILE}.salt")
    if len(salt) != SALT_BYTES:
        raise top.refusal("salt", f"{SALT_BYTES} bytes")
    members = tuple(
        _member(
            Members.of(member, where=f"{ENCRYPTION_FILE}.members[{place}]", rule=_RULE, known=_MEMBER_KEYS),
            bundle=bundle,
            version=version,
        )
        for place, member in enumerate(top.list("members"))
    )
    if not members or len({member.binding.path for member in members}) != len(members):
        raise top.refusal("members", "a list of files, each named once")
    return Encryption(
        bundle=bundle, version=version, salt=salt, data_key=_wrapped_key(top.object("data_key")), members=members
    )


def examine_encryption(files: Mapping[str, bytes], manifest: Manifest) -> Encryption | None:
    """The same, held against the bundle it lies in. Raises: TrustError ENCRYPTION_INVALID or CIPHERTEXT_INVALID."""
    encryption = encryption_of(files)
    if encryption is None:
        return None
    if (encryption.bundle, encryption.version) != (manifest.name, manifest.version):
        raise _refusal(
            f"is for {encryption.bundle!a} {encryption.version!a}, and this is {manifest.name} {manifest.version}"
        )
    sealable = sealable_files(manifest)
    for member in encryption.members:
        if member.binding.path not in sealable:
            raise _refusal(f"names {member.binding.path!a}; only a model and its weights can be sealed")
        check_length(files[member.binding.path], member.binding)
    return encryption


def sealable_files(manifest: Manifest) -> tuple[str, ...]:
    """What may be sealed: the model and its weights. Rules are published, and run where no key goes."""
    return () if manifest.model is None else (manifest.model.file, *manifest.model.external_data)


def plain_digests(files: Mapping[str, bytes]) -> Mapping[str, str]:
    """Path -> hex sha256 of what is inside each sealed file, as the signed document says; empty if none is sealed.

    Raises: TrustError ENCRYPTION_INVALID.
    """
    encryption = encryption_of(files)
    return {} if encryption is None else {member.binding.path: member.sha256 for member in encryption.members}


def _wrapped_key(members: Members) -> WrappedKey:
    wrapped = decode_base64(members.text("wrapped"), rule=_RULE, what=f"{members.where}.wrapped")
    if not 1 <= len(wrapped) <= _LARGEST_WRAPPED_BYTES:
        raise members.refusal("wrapped", f"1 to {_LARGEST_WRAPPED_BYTES} bytes")
    name = members.text("wrapping")
    if name not in set(Wrapping):
        raise members.refusal("wrapping", f"one of {', '.join(Wrapping)}")
    return WrappedKey(wrapping=Wrapping(name), key=members.text("key"), wrapped=wrapped)


def _member(members: Members, *, bundle: str, version: str) -> SealedMember:
    digest = members.text("sha256")
    if _SHA256_HEX.fullmatch(digest) is None:
        raise members.refusal("sha256", "64 lower-case hexadecimal digits")
    binding = FileBinding(
        bundle=bundle,
        version=version,
        path=members.text("name"),
        plain_bytes=_length(members, "bytes", minimum=0, maximum=_LARGEST_FILE_BYTES),
        chunk_bytes=_length(members, "chunk_bytes", minimum=1, maximum=_LARGEST_CHUNK_BYTES),
    )
    return SealedMember(binding=binding, sha256=digest)


def _length(members: Members, key: str, *, minimum: int, maximum: int) -> int:
    value = members.values.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise members.refusal(key, f"a whole number from {minimum} to {maximum}")
    return value


def _refusal(problem: str) -> TrustError:
    return TrustError(rule=_RULE, detail=f"{ENCRYPTION_FILE} {problem}")
