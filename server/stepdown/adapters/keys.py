"""Keys and certificates in files.

Private keys are written for their owner alone and never overwritten. Refuses to print, log or return a private key's
bytes: a caller gets something that signs.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import Certificate

from stepdown.domain.errors import TrustError
from stepdown.trust.certificates import load_certificates
from stepdown.trust.public_keys import load_public_key, public_pem, signature_algorithm, supported_key
from stepdown.trust.refusal import TrustRule

_MAXIMUM_FILE_BYTES = 1 << 20
PUBLIC_KEY_SUFFIX = ".pub.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSigningKey:
    """A private key from a file, held in memory. Meets `trust.signing.SigningKey`."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self.private_key.public_key()

    def sign(self, message: bytes) -> bytes:
        """ECDSA with the hash that belongs to the curve, in DER."""
        return self.private_key.sign(message, signature_algorithm(self.public_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningChain:
    """Certificates that bind a key to a name, leaf first, and where the leaf came from; none by default."""

    certificates: tuple[Certificate, ...] = ()
    source: str = ""


class PassphraseRequiredError(TrustError):
    """The key is encrypted and no passphrase was given, or the wrong one."""


def read_signing_key(path: Path, *, passphrase: bytes | None = None) -> FileSigningKey:
    """The private key in a PEM file.

    Raises: PassphraseRequiredError; TrustError KEY_UNREADABLE or KEY_UNSUPPORTED.
    """
    text = _read(path)
    try:
        key = load_pem_private_key(text, password=passphrase)
    except TypeError as error:  # the library's answer to an encrypted key without passphrase, and the reverse
        if passphrase is not None:
            return read_signing_key(path)
        raise PassphraseRequiredError(
            rule=TrustRule.KEY_UNREADABLE, detail=f"{path} is encrypted and needs a passphrase"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        problem = "holds no PEM private key" if passphrase is None else "does not open with this passphrase"
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path} {problem}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TrustError(
            rule=TrustRule.KEY_UNSUPPORTED,
            detail=f"{path} is not an EC key; only P-256, P-384 and P-521 can sign bundles",
        )
    supported_key(key.public_key(), what=str(path))
    return FileSigningKey(private_key=key)


def new_signing_key() -> FileSigningKey:
    """A fresh key on P-256 that lives in memory only."""
    return FileSigningKey(private_key=ec.generate_private_key(ec.SECP256R1()))


def create_signing_key(path: Path) -> Path:
    """Write a fresh P-256 key to `path`, for its owner alone, and its public half beside it, whose path is returned.

    Raises: TrustError KEY_UNREADABLE when either file exists already or cannot be written.
    """
    key = new_signing_key()
    public_path = public_key_path(path)
    private_pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new(path, private_pem, mode=0o600)
        write_new(public_path, public_pem(key.public_key), mode=0o644)
    except FileExistsError as error:
        raise TrustError(
            rule=TrustRule.KEY_UNREADABLE, detail=f"{error.filename} exists; it is not overwritten"
        ) from error
    except OSError as error:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path}: {error.strerror}") from error
    return public_path


def public_key_path(path: Path) -> Path:
    """Where the public half of the key at `path` is written: `me.key.pem` and `me-key.pem` give `me.pub.pem`."""
    return path.with_name(signer_name(path) + PUBLIC_KEY_SUFFIX)


def signer_name(path: Path) -> str:
    """What a key file's name says about whose it is."""
    stem = path.name.removesuffix(".pem").removesuffix(".key").removesuffix(".pub")
    return stem.removesuffix("-key") or stem


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that must not exist yet, with exactly this mode from its first byte on. Raises: OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Put a whole file in the place of another at once, so that no reader sees half of it. Raises: OSError."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    write_new(temporary, content, mode=mode)
    temporary.replace(path)


def read_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """The public key in a PEM file. Raises: TrustError KEY_UNREADABLE or KEY_UNSUPPORTED."""
    return load_public_key(_read(path), what=str(path))


def read_certificates(paths: tuple[Path, ...]) -> tuple[Certificate, ...]:
    """The certificates in PEM files, in order. Raises: TrustError KEY_UNREADABLE or CERTIFICATE_MALFORMED."""
    return tuple(certificate for path in paths for certificate in load_certificates(_read(path), what=str(path)))


def read_signing_chain(paths: tuple[Path, ...]) -> SigningChain:
    """The chain in PEM files, leaf first. Raises: TrustError KEY_UNREADABLE or CERTIFICATE_MALFORMED."""
    return SigningChain(certificates=read_certificates(paths), source=str(paths[0]))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAXIMUM_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path} cannot be read: {_why(error)}") from error
    if len(content) > _MAXIMUM_FILE_BYTES:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path} is longer than {_MAXIMUM_FILE_BYTES} bytes")
    return content


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a usable path"
