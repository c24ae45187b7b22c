"""The evidence policy: what a machine must prove before a bundle's tier may serve or its data key is released.

    schema = "stepdown/evidence-policy/v1"

    [[evidence]]
    name = "ward-server"
    kind = "tpm-quote"
    attestation_key = "keys/ward-server.ak.pem"   # RSA (2048 bits or more) or EC P-256, as its TPM made it
    maximum_age_s = 300
    [evidence.pcrs]                               # the SHA-256 bank, lower-case hexadecimal
    0 = "3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969"
    7 = "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e234eb3068"

    [[evidence]]
    name = "confidential-gpu"
    kind = "nvidia-gpu"

    [[bundle]]
    names = ["sepsis-full"]                       # or ["*"]: every bundle that no other rule names
    evidence = ["ward-server"]

Rules run in the server itself and hold nothing secret: no evidence is asked for them, and so a chain
always has an end. Refuses defaults that trust: an unknown kind is an error, and so is evidence that nobody describes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import parse_toml
from stepdown.trust.fields import Fields
from stepdown.trust.names import is_bundle_name
from stepdown.trust.refusal import TrustRule

SCHEMA = "stepdown/evidence-policy/v1"
MAXIMUM_BYTES = 1 << 20
ANY_BUNDLE = "*"
_PCRS = 24
_LEAST_RSA_BITS = 2048
_LEAST_AGE_S, _GREATEST_AGE_S, _DEFAULT_AGE_S = 5, 86_400, 300
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")

AttestationKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey


class EvidenceKind(StrEnum):
    """What can be asked for."""

    TPM_QUOTE = "tpm-quote"
    NVIDIA_GPU = "nvidia-gpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One thing the machine must prove, again before `maximum_age_s` is over. A TPM's key and PCRs are pinned."""

    name: str
    kind: EvidenceKind
    maximum_age_s: int
    attestation_key: AttestationKey | None = field(default=None, repr=False)
    pcrs: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePolicy:
    """Demands by name, and which of them each bundle makes."""

    demands: Mapping[str, Demand]
    bundles: Mapping[str, tuple[str, ...]]

    def made_by(self, bundle: str) -> tuple[Demand, ...]:
        """What the bundle called `bundle` demands; nothing when no rule names it."""
        names = self.bundles.get(bundle, self.bundles.get(ANY_BUNDLE, ()))
        return tuple(self.demands[name] for name in names)


def named_keys(text: bytes) -> tuple[str, ...]:
    """The key files that a policy names, relative to its own folder. Raises: TrustError POLICY_INVALID for no TOML."""
    tables = _table(text).get("evidence")
    names = (
        (table.get("attestation_key") for table in tables if isinstance(table, dict))
        if isinstance(tables, list)
        else ()
    )
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def parse_evidence_policy(text: bytes, keys: Mapping[str, bytes]) -> EvidencePolicy:
    """The policy in `text`, with the bytes of the files it names.

    Raises: TrustError POLICY_INVALID whose detail lists every problem found.
    """
    problems: list[str] = []
    fields = Fields(_table(text), where="", problems=problems)
    fields.text("schema", accepts=lambda schema: schema == SCHEMA, wanted=f'"{SCHEMA}"')
    read = tuple(_demand(table, keys) for table in fields.tables("evidence"))
    demands = {demand.name: demand for demand in read}
    if len(demands) != len(read):
        fields.problem("evidence", "lists two with the same name")
    bundles = _bundles(fields, frozenset(demands))
    fields.finish()
    if problems:
        raise TrustError(rule=TrustRule.POLICY_INVALID, detail="evidence policy: " + "; ".join(problems))
    return EvidencePolicy(demands=demands, bundles=bundles)


def _demand(fields: Fields, keys: Mapping[str, bytes]) -> Demand:
    name = fields.text("name", accepts=is_bundle_name, wanted="up to 64 of a-z, 0-9, '.', '_' and '-'")
    age_s = fields.integer("maximum_age_s", minimum=_LEAST_AGE_S, maximum=_GREATEST_AGE_S, default=_DEFAULT_AGE_S)
    kinds = frozenset(EvidenceKind)
    kind = fields.text("kind", accepts=lambda text: text in kinds, wanted="one of " + ", ".join(EvidenceKind))
    if kind != EvidenceKind.TPM_QUOTE:
        return Demand(name=name, kind=EvidenceKind.NVIDIA_GPU, maximum_age_s=age_s)
    return Demand(
        name=name,
        kind=EvidenceKind.TPM_QUOTE,
        maximum_age_s=age_s,
        attestation_key=_attestation_key(fields, keys),
        pcrs=_pcrs(fields.table("pcrs")),
    )


def _attestation_key(fields: Fields, keys: Mapping[str, bytes]) -> AttestationKey | None:
    file = fields.text("attestation_key")
    try:
        key = load_pem_public_key(keys.get(file, b""))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    fields.problem(
        "attestation_key", f"{file!a} must hold a public key in PEM: RSA of {_LEAST_RSA_BITS} bits or EC P-256"
    )
    return None


def _pcrs(fields: Fields) -> dict[int, bytes]:
    found = {number: fields.text(str(number), default="") for number in range(_PCRS)}
    named = {number: digest for number, digest in found.items() if digest}
    if not named or not all(_SHA256_HEX.fullmatch(digest) for digest in named.values()):
        fields.problem("pcrs", f"must name PCRs from 0 to {_PCRS - 1}, each with 64 lower-case hexadecimal digits")
        return {}
    return {number: bytes.fromhex(digest) for number, digest in named.items()}


def _bundles(fields: Fields, known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    bundles: dict[str, tuple[str, ...]] = {}
    for table in fields.tables("bundle"):
        wanted = table.texts("evidence", required=True)
        unknown = sorted(set(wanted) - known)
        if unknown:
            table.problem("evidence", f"names {', '.join(map(ascii, unknown))}: no usable [[evidence]] is called that")
        for name in table.texts("names", required=True):
            if name != ANY_BUNDLE and not is_bundle_name(name):
                table.problem("names", f"holds {name!a}, which is no bundle's name")
            if name in bundles:
                table.problem("names", f"holds {name!a}, which another [[bundle]] has already")
            bundles[name] = wanted
    if not bundles:
        fields.problem("bundle", "must be given at least once")
    return bundles


def _table(text: bytes) -> dict[str, object]:
    return parse_toml(text, rule=TrustRule.POLICY_INVALID, what="evidence policy", maximum_bytes=MAXIMUM_BYTES)
