"""The trust policy: who may sign which bundle, how many of them it takes, and what is denied whoever signed it.

    schema = "stepdown/trust-policy/v1"

    [[signer]]                          # known by a key: EC P-256, P-384 or P-521
    name = "model-trainer"
    key = "keys/model-trainer.pub.pem"

    [[signer]]                          # known by a certificate's subject alternative name, under these roots
    name = "clinical-safety-officer"
    roots = ["keys/hospital-root.pem"]
    identities = ["email:safety@hospital.example", "uri:spiffe://hospital.example/safety"]

    [[bundle]]
    names = ["sepsis-full"]             # or ["*"]: every bundle that no other rule names
    signers = ["model-trainer", "clinical-safety-officer"]
    minimum_signers = 2                 # distinct people; 1 when left out
    minimum_version = "1.0.0"           # optional: nothing older is accepted

    [denylist]                          # optional, hexadecimal
    key_ids = []                        # sha256 of SubjectPublicKeyInfo
    bundle_digests = []
    certificate_serials = []

Files are named relative to the policy's own folder; the caller reads them. Refuses defaults that trust: a bundle that
no rule names is not in the policy, and a rule that names no signer is an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import parse_toml
from stepdown.trust.fields import Fields
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy_signers import CertificateSigner, KeySigner, Signer, read_signers
from stepdown.trust.public_keys import key_id
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import is_version

SCHEMA = "stepdown/trust-policy/v1"
MAXIMUM_BYTES = 1024 * 1024
ANY_BUNDLE = "*"
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_SERIAL_HEX = re.compile(r"[0-9a-f]{1,40}")  # RFC 5280 §4.1.2.2: at most 20 octets


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRule:
    """What it takes for one bundle: distinct signers out of `signers`, and no version below `minimum_version`."""

    signers: frozenset[str]
    minimum_signers: int = 1
    minimum_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denylist:
    """What is refused whoever vouches for it: key ids, bundle digests and certificate serials, all lower-case hex."""

    key_ids: frozenset[str] = frozenset()
    bundle_digests: frozenset[str] = frozenset()
    certificate_serials: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Everything a verification may rely on. No two signers share a name, a key or an identity."""

    signers: tuple[Signer, ...]
    bundles: Mapping[str, BundleRule]
    denylist: Denylist

    @property
    def key_signers(self) -> tuple[KeySigner, ...]:
        """The signers known by a key."""
        return tuple(signer for signer in self.signers if isinstance(signer, KeySigner))

    @property
    def certificate_signers(self) -> tuple[CertificateSigner, ...]:
        """The signers known by a certificate."""
        return tuple(signer for signer in self.signers if isinstance(signer, CertificateSigner))

    def rule_for(self, bundle: str) -> BundleRule:
        """The rule of the bundle called `bundle`, else that of `*`. Raises: TrustError BUNDLE_NOT_IN_POLICY."""
        rule = self.bundles.get(bundle) or self.bundles.get(ANY_BUNDLE)
        if rule is None:
            raise TrustError(
                rule=TrustRule.BUNDLE_NOT_IN_POLICY, detail=f"the trust policy has no [[bundle]] that names {bundle!a}"
            )
        return rule


def named_files(text: bytes) -> tuple[str, ...]:
    """The key and root files that a policy names, to be read and handed to `parse_trust_policy`.

    Raises: TrustError POLICY_INVALID when the text is not TOML; other problems are left to `parse_trust_policy`.
    """
    signers = _table(text).get("signer")
    names: list[object] = []
    for signer in signers if isinstance(signers, list) else ():
        if isinstance(signer, dict):
            roots = signer.get("roots")
            names += [signer.get("key"), *(roots if isinstance(roots, list) else ())]
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def parse_trust_policy(text: bytes, keys: Mapping[str, bytes]) -> TrustPolicy:
    """The policy in `text`, with the bytes of every file that `named_files` says it names.

    Raises: TrustError POLICY_INVALID whose detail lists every problem found.
    """
    problems: list[str] = []
    fields = Fields(_table(text), where="", problems=problems)
    fields.text("schema", accepts=lambda schema: schema == SCHEMA, wanted=f'"{SCHEMA}"')
    signers = read_signers(fields, keys)
    bundles = _read_bundles(fields, frozenset(signer.name for signer in signers))
    denylist = _read_denylist(fields.table("denylist")) if fields.holds("denylist") else Denylist()
    fields.finish()
    if problems:
        raise TrustError(rule=TrustRule.POLICY_INVALID, detail="trust policy: " + "; ".join(problems))
    return TrustPolicy(signers=signers, bundles=bundles, denylist=denylist)


def policy_of_one_key(name: str, public_key: EllipticCurvePublicKey) -> TrustPolicy:
    """A policy for a check by hand: any bundle, signed with this one key."""
    signer = KeySigner(name=name, key_id=key_id(public_key), public_key=public_key)
    rule = BundleRule(signers=frozenset((name,)))
    return TrustPolicy(signers=(signer,), bundles={ANY_BUNDLE: rule}, denylist=Denylist())


def _table(text: bytes) -> dict[str, object]:
    return parse_toml(text, rule=TrustRule.POLICY_INVALID, what="trust policy", maximum_bytes=MAXIMUM_BYTES)


def _read_bundles(fields: Fields, signers: frozenset[str]) -> dict[str, BundleRule]:
    bundles: dict[str, BundleRule] = {}
    tables = fields.tables("bundle")
    if not tables:
        fields.problem("bundle", "must be given at least once")
    for table in tables:
        rule = _read_rule(table, signers)
        for name in table.texts("names", required=True):
            if name != ANY_BUNDLE and not is_bundle_name(name):
                table.problem("names", f"holds {name!a}, which is no bundle's name")
            if name in bundles:
                table.problem("names", f"holds {name!a}, which another [[bundle]] has already")
            bundles[name] = rule
    return bundles


def _read_rule(fields: Fields, signers: frozenset[str]) -> BundleRule:
    accepted = fields.texts("signers", required=True)
    unknown = sorted(set(accepted) - signers)
    if unknown:
        fields.problem("signers", f"names {', '.join(map(ascii, unknown))}: no usable [[signer]] is called that")
    return BundleRule(
        signers=frozenset(accepted),
        minimum_signers=fields.integer("minimum_signers", minimum=1, maximum=max(1, len(accepted)), default=1),
        minimum_version=fields.text(
            "minimum_version", default="", accepts=is_version, wanted="a semantic version such as 1.0.0"
        )
        or None,
    )


def _read_denylist(fields: Fields) -> Denylist:
    return Denylist(
        key_ids=_hexadecimal(fields, "key_ids", _SHA256_HEX),
        bundle_digests=_hexadecimal(fields, "bundle_digests", _SHA256_HEX),
        certificate_serials=frozenset(
            serial.lstrip("0") or "0" for serial in _hexadecimal(fields, "certificate_serials", _SERIAL_HEX)
        ),
    )


def _hexadecimal(fields: Fields, key: str, pattern: re.Pattern[str]) -> frozenset[str]:
    """Numbers as operators paste them: `openssl x509 -serial` prints capitals, others put colons between octets."""
    values = frozenset(value.lower().replace(":", "") for value in fields.texts(key))
    if not all(pattern.fullmatch(value) for value in values):
        fields.problem(key, f"must hold hexadecimal numbers that match {pattern.pattern}")
    return values
