"""From configured bundle names to verified bundles. A refusal costs the tier, never the chain, and keeps its reason.

Source to bytes, bytes to `VerifiedBundle`, nothing else: what was checked is what will be loaded.
"""

from dataclasses import dataclass

from stepdown.domain.bundles import BundleKind, VerifiedBundle
from stepdown.domain.errors import ConfigurationError, RuleSetError, TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.ports import BundleSource
from stepdown.rules.composite import Composite
from stepdown.rules.golden import ProvenRules, proven
from stepdown.rules.known_answers import KnownAnswer, parse_known_answers, require_known_answers
from stepdown.rules.rule_set import RuleSet, parse_rule_set
from stepdown.serving.roster import TierDescription
from stepdown.trust.contents import KNOWN_ANSWERS_FILES
from stepdown.trust.denylist import DENIALS, denial_of
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import is_version, precedence
from stepdown.trust.verification import verify_bundle


@dataclass(frozen=True, slots=True, kw_only=True)
class TierOrder:
    """A tier as configured: which bundle, which version ("" = the newest present), and where it may run."""

    name: str
    bundle: str
    version: str
    execution_providers: tuple[ExecutionProvider, ...]


class Activation:
    """Finds, verifies and describes bundles under one trust policy."""

    def __init__(self, *, source: BundleSource, policy: TrustPolicy, now_s: float) -> None:
        """`now_s` is wall-clock time, for the validity of certificates."""
        self._source = source
        self._policy = policy
        self._now_s = now_s

    def verified(self, name: str, version: str = "") -> VerifiedBundle:
        """The verified bundle. Raises: TrustError naming the rule that refused it."""
        versions = [present for present in self._source.versions(name) if is_version(present)]
        if not versions:
            raise TrustError(rule=TrustRule.BUNDLE_NOT_FOUND, detail=f"no {name} in the bundle directories")
        chosen = version or max(versions, key=precedence)
        return verify_bundle(name, chosen, self._source.read(name, chosen), self._policy, self._now_s)

    def denial(self, bundle: VerifiedBundle) -> TrustError | None:
        """Why a bundle that was accepted once is denied now, or None."""
        return denial_of(bundle, self._policy.denylist)

    def bound(self, name: str, version: str, sha256: str) -> VerifiedBundle:
        """The verified bundle, which must have this digest. Raises: TrustError."""
        bundle = self.verified(name, version)
        if bundle.sha256 != sha256:
            detail = f"{name} {version} is not the bundle that was active: its digest is {bundle.sha256}"
            raise TrustError(rule=TrustRule.DIGEST_MISMATCH, detail=detail)
        return bundle

    def tier(self, order: TierOrder) -> TierDescription:
        """The tier with its verified bundle, or with the reason it is refused."""
        try:
            bundle = self.verified(order.bundle, order.version)
        except TrustError as refusal:
            return TierDescription(
                name=order.name,
                bundle=None,
                execution_providers=order.execution_providers,
                is_rules=not order.execution_providers,
                refusal=refusal_reason(refusal),
                refusal_detail=f"{order.bundle}: {refusal}",
            )
        is_rules = bundle.manifest.kind is BundleKind.RULES
        if is_rules == bool(order.execution_providers):
            need = "takes no execution_providers" if is_rules else "needs execution_providers"
            raise ConfigurationError(
                (f"tier {order.name}: the bundle {order.bundle} is of kind {bundle.manifest.kind} and {need}",)
            )
        return TierDescription(
            name=order.name, bundle=bundle, execution_providers=order.execution_providers, is_rules=is_rules
        )


def refusal_reason(refusal: TrustError | RuleSetError) -> Reason:
    """How a bundle that was refused is shown: absent, denied, not to be trusted, or not giving its known answers."""
    if isinstance(refusal, RuleSetError):
        return Reason.KNOWN_ANSWER_MISMATCH
    if refusal.rule in DENIALS:
        return Reason.BUNDLE_DENIED
    absent = refusal.rule == TrustRule.BUNDLE_NOT_FOUND
    return Reason.NOT_CONFIGURED if absent else Reason.SIGNATURE_INVALID


def rule_set_of(bundle: VerifiedBundle) -> RuleSet:
    """The rules of a verified rule bundle, which give their known answers. Raises RuleSetError."""
    if bundle.manifest.rules_file is None:
        raise RuleSetError(f"{bundle.manifest.name} is not a rule bundle")
    identity = f"{bundle.manifest.name}@{bundle.manifest.version}"
    rule_set = parse_rule_set(bundle.files[bundle.manifest.rules_file], rule_set_id=identity)
    require_known_answers(rule_set, _known_answers_file(bundle))
    return rule_set


def proven_rules(
    answering: VerifiedBundle, lactate: VerifiedBundle | None, supporting: tuple[VerifiedBundle, ...]
) -> ProvenRules:
    """The answering rules with their overlay, if that could be loaded, and evidence. Raises RuleSetError."""
    composite = Composite(
        answering=rule_set_of(answering),
        lactate=rule_set_of(lactate) if lactate is not None else None,
        supporting=tuple(rule_set_of(bundle) for bundle in supporting),
    )
    bundles = (answering, *supporting, *(() if lactate is None else (lactate,)))
    known = {f"{each.manifest.name}@{each.manifest.version}": _known_answers(each) for each in bundles}
    return proven(composite, known)


def _known_answers(bundle: VerifiedBundle) -> tuple[KnownAnswer, ...]:
    return parse_known_answers(_known_answers_file(bundle))


def _known_answers_file(bundle: VerifiedBundle) -> bytes:
    return bundle.files.get(KNOWN_ANSWERS_FILES[BundleKind.RULES], b"")
