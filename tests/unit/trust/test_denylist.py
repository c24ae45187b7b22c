"""Denylists: what was accepted once and is denied now is known for it, by every name it can be denied by."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from stepdown.domain.bundles import BundleKind, CertificateReference, Manifest, SignerIdentity, TierRole, VerifiedBundle
from stepdown.trust.denylist import DENIALS, Denylist, denial_of
from tests.unit.trust.samples import ANY_BY_TRAINER, TRAINER, policy

PATH = (
    CertificateReference(issuer="CN=between,O=Hospital", serial="aff", key_id="1" * 64),
    CertificateReference(issuer="CN=root", serial="2", key_id="2" * 64),
)
SIGNER = SignerIdentity(key_id="1" * 64, name="safety", identities=frozenset({"uri:x"}), path=PATH)
MANIFEST = Manifest(
    name="news2",
    version="1.0.0",
    kind=BundleKind.RULES,
    tier_role=TierRole.RULES,
    minimum_server_version="0.1.0",
    parent_version="",
    description="",
    rules_file="rules.toml",
)
BUNDLE = VerifiedBundle(manifest=MANIFEST, files={}, signers=(SIGNER,), sha256="3" * 64)


def test_nothing_is_denied_by_an_empty_list() -> None:
    assert denial_of(BUNDLE, Denylist()) is None


@pytest.mark.parametrize(
    ("denylist", "rule"),
    [
        (Denylist(bundle_digests=frozenset({"3" * 64})), "BUNDLE_DENIED"),
        (Denylist(key_ids=frozenset({"1" * 64})), "KEY_DENIED"),
        (Denylist(key_ids=frozenset({"2" * 64})), "KEY_DENIED"),
        (Denylist(certificate_serials=frozenset({"aff"})), "CERTIFICATE_DENIED"),
        (Denylist(certificates=frozenset({("cn=between,o=hospital", "aff")})), "CERTIFICATE_DENIED"),
        (Denylist(certificates=frozenset({("cn=root", "2")})), "CERTIFICATE_DENIED"),
    ],
)
def test_what_served_is_denied_by_digest_key_serial_and_issuer(denylist: Denylist, rule: str) -> None:
    denial = denial_of(BUNDLE, denylist)
    assert denial is not None
    assert denial.rule == rule
    assert rule in DENIALS


def test_the_same_serial_of_another_issuer_is_another_certificate() -> None:
    assert denial_of(BUNDLE, Denylist(certificates=frozenset({("cn=other", "aff"), ("cn=root", "aff")}))) is None


def test_an_issuer_is_named_as_openssl_prints_it() -> None:
    """`openssl x509 -issuer -nameopt RFC2253` of a certificate whose issuer is the name below."""
    printed = "emailAddress=ca@hospital.example,CN=Signing CA,O=Hospital\\\\, Inc"
    read = policy(TRAINER, ANY_BY_TRAINER, f'[[denylist.certificates]]\nissuer = "{printed}"\nserial = "01"\n')
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "HOSPITAL, Inc"),
            x509.NameAttribute(NameOID.COMMON_NAME, "signing  CA"),
            x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ca@hospital.example"),
        ]
    )
    assert read.denylist.denies_certificate(
        CertificateReference(issuer=name.rfc4514_string(), serial="1", key_id="0" * 64)
    )
