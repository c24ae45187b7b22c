import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stepdown.domain.errors import TrustError
from stepdown.trust.evidence import EvidenceKind, named_keys, parse_evidence_policy
from stepdown.trust.evidence_quote import verify_quote

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)
WEAK_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
P384_KEY = ec.generate_private_key(ec.SECP384R1())
NONCE = bytes(range(32))
PCRS = {7: b"\x77" * 32, 0: b"\x00" * 32, 10: b"\xaa" * 32}

POLICY = """\
schema = "stepdown/evidence-policy/v1"
[[evidence]]
name = "ward-server"
kind = "tpm-quote"
attestation_key = "ak.pem"
maximum_age_s = 60
[evidence.pcrs]
7 = "{pcr}"
[[evidence]]
name = "gpu"
kind = "nvidia-gpu"
[[bundle]]
names = ["sepsis-full"]
evidence = ["ward-server", "gpu"]
[[bundle]]
names = ["*"]
evidence = ["ward-server"]
""".format(pcr="77" * 32)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def quote(  # noqa: PLR0913 - each names one thing that can be wrong with a quote
    *,
    magic: int = 0xFF544347,
    kind: int = 0x8018,
    nonce: bytes = NONCE,
    banks: int = 1,
    algorithm: int = 0x000B,
    selected: tuple[int, ...] = tuple(PCRS),
    pcrs: dict[int, bytes] = PCRS,
    more: bytes = b"",
) -> bytes:
    """What a TPM signs: TPMS_ATTEST with TPMS_QUOTE_INFO."""
    bitmap = bytearray(3)
    for number in selected:
        bitmap[number // 8] |= 1 << number % 8
    digest = hashlib.sha256(b"".join(pcrs[number] for number in sorted(pcrs))).digest()
    return (
        struct.pack(">IH", magic, kind)
        + _sized(b"qualified signer")
        + _sized(nonce)
        + bytes(25)  # clock, resets, restarts, safe, firmware version
        + struct.pack(">IHB", banks, algorithm, len(bitmap))
        + bytes(bitmap)
        + _sized(digest)
        + more
    )


def _sized(content: bytes) -> bytes:
    return struct.pack(">H", len(content)) + content


def verify(quoted: bytes, *, key: ec.EllipticCurvePrivateKey = EC_KEY) -> None:
    signature = key.sign(quoted, ec.ECDSA(SHA256()))
    verify_quote(quoted, signature, key=EC_KEY.public_key(), pcrs=PCRS, nonce=NONCE)


def test_a_quote_of_the_pinned_key_over_the_right_pcrs_for_this_nonce_is_accepted() -> None:
    verify(quote())
    by_rsa = RSA_KEY.sign(quote(), PKCS1v15(), SHA256())
    verify_quote(quote(), by_rsa, key=RSA_KEY.public_key(), pcrs=PCRS, nonce=NONCE)


@pytest.mark.parametrize(
    ("quoted", "says"),
    [
        (quote(magic=0x54434746), "not a quote that a TPM made"),
        (quote(kind=0x8017), "not a quote that a TPM made"),
        (quote(nonce=bytes(32)), "another nonce"),
        (quote(selected=(0, 7)), "not over the PCRs"),
        (quote(selected=(0, 7, 10, 11)), "not over the PCRs"),
        (quote(banks=2), "SHA-256 bank alone"),
        (quote(algorithm=0x0004), "SHA-256 bank alone"),
        (quote(pcrs={**PCRS, 7: b"\x78" * 32}), "PCRs 0, 7, 10 are not all as the policy has them"),
        (quote(more=b"?"), "left over"),
        (quote()[:-1], "cut short"),
        (quote()[:5], "cut short"),
        (quote(more=bytes(5000)), "not signed"),
    ],
    ids=str,
)
def test_any_other_quote_is_refused_and_says_why(quoted: bytes, says: str) -> None:
    with pytest.raises(TrustError, match="EVIDENCE_REFUSED: the TPM's quote") as refusal:
        verify(quoted)
    assert says in refusal.value.detail


def test_a_quote_of_another_key_is_refused() -> None:
    with pytest.raises(TrustError, match="not signed by the attestation key"):
        verify(quote(), key=ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(TrustError, match="not signed by the attestation key"):
        verify_quote(quote(), b"?" * 256, key=RSA_KEY.public_key(), pcrs=PCRS, nonce=NONCE)


def test_a_policy_says_what_each_bundle_demands() -> None:
    assert named_keys(POLICY.encode()) == ("ak.pem",)
    policy = parse_evidence_policy(POLICY.encode(), {"ak.pem": pem(EC_KEY)})
    assert [demand.name for demand in policy.made_by("sepsis-full")] == ["ward-server", "gpu"]
    (ward,) = policy.made_by("any-other")
    assert (ward.kind, ward.maximum_age_s, ward.pcrs) == (EvidenceKind.TPM_QUOTE, 60, {7: b"\x77" * 32})
    assert policy.demands["gpu"].maximum_age_s == 300
    assert parse_evidence_policy(POLICY.encode(), {"ak.pem": pem(RSA_KEY)}).demands["ward-server"].attestation_key


def test_a_bundle_that_no_rule_names_demands_nothing() -> None:
    text = POLICY.rpartition("[[bundle]]")[0].encode()
    assert parse_evidence_policy(text, {"ak.pem": pem(EC_KEY)}).made_by("any-other") == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("policy/v1", "policy/v2", "schema"),
        ('kind = "tpm-quote"', 'kind = "trust-me"', "kind"),
        ("maximum_age_s = 60", "maximum_age_s = 0", "maximum_age_s"),
        ("7 = ", "77 = ", "pcrs"),
        ('7 = "77', '7 = "XX', "pcrs"),
        ('name = "gpu"', 'name = "ward-server"', "same name"),
        ('"ward-server", "gpu"]', '"ward-server", "moon"]', "'moon'"),
        ('names = ["sepsis-full"]', 'names = ["Sepsis Full"]', "no bundle's name"),
        ('names = ["sepsis-full"]', 'names = ["*"]', "another [[bundle]]"),
        ('kind = "nvidia-gpu"', 'kind = "nvidia-gpu"\nodd = 1', "odd"),
    ],
)
def test_every_problem_of_a_policy_is_named(old: str, new: str, says: str) -> None:
    assert old in POLICY
    with pytest.raises(TrustError, match="POLICY_INVALID: evidence policy: ") as refusal:
        parse_evidence_policy(POLICY.replace(old, new, 1).encode(), {"ak.pem": pem(EC_KEY)})
    assert says in refusal.value.detail


@pytest.mark.parametrize("key", [b"", pem(WEAK_KEY), pem(P384_KEY)], ids=["absent", "weak", "curve"])
def test_a_key_that_no_quote_is_verified_with_is_refused(key: bytes) -> None:
    with pytest.raises(TrustError, match=r"attestation_key 'ak\.pem' must hold"):
        parse_evidence_policy(POLICY.encode(), {"ak.pem": key})


def test_a_policy_without_a_rule_is_no_policy_and_names_no_key() -> None:
    text = b'schema = "stepdown/evidence-policy/v1"\nevidence = 3'
    assert named_keys(text) == ()
    with pytest.raises(TrustError, match="bundle must be given at least once"):
        parse_evidence_policy(text, {})
