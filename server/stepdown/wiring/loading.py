"""Bundles found, verified and turned into the roster and the clinical pathways, once, before anything runs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType

from stepdown.adapters.keys import read_trust_policy
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.bundles import BundleIdentity, VerifiedBundle
from stepdown.domain.errors import ConfigurationError, RuleSetError, TrustError
from stepdown.domain.reasons import Reason
from stepdown.ports import BundleSource
from stepdown.rules.composite import Composite
from stepdown.serving.activation import Activation, composite_of, rule_set_of
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.settings import PathwaySettings, Settings
from stepdown.wiring.translation import tier_order


class Loading:
    """What the configuration names, as far as it can be trusted."""

    def __init__(self, configuration: Settings, *, source: BundleSource, wall_s: float) -> None:
        """Find and verify everything. `wall_s`: Unix time, for certificates. Raises: ConfigurationError."""
        try:
            policy = read_trust_policy(configuration.trust.policy)
        except (TrustError, OSError) as error:
            raise ConfigurationError((f"trust.policy: {error}",)) from error
        self._activation = Activation(source=source, policy=policy, now_s=wall_s)
        self.refusals: list[str] = []
        self.clinical: dict[str, ClinicalPathway] = {}
        self._intake = configuration.intake.policy()
        pathways = {wanted.name: self._pathway(wanted) for wanted in configuration.pathway}
        self.roster = Roster(pathways=MappingProxyType(pathways))

    def damaged(self, serving: Iterable[BundleIdentity]) -> Iterator[Alarm]:
        """An alarm for each bundle in service that would not be verified again as it lies there now."""
        for bundle in sorted(set(serving), key=lambda each: (each.name, each.version)):
            subject = f"{bundle.name}@{bundle.version}"
            try:
                stored = self._activation.verified(bundle.name, bundle.version).identity
            except TrustError as refusal:
                yield Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject=subject, detail=str(refusal))
            else:
                if stored.sha256 != bundle.sha256:
                    detail = "another bundle is stored under this name and version than the one in service"
                    yield Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject=subject, detail=detail)

    def _pathway(self, wanted: PathwaySettings) -> Pathway:
        tiers = tuple(self._activation.tier(tier_order(tier)) for tier in wanted.tier)
        rules = next((tier for tier in tiers if tier.is_rules), None)
        if rules is None:
            return Pathway(name=wanted.name, budget_ms=wanted.budget_ms, tiers=tiers, clinical=False)
        supporting = tuple(self._supporting(wanted))
        rules, composite = self._composite(rules, wanted, supporting)
        pathway = Pathway(
            name=wanted.name,
            budget_ms=wanted.budget_ms,
            tiers=tuple(rules if tier.is_rules else tier for tier in tiers),
            clinical=True,
            supporting=supporting,
        )
        self.clinical[wanted.name] = ClinicalPathway(
            pathway=pathway, composite=composite, policy=self._intake, valid_for_s=wanted.valid_for_s
        )
        return pathway

    def _supporting(self, wanted: PathwaySettings) -> Iterator[VerifiedBundle]:
        for name in wanted.supporting_rules:
            try:
                bundle = self._activation.verified(name)
                rule_set_of(bundle)
            except (TrustError, RuleSetError) as refusal:
                self.refusals.append(f"{name}: {refusal}")
            else:
                yield bundle

    def _composite(
        self, rules: TierDescription, wanted: PathwaySettings, supporting: tuple[VerifiedBundle, ...]
    ) -> tuple[TierDescription, Composite | None]:
        """The rules in working order, or the tier refused: answering rules without their overlay would mislead."""
        if rules.bundle is None:
            return rules, None
        try:
            lactate = self._activation.verified(wanted.lactate_rules)
            return rules, composite_of(rules.bundle, lactate, supporting)
        except (TrustError, RuleSetError) as refusal:
            detail = f"{wanted.lactate_rules}: {refusal}"
            return replace(rules, bundle=None, refusal=Reason.SIGNATURE_INVALID, refusal_detail=detail), None
