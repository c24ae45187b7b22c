"""The demo's certificates on disk: made on first use, kept while they last, renewed before they end.

Private keys are readable by their owner alone. Refuses to hand out a certificate that another file in the folder does
not match: whatever is missing, damaged, near its end or from another authority is issued again.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from stepdown.adapters.keys import replace_file
from stepdown.domain.errors import TrustError
from stepdown.trust.issuance import Credential, issue_authority, issue_client, issue_server, load_credential

DEMO_CLIENT_IDENTITY = "spiffe://stepdown.demo/assessor/demo-client"
DEMO_OPERATOR_IDENTITY = "spiffe://stepdown.demo/operator/demo-operator"
DEMO_AUDITOR_IDENTITY = "spiffe://stepdown.demo/auditor/demo-auditor"

_IDENTITIES = {
    "client": DEMO_CLIENT_IDENTITY,
    "operator": DEMO_OPERATOR_IDENTITY,
    "auditor": DEMO_AUDITOR_IDENTITY,
}
_DAY_S = 86_400.0
_AUTHORITY_VALID_S = 730 * _DAY_S
_LEAF_VALID_S = 90 * _DAY_S
_RENEW_BEFORE_END_S = 30 * _DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPki:
    """Where the demo's certificates and keys lie, all PEM."""

    ca: Path
    server_cert: Path
    server_key: Path
    client_cert: Path
    client_key: Path
    operator_cert: Path
    operator_key: Path
    auditor_cert: Path
    auditor_key: Path


def ensure_demo_pki(
    directory: Path,
    *,
    dns_names: tuple[str, ...] = ("localhost",),
    addresses: tuple[str, ...] = ("127.0.0.1", "::1"),
    now_s: float | None = None,
) -> DemoPki:
    """Make `directory` hold a demo authority's, a server's and two clients' certificates, good for a month or more.

    Safe to call from several processes at once. `now_s` is Unix time, the system's when left out.

    Raises: OSError when the folder cannot be written.
    """
    now_s = time.time() if now_s is None else now_s
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    period = {"now_s": now_s, "valid_s": _LEAF_VALID_S}
    server_names = frozenset((*dns_names, *addresses))
    with _locked(directory):
        authority = _ensure(
            directory,
            "ca",
            partial(issue_authority, "Stepdown demo authority", now_s=now_s, valid_s=_AUTHORITY_VALID_S),
            # A leaf must not outlive its authority.
            is_good=lambda held: _remaining_s(held, now_s) > _LEAF_VALID_S + _RENEW_BEFORE_END_S,
        )

        def is_good(held: Credential) -> bool:
            return _remaining_s(held, now_s) > _RENEW_BEFORE_END_S and _is_issued_by(held, authority)

        _ensure(
            directory,
            "server",
            partial(issue_server, authority, dns_names=dns_names, addresses=addresses, **period),
            is_good=lambda held: is_good(held) and server_names == held.server_names,
        )
        for name, identity in _IDENTITIES.items():
            _ensure(directory, name, partial(issue_client, authority, identity=identity, **period), is_good=is_good)
    return _laid_out(directory)


def _laid_out(directory: Path) -> DemoPki:
    return DemoPki(
        ca=_certificate_path(directory, "ca"),
        server_cert=_certificate_path(directory, "server"),
        server_key=_key_path(directory, "server"),
        client_cert=_certificate_path(directory, "client"),
        client_key=_key_path(directory, "client"),
        operator_cert=_certificate_path(directory, "operator"),
        operator_key=_key_path(directory, "operator"),
        auditor_cert=_certificate_path(directory, "auditor"),
        auditor_key=_key_path(directory, "auditor"),
    )


def identity_of(certificate: Path) -> str:
    """Who a certificate says its holder is, as servers name clients: a SPIFFE id, or `dns:` and a name.

    Raises: OSError; ValueError for a file that holds no certificate, or none that names anybody.
    """
    held = x509.load_pem_x509_certificate(certificate.read_bytes())
    try:
        names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise ValueError(f"{certificate} names nobody") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    found = uris or [f"dns:{name}" for name in names.get_values_for_type(x509.DNSName)]
    if not found:
        raise ValueError(f"{certificate} names nobody")
    return found[0]


def _ensure(
    directory: Path, name: str, issue: Callable[[], Credential], *, is_good: Callable[[Credential], bool]
) -> Credential:
    certificate_path, key_path = _certificate_path(directory, name), _key_path(directory, name)
    try:
        held = load_credential(certificate_path.read_bytes(), key_path.read_bytes(), what=name)
    except (OSError, TrustError):
        held = None
    if held is not None and is_good(held):
        key_path.chmod(0o600)
        return held
    issued = issue()
    # The key first: a process that stops between the two leaves a pair that does not match and is issued again.
    replace_file(key_path, issued.private_key_pem, mode=0o600)
    replace_file(certificate_path, issued.certificate_pem, mode=0o644)
    return issued


def _remaining_s(credential: Credential, now_s: float) -> float:
    """Seconds until the certificate ends; less than nothing when it has not begun."""
    if credential.certificate.not_valid_before_utc.timestamp() > now_s:
        return -1.0
    return credential.certificate.not_valid_after_utc.timestamp() - now_s


def _is_issued_by(credential: Credential, authority: Credential) -> bool:
    try:
        credential.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificate_path(directory: Path, name: str) -> Path:
    return directory / f"{name}.pem"


def _key_path(directory: Path, name: str) -> Path:
    return directory / f"{name}.key.pem"


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
