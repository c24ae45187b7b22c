"""The keys that wrap data keys of encrypted bundles, in files or in tokens, as the settings or a command name them.

Refuses to keep a data key: it is asked for again at every start of a worker, so that whoever takes the wrapping key
away takes the bundle away.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import is_token_uri, parse_token_uri
from stepdown.domain.errors import TrustError
from stepdown.trust.encryption import Encryption, WrappedKey, key_binding
from stepdown.trust.encryption_chunks import KEY_BYTES
from stepdown.trust.encryption_keys import (
    checked_data_key,
    read_rsa_private_key,
    read_rsa_public_key,
    read_secret,
    unwrap_by_rsa,
    unwrap_by_secret,
    wrap_by_rsa,
    wrap_by_secret,
)
from stepdown.trust.encryption_wrapping import GCM_NONCE_BYTES, Wrapping
from stepdown.trust.refusal import TrustRule

_MAXIMUM_FILE_BYTES = 1 << 16
_NOT_THIS_KEY = frozenset({TrustRule.DATA_KEY_REFUSED, TrustRule.TOKEN_KEY_NOT_FOUND, TrustRule.KEY_UNSUPPORTED})
_RSA = frozenset({Wrapping.RSA_OAEP_SHA256, Wrapping.RSA_OAEP_SHA1})


class WrappingKey(Protocol):
    """A key that opens data keys."""

    def unwrap(self, encryption: Encryption) -> bytes:
        """The data key. Raises: TrustError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWrappingKey:
    """A secret of 64 hexadecimal digits, or an RSA key in PEM; read anew at each use, so that it can be exchanged."""

    path: Path

    def __str__(self) -> str:
        return self.path.name

    def unwrap(self, encryption: Encryption) -> bytes:
        """The data key. Raises: TrustError."""
        text, wrapped = _content(self.path), encryption.data_key
        if wrapped.wrapping in _RSA:
            key = read_rsa_private_key(text, what=str(self.path))
            return unwrap_by_rsa(wrapped.wrapped, key=key, wrapping=wrapped.wrapping)
        if wrapped.wrapping is Wrapping.AES_256_GCM:
            secret = read_secret(text, what=str(self.path))
            return unwrap_by_secret(wrapped.wrapped, secret=secret, bound_to=encryption.bound_to)
        raise TrustError(rule=TrustRule.KEY_UNSUPPORTED, detail=f"{wrapped.wrapping} is opened in a token only")

    def wrap(self, data_key: bytes, *, bundle: str, version: str, oaep_sha1: bool = False) -> WrappedKey:
        """The data key under the secret, or for the RSA key of which the public half is enough. Raises: TrustError."""
        text, bound_to = _content(self.path), key_binding(bundle, version)
        if not text.startswith(b"-----"):
            secret, nonce = read_secret(text, what=str(self.path)), secrets.token_bytes(GCM_NONCE_BYTES)
            wrapped = wrap_by_secret(data_key, secret=secret, nonce=nonce, bound_to=bound_to)
            return WrappedKey(wrapping=Wrapping.AES_256_GCM, key=str(self), wrapped=wrapped)
        is_private = b"PRIVATE KEY" in text.partition(b"\n")[0]
        what = str(self.path)
        public = (
            read_rsa_private_key(text, what=what).public_key() if is_private else read_rsa_public_key(text, what=what)
        )
        wrapping = Wrapping.RSA_OAEP_SHA1 if oaep_sha1 else Wrapping.RSA_OAEP_SHA256
        return WrappedKey(
            wrapping=wrapping, key=str(self), wrapped=wrap_by_rsa(data_key, key=public, wrapping=wrapping)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWrappingKey:
    """An AES or RSA key in a token."""

    key: TokenKey

    def __str__(self) -> str:
        return str(self.key.uri)

    def unwrap(self, encryption: Encryption) -> bytes:
        """The data key. Raises: TrustError."""
        wrapped = encryption.data_key
        opened = self.key.call(
            "unwrap",
            wrapping=wrapped.wrapping,
            wrapped=wrapped.wrapped,
            nonce_bytes=GCM_NONCE_BYTES,
            bound_to=encryption.bound_to,
        )
        return checked_data_key(opened["data_key"])

    def wrap(
        self, data_key: bytes, *, bundle: str, version: str, oaep_sha1: bool = False, key_wrap: bool = False
    ) -> WrappedKey:
        """The data key under the AES key of that name, or for the RSA key, whichever the token holds.

        Raises: TrustError.
        """
        try:
            public = self.key.call("public")
        except TrustError as error:
            if error.rule != TrustRule.TOKEN_KEY_NOT_FOUND:
                raise
            return self._wrapped_in_token(data_key, key_binding(bundle, version), key_wrap=key_wrap)
        rsa = read_rsa_public_key(public.get("der", b""), what=str(self))
        wrapping = Wrapping.RSA_OAEP_SHA1 if oaep_sha1 else Wrapping.RSA_OAEP_SHA256
        return WrappedKey(wrapping=wrapping, key=str(self), wrapped=wrap_by_rsa(data_key, key=rsa, wrapping=wrapping))

    def _wrapped_in_token(self, data_key: bytes, bound_to: bytes, *, key_wrap: bool) -> WrappedKey:
        wrapped = self.key.call(
            "wrap",
            data_key=data_key,
            nonce=secrets.token_bytes(GCM_NONCE_BYTES),
            bound_to=bound_to,
            wrapping=Wrapping.AES_KEY_WRAP if key_wrap else "",
        )
        return WrappedKey(wrapping=Wrapping(wrapped["wrapping"]), key=str(self), wrapped=wrapped["wrapped"])


def wrapping_key(named: str) -> FileWrappingKey | TokenWrappingKey:
    """The key that a path or a PKCS#11 URI names. Raises: TrustError KEY_URI_INVALID."""
    if is_token_uri(named):
        return TokenWrappingKey(key=TokenKey(parse_token_uri(named)))
    return FileWrappingKey(path=Path(named))


def new_data_key() -> bytes:
    """A key for one bundle."""
    return secrets.token_bytes(KEY_BYTES)


def released_data_key(encryption: Encryption, keys: Iterable[WrappingKey]) -> bytes:
    """The data key, by the first of the keys that opens it.

    Raises: TrustError DATA_KEY_REFUSED when none of them fits, DATA_KEY_UNAVAILABLE when one that might was not there.
    """
    absent: list[str] = []
    tried = 0
    for key in keys:
        tried += 1
        try:
            return key.unwrap(encryption)
        except TrustError as error:
            if error.rule not in _NOT_THIS_KEY:
                absent.append(str(error))
    wanted = f"it was wrapped ({encryption.data_key.wrapping}) by {encryption.data_key.key!a}"
    if absent:
        raise TrustError(rule=TrustRule.DATA_KEY_UNAVAILABLE, detail=f"{'; '.join(absent)}; {wanted}")
    if not tried:
        raise TrustError(rule=TrustRule.DATA_KEY_UNAVAILABLE, detail=f"trust.decryption_keys is empty; {wanted}")
    raise TrustError(rule=TrustRule.DATA_KEY_REFUSED, detail=f"none of trust.decryption_keys opens it; {wanted}")


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAXIMUM_FILE_BYTES)
    except OSError as error:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path}: {error.strerror}") from error
