"""Issuing certificates for a demonstration: an authority, a server and clients, on EC P-256.

Enough for mutual TLS on one machine with nothing to install. Refuses to be an authority for a hospital: there
is no revocation, no serial register and no protected key here.

Sources: RFC 5280; SPIFFE X.509-SVID §4-5.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

CLOCK_TOLERANCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate with its private key."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as a PEM file."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def private_key_pem(self) -> bytes:
        """The private key as an unencrypted PKCS#8 PEM file; keep it readable by its owner alone."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def server_names(self) -> frozenset[str]:
        """The DNS names and IP addresses the certificate is for; none when it names no server."""
        try:
            names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return frozenset()
        addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
        return frozenset((*names.get_values_for_type(x509.DNSName), *addresses))


def load_credential(certificate_pem: bytes, private_key_pem: bytes, *, what: str) -> Credential:
    """A credential from its two PEM files. Raises: TrustError KEY_UNREADABLE when they are no matching pair."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        private_key = load_pem_private_key(private_key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{what}: no certificate and key") from error
    if not isinstance(private_key, ec.EllipticCurvePrivateKey) or private_key.public_key() != certificate.public_key():
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{what}: the key is not the certificate's")
    return Credential(certificate=certificate, private_key=private_key)


def issue_authority(common_name: str, *, now_s: float, valid_s: float) -> Credential:
    """A self-signed authority that may issue end-entity certificates only."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(common_name, private_key.public_key(), now_s=now_s, valid_s=valid_s)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        builder.issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(private_key.public_key()), critical=False)
    )
    return Credential(certificate=builder.sign(private_key, SHA256()), private_key=private_key)


def issue_server(
    authority: Credential, *, dns_names: tuple[str, ...], addresses: tuple[str, ...], now_s: float, valid_s: float
) -> Credential:
    """A TLS server's credential for the names and IP addresses clients reach it by."""
    names = (
        *(x509.DNSName(name) for name in dns_names),
        *(x509.IPAddress(ip_address(address)) for address in addresses),
    )
    return _issue(authority, dns_names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now_s=now_s, valid_s=valid_s)


def issue_client(authority: Credential, *, identity: str, now_s: float, valid_s: float) -> Credential:
    """A TLS client's credential for a SPIFFE id such as `spiffe://stepdown.demo/assessor/demo-client`."""
    names = (x509.UniformResourceIdentifier(identity),)
    common_name = identity.rsplit("/", maxsplit=1)[-1]
    return _issue(authority, common_name, names, ExtendedKeyUsageOID.CLIENT_AUTH, now_s=now_s, valid_s=valid_s)


def _issue(
    authority: Credential,
    common_name: str,
    names: Iterable[x509.GeneralName],
    purpose: x509.ObjectIdentifier,
    *,
    now_s: float,
    valid_s: float,
) -> Credential:
    private_key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = authority.private_key.public_key()
    builder = (
        _builder(common_name, private_key.public_key(), now_s=now_s, valid_s=valid_s)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
    return Credential(certificate=builder.sign(authority.private_key, SHA256()), private_key=private_key)


def _builder(
    common_name: str, public_key: ec.EllipticCurvePublicKey, *, now_s: float, valid_s: float
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_s, UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(seconds=CLOCK_TOLERANCE_S))
        .not_valid_after(now + timedelta(seconds=valid_s))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
