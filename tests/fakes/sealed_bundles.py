"""Verified bundles whose model is sealed, made as `stepdown bundle encrypt` makes them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from stepdown.adapters.key_store.wrapping_key import FileWrappingKey, new_data_key
from stepdown.domain.bundles import VerifiedBundle
from stepdown.trust.encryption import (
    ENCRYPTION_FILE,
    Encryption,
    SealedMember,
    WrappedKey,
    render_encryption,
    sealable_files,
)
from stepdown.trust.encryption_chunks import FileBinding, seal_file

SALT = bytes(32)
CHUNK_BYTES = 64


def key_file(folder: Path, *, secret: bytes = b"k" * 32, name: str = "wrapping.key") -> Path:
    path = folder / name
    path.write_text(secret.hex() + "\n")
    return path


def sealed(plain: VerifiedBundle, key: FileWrappingKey, *, wrapped: WrappedKey | None = None) -> VerifiedBundle:
    """The same bundle with its model under a new data key, wrapped by `key` unless `wrapped` is given."""
    name, version = plain.manifest.name, plain.manifest.version
    data_key, files = new_data_key(), dict(plain.files)
    members = []
    for path in sealable_files(plain.manifest):
        content = files[path]
        binding = FileBinding(
            bundle=name, version=version, path=path, plain_bytes=len(content), chunk_bytes=CHUNK_BYTES
        )
        files[path] = seal_file(content, binding, data_key=data_key, salt=SALT)
        members.append(SealedMember(binding=binding, sha256=hashlib.sha256(content).hexdigest()))
    encryption = Encryption(
        bundle=name,
        version=version,
        salt=SALT,
        data_key=wrapped or key.wrap(data_key, bundle=name, version=version),
        members=tuple(members),
    )
    files[ENCRYPTION_FILE] = render_encryption(encryption)
    return replace(plain, files=files)
