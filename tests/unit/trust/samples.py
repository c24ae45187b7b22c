"""Small bundles, keys, certificates and policies to hold against the trust room. Keys are fresh in every run."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stepdown.domain.card import HTI1_ATTRIBUTES
from stepdown.trust.policy import TrustPolicy, parse_trust_policy
from stepdown.trust.public_keys import public_pem, signature_algorithm
from stepdown.trust.signing import sign_files

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOW_S = NOW.timestamp()
DAY = timedelta(days=1)
SAFETY_URI = "spiffe://hospital.example/safety"

RULES_MANIFEST = """\
schema = "stepdown/bundle/v1"
name = "news2"
version = "1.2.0"
kind = "rules"
tier_role = "rules"
minimum_server_version = "0.1.0"
parent_version = "1.1.0"
description = "A published score."

[rules]
file = "rules.toml"
"""

MODEL_MANIFEST = """\
schema = "stepdown/bundle/v1"
name = "sepsis-full"
version = "1.0.0"
kind = "onnx"
tier_role = "full"
minimum_server_version = "0.1.0"
parent_version = ""
description = "A model."

[model]
file = "model.onnx"
external_data = ["weights/w.bin"]
maximum_batch = 64
minimum_placement_share = 0.9

[[input]]
name = "observations"
datatype = "FP32"
shape = [-1, 48, 40]

[[output]]
name = "probability"
datatype = "FP32"
shape = [-1, 1]
minimum = 0.0
maximum = 1.0

[[output]]
name = "checks"
datatype = "FP32"
shape = [-1, 2]
labels = ["EXTREME_VALUE", "COUPLING"]

[score]
output = "probability"
outcome = "sepsis onset"
horizon_h = 6
population = "adult ICU stays, simulated"
calibration = "Platt"

[thresholds]
low_medium = 0.02
medium = 0.05
high = 0.12

[input_checks]
output = "checks"
flag_at = 1.0
refuse_at = 3.0
"""

CARD = "[hti1]\n" + "".join(f'{attribute.key} = "not available"\n' for attribute in HTI1_ATTRIBUTES)
BUILDER = "urn:hospital.example:builder"


def provenance(contents: Mapping[str, bytes], **predicate: object) -> bytes:
    """One that is about these contents and says all that can be demanded."""
    definition = {
        "buildType": "urn:hospital.example:training",
        "externalParameters": {"epochs": 3},
        "internalParameters": {"hardware": {"cores": 2}},
        "resolvedDependencies": [
            {"name": "stays", "digest": {"sha256": "ab" * 32}},
            {"uri": "git+https://hospital.example/code", "digest": {"gitCommit": "cd" * 20}},
        ],
    }
    details = {
        "builder": {"id": BUILDER},
        "metadata": {"startedOn": (NOW - 2 * DAY).isoformat(), "finishedOn": (NOW - DAY).isoformat()},
    }
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
            for name, content in contents.items()
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": definition, "runDetails": details, **predicate},
    }
    return json.dumps(statement).encode()


def rules_contents(**changed: bytes) -> dict[str, bytes]:
    """A whole rule bundle; `manifest` and `rules` replace these files before its provenance is written."""
    contents = {
        "manifest.toml": changed.get("manifest", RULES_MANIFEST.encode()),
        "rules.toml": changed.get("rules", b"# bands\n"),
        "known_answers.json": b"[]",
        "card.toml": CARD.encode(),
    }
    return {**contents, "provenance.json": provenance(contents)}


def model_contents() -> dict[str, bytes]:
    """A whole model bundle."""
    contents = {
        "manifest.toml": MODEL_MANIFEST.encode(),
        "model.onnx": b"\x08\x08graph",
        "weights/w.bin": bytes(range(256)),
        "known_answers.npz": b"PK",
        "reference.json": b"{}",
        "card.toml": CARD.encode(),
    }
    return {**contents, "provenance.json": provenance(contents)}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SampleKey:
    """A key in memory that signs as the server's own do."""

    private_key: ec.EllipticCurvePrivateKey

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.private_key.public_key()

    @property
    def public_pem(self) -> bytes:
        return public_pem(self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self.private_key.sign(message, signature_algorithm(self.public_key))


_KEYS: dict[tuple[str, str], SampleKey] = {}


def key(owner: str = "trainer", curve: type[ec.EllipticCurve] = ec.SECP256R1) -> SampleKey:
    """The same key for the same owner and curve, throughout a test run."""
    return _KEYS.setdefault((owner, curve().name), SampleKey(private_key=ec.generate_private_key(curve())))


def signed(
    contents: Mapping[str, bytes], *, signer: str = "trainer", certificates: tuple[x509.Certificate, ...] = ()
) -> dict[str, bytes]:
    signature = sign_files(contents, key(signer), subject="sample", certificates=certificates)
    return {**contents, f"signatures/{signer}.sig": signature}


POLICY_HEAD = 'schema = "stepdown/trust-policy/v1"\n'
TRAINER = '[[signer]]\nname = "trainer"\nkey = "trainer.pub.pem"\n'
OFFICER = '[[signer]]\nname = "officer"\nkey = "officer.pub.pem"\n'
SAFETY = f'[[signer]]\nname = "safety"\nroots = ["root.pem"]\nidentities = ["uri:{SAFETY_URI}"]\n'
ANY_BY_TRAINER = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer"]\n'
ANY_BY_SAFETY = '[[bundle]]\nnames = ["*"]\nsigners = ["safety"]\n'


def policy(*parts: str, roots: Iterable[x509.Certificate] = ()) -> TrustPolicy:
    return parse_trust_policy((POLICY_HEAD + "".join(parts)).encode(), key_files(roots))


def key_files(roots: Iterable[x509.Certificate] = ()) -> dict[str, bytes]:
    return {
        "trainer.pub.pem": key("trainer").public_pem,
        "officer.pub.pem": key("officer").public_pem,
        "root.pem": b"".join(root.public_bytes(Encoding.PEM) for root in roots),
    }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: SampleKey


def authority(
    name: str = "root",
    *,
    issuer: Issued | None = None,
    start: datetime = NOW - DAY,
    end: datetime = NOW + 365 * DAY,
    with_usage: bool = True,
    purposes: tuple[x509.ObjectIdentifier, ...] = (),
) -> Issued:
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    if with_usage:
        extensions.append((_usage(signing=False, issuing=True), True))
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    return issue(name, issuer=issuer, start=start, end=end, extensions=extensions)


def leaf(  # noqa: PLR0913 - each names one thing that can be wrong with a certificate
    issuer: Issued | None,
    *,
    start: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
    owner: str = "trainer",
    curve: type[ec.EllipticCurve] = ec.SECP256R1,
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,),
    names: tuple[x509.GeneralName, ...] = (x509.UniformResourceIdentifier(SAFETY_URI),),
    signing: bool = True,
    critical_usage: bool = True,
    ca: bool = False,
    more: Iterable[tuple[x509.ExtensionType, bool]] = (),
    holder: SampleKey | None = None,
) -> Issued:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=ca, path_length=None), True),
        (_usage(signing=signing, issuing=ca), critical_usage),
        *more,
    ]
    if purposes:
        extensions.append((x509.ExtendedKeyUsage(purposes), False))
    if names:
        extensions.append((x509.SubjectAlternativeName(names), False))
    return issue("leaf", issuer=issuer, start=start, end=end, extensions=extensions, holder=holder or key(owner, curve))


def issue(
    name: str,
    *,
    issuer: Issued | None,
    start: datetime,
    end: datetime,
    extensions: Iterable[tuple[x509.ExtensionType, bool]],
    holder: SampleKey | None = None,
) -> Issued:
    holder = holder or SampleKey(private_key=ec.generate_private_key(ec.SECP256R1()))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_key = issuer.key if issuer else holder
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(holder.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(holder.public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Issued(certificate=builder.sign(issuer_key.private_key, SHA256()), key=holder)


def _usage(*, signing: bool, issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing,
        content_commitment=not (signing or issuing),  # a key usage must allow something
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issuing,
        crl_sign=issuing,
        encipher_only=False,
        decipher_only=False,
    )
