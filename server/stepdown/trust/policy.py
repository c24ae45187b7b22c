"""The trust policy: who may sign which bundle, how many of them it takes, and what is denied whoever signed it.

    schema = "stepdown/trust-policy/v1"
    edition = 7                         # optional: count up with every change; a lower one is then refused

    [[signer]]                          # known by a key: EC P-256, P-384 or P-521
    name = "model-trainer"
    key = "keys/model-trainer.pub.pem"
    key_id = "5f0c..."                  # optional: the key in that file must be this one
    roles = ["trainer"]                 # optional
    person = "j.doe"                    # optional: signers of one person count as one

    [[signer]]                          # known by a certificate's subject alternative name, under these roots
    name = "clinical-safety-officer"
    roots = ["keys/hospital-root.pem"]
    identities = ["email:safety@hospital.example", "uri:spiffe://hospital.example/safety"]
    roles = ["clinical-safety-officer"]

    [[bundle]]
    names = ["sepsis-full"]             # or ["*"]: every bundle that no other rule names
    signers = ["model-trainer", "clinical-safety-officer"]
    minimum_signers = 2                 # distinct people; 1 when left out
    roles = ["trainer", "clinical-safety-officer"]  # optional: each held by a person of its own
    minimum_version = "1.0.0"           # optional: nothing older is accepted
    maximum_age_days = 400              # optional: since it was built, by its provenance
    builders = ["urn:stepdown:builder:make-models"]     # optional: by which its provenance says it was built
    provenance = ["finished_on", "source_commit", "data_digests", "parameters", "hardware"]  # optional: must be said

    [denylist]                          # optional; hexadecimal
    key_ids = []                        # sha256 of SubjectPublicKeyInfo
    bundle_digests = []
    certificate_serials = []            # of whatever issuer

    [[denylist.certificates]]           # by issuer (RFC 4514) and serial
    issuer = "CN=hospital-code-signing,O=Hospital"
    serial = "1f"

Files are named relative to the policy's own folder; the caller reads them. Refuses defaults that trust: a bundle that
no rule names is not in the policy, and a rule that names no signer is an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from stepdown.domain.errors import TrustError
from stepdown.trust.bundle_rules import ANY_BUNDLE, BundleRule, read_bundle_rules
from stepdown.trust.denylist import Denylist, read_denylist
from stepdown.trust.documents import parse_toml
from stepdown.trust.fields import Fields
from stepdown.trust.policy_signers import CertificateSigner, KeySigner, Signer, read_signers
from stepdown.trust.public_keys import key_id
from stepdown.trust.refusal import TrustRule

SCHEMA = "stepdown/trust-policy/v1"
MAXIMUM_BYTES = 1024 * 1024
MAXIMUM_EDITION = 1 << 53


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Everything a verification may rely on. No two signers share a name, a key or an identity.

    `edition` counts up, so that an older policy is known for one. `floors` (bundle -> version) is not written in a
    policy: it is what has served already, below which nothing may come back by itself.
    """

    signers: tuple[Signer, ...]
    bundles: Mapping[str, BundleRule]
    denylist: Denylist
    edition: int = 0
    floors: Mapping[str, str] = field(default_factory=dict)

    @property
    def key_signers(self) -> tuple[KeySigner, ...]:
        """The signers known by a key."""
        return tuple(signer for signer in self.signers if isinstance(signer, KeySigner))

    @property
    def certificate_signers(self) -> tuple[CertificateSigner, ...]:
        """The signers known by a certificate."""
        return tuple(signer for signer in self.signers if isinstance(signer, CertificateSigner))

    def signer(self, name: str) -> Signer:
        """The signer called `name`. Raises: KeyError."""
        return {signer.name: signer for signer in self.signers}[name]

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
    bundles = read_bundle_rules(fields, signers)
    denylist = read_denylist(fields.table("denylist")) if fields.holds("denylist") else Denylist()
    edition = fields.integer("edition", minimum=0, maximum=MAXIMUM_EDITION, default=0)
    fields.finish()
    if problems:
        raise TrustError(rule=TrustRule.POLICY_INVALID, detail="trust policy: " + "; ".join(problems))
    return TrustPolicy(signers=signers, bundles=bundles, denylist=denylist, edition=edition)


def policy_of_one_key(name: str, public_key: EllipticCurvePublicKey) -> TrustPolicy:
    """A policy for a check by hand: any bundle, signed with this one key."""
    signer = KeySigner(name=name, key_id=key_id(public_key), public_key=public_key, person=name)
    rule = BundleRule(signers=frozenset((name,)))
    return TrustPolicy(signers=(signer,), bundles={ANY_BUNDLE: rule}, denylist=Denylist())


def _table(text: bytes) -> dict[str, object]:
    return parse_toml(text, rule=TrustRule.POLICY_INVALID, what="trust policy", maximum_bytes=MAXIMUM_BYTES)
