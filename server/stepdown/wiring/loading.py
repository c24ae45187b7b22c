"""Bundles found, verified and turned into the roster and the clinical pathways, once, before anything runs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from stepdown.adapters.activation_desk import DeskSources
from stepdown.adapters.active_bundles import ActiveBundles, KeptTier
from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.adapters.timely_bundles import TimelyBundles
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.bundles import BundleIdentity, VerifiedBundle
from stepdown.domain.errors import RuleSetError, TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import SupportingStatus
from stepdown.domain.tiers import TierState
from stepdown.ports import BundleSource, Clock
from stepdown.rules.golden import ProvenRules
from stepdown.serving.activation import Activation, TierOrder, proven_rules, refusal_reason, rule_set_of
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.settings import PathwaySettings, Settings
from stepdown.trust.policy import TrustPolicy
from stepdown.wiring.translation import tier_order
from stepdown.wiring.trust import Trust

Trouble = Callable[..., None]
Place = tuple[str, str]


def kept_bundles(directory: Path | None, *, trouble: Trouble) -> ActiveBundles | None:
    """What was activated before, where there is a folder for state."""
    if directory is None:
        return None
    kept = ActiveBundles(directory)
    if kept.unreadable:
        trouble("active_bundles_unreadable", detail=kept.unreadable)
    return kept


@dataclass(slots=True, kw_only=True)
class _Beside:
    """The rules beside the answering ones of a pathway, as far as they could be loaded."""

    lactate: VerifiedBundle | None = None
    supporting: tuple[VerifiedBundle, ...] = ()
    status: list[SupportingStatus] = field(default_factory=list)


def bundle_source(configuration: Settings) -> BundleSource:
    """Where bundles lie: each read is over within a bounded time, whatever the disk does."""
    return TimelyBundles(BundleDirectory(roots=configuration.trust.bundle_directories))


class Loading:
    """What the configuration names, as far as it can be trusted. Whatever cannot is told as trouble."""

    def __init__(
        self,
        configuration: Settings,
        source: BundleSource,
        *,
        trust: Trust,
        kept: ActiveBundles | None,
        clock: Clock,
        trouble: Trouble,
    ) -> None:
        """Find and verify everything. `clock` is for certificates. Raises: ConfigurationError."""
        self._configuration = configuration
        self._source = source
        self._trust = trust
        self._kept = kept
        self._clock = clock
        self._trouble = trouble
        self._beside: dict[str, _Beside] = {}
        self._intake = configuration.intake.policy()
        self._activation = self._activation_under(trust.in_force.policy)
        self._without_floors = Activation(source=source, policy=trust.in_force.policy, now_s=clock.wall_s())
        self.clinical: dict[str, ClinicalPathway] = {}
        self.orders: dict[Place, TierOrder] = {
            (pathway.name, tier.name): tier_order(tier) for pathway in configuration.pathway for tier in pathway.tier
        }
        self.pathways = {wanted.name: self._pathway(wanted) for wanted in configuration.pathway}
        self.roster = Roster(pathways=self.pathways)

    def activation(self) -> Activation:
        """Verification under the trust policy as it stands now. Raises: TrustError, OSError."""
        return self._activation_under(self._trust.policy().policy)

    def desk_sources(self) -> DeskSources:
        """What the activation desk works with."""
        return DeskSources(
            activation=self.activation,
            orders=self.orders,
            compose=self.compose,
            withdraw_beside=self.withdraw_beside,
            supporting=self.supporting,
            kept=self._kept,
            trouble=self._trouble,
        )

    def compose(self, pathway: str, answering: VerifiedBundle) -> ProvenRules:
        """Answering rules with what stands beside them. Raises: RuleSetError."""
        beside = self._beside[pathway]
        return proven_rules(answering, beside.lactate, beside.supporting)

    def _activation_under(self, policy: TrustPolicy) -> Activation:
        """Nothing below what has served here is verified."""
        floored = replace(policy, floors=self._trust.state.floors())
        return Activation(source=self._source, policy=floored, now_s=self._clock.wall_s())

    def supporting(self, pathway: str) -> tuple[VerifiedBundle, ...]:
        """The rules that are evidence beside the answering ones, as far as they are trusted."""
        return self._beside[pathway].supporting

    def withdraw_beside(
        self, denial: Callable[[VerifiedBundle], TrustError | None]
    ) -> tuple[tuple[str, VerifiedBundle, TrustError], ...]:
        """Leave out every overlay and evidence for which there is a denial; says of which pathways."""
        gone: list[tuple[str, VerifiedBundle, TrustError]] = []
        for pathway, beside in self._beside.items():
            held = (beside.lactate, *beside.supporting)
            denied = [(each, why) for each in held if each is not None and (why := denial(each)) is not None]
            without = {each.sha256 for each, _ in denied}
            beside.supporting = tuple(each for each in beside.supporting if each.sha256 not in without)
            if beside.lactate is not None and beside.lactate.sha256 in without:
                beside.lactate = None
            gone += [(pathway, each, why) for each, why in denied]
        return tuple(gone)

    def damaged(self, serving: Iterable[BundleIdentity]) -> Iterator[Alarm]:
        """An alarm for each bundle in service that would not be verified now, as it lies there and under the policy."""
        try:
            activation = self.activation()
        except (TrustError, OSError):
            return  # an alarm of its own
        for bundle in sorted(set(serving), key=lambda each: (each.name, each.version)):
            subject = f"{bundle.name}@{bundle.version}"
            try:
                stored = activation.verified(bundle.name, bundle.version).identity
            except TrustError as refusal:
                yield Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject=subject, detail=str(refusal))
            else:
                if stored.sha256 != bundle.sha256:
                    detail = "another bundle is stored under this name and version than the one in service"
                    yield Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject=subject, detail=detail)

    def _pathway(self, wanted: PathwaySettings) -> Pathway:
        tiers = tuple(self._tier((wanted.name, tier.name)) for tier in wanted.tier)
        rules = next((tier for tier in tiers if tier.is_rules), None)
        if rules is None:
            return Pathway(name=wanted.name, budget_ms=wanted.budget_ms, tiers=tiers, clinical=False)
        beside = self._beside[wanted.name] = _Beside()
        beside.supporting = tuple(self._supporting(wanted, beside))
        rules, proven = self._proven(rules, wanted, beside)
        pathway = Pathway(
            name=wanted.name,
            budget_ms=wanted.budget_ms,
            tiers=tuple(rules if tier.is_rules else tier for tier in tiers),
            clinical=True,
            supporting=beside.supporting,
            supporting_status=tuple(beside.status),
        )
        self.clinical[wanted.name] = ClinicalPathway(
            pathway=pathway, rules=proven, policy=self._intake, valid_for_s=wanted.valid_for_s
        )
        return pathway

    # --- what an operator activated before ---------------------------------------------------------------------------

    def _tier(self, place: Place) -> TierDescription:
        """The tier with what was active in it when the server stopped, else as configured."""
        order = self.orders[place]
        kept = self._kept.of(*place) if self._kept is not None else None
        if kept is None:
            return self._configured(order)
        if (kept.bundle, kept.configured) != (order.bundle, order.version):
            self._trouble(
                "active_bundle_overruled", pathway=place[0], tier=place[1], detail="the configuration changed"
            )
            return self._configured(order)
        for version in filter(None, (kept.active, kept.previous)):
            try:
                self._activation.bound(kept.bundle, version.version, version.sha256)
            except TrustError as refusal:
                self._trouble("active_bundle_refused", pathway=place[0], tier=place[1], detail=str(refusal))
            else:
                described = self._activation.tier(replace(order, version=version.version))
                return described if version is not kept.active else self._with_previous(described, kept)
        return self._configured(order)

    def _configured(self, order: TierOrder) -> TierDescription:
        """What the configuration names; where that is older than what has served, the version that has."""
        described = self._activation.tier(order)
        floor = self._trust.state.floors().get(order.bundle, "")
        if described.bundle is not None or not order.version or not floor:
            return described
        held = self._activation.tier(replace(order, version=floor))
        if held.bundle is None or held.bundle.manifest.version == order.version:
            return described
        self._trouble("version_floor_holds", tier=order.name, detail=described.refusal_detail)
        return held

    def _with_previous(self, tier: TierDescription, kept: KeptTier) -> TierDescription:
        if kept.previous is None:
            return tier
        try:
            previous = self._without_floors.bound(kept.bundle, kept.previous.version, kept.previous.sha256)
        except TrustError as refusal:
            self._trouble("previous_bundle_refused", pathway=kept.pathway, tier=kept.tier, detail=str(refusal))
            return tier
        return replace(tier, previous=previous)

    # --- rules -----------------------------------------------------------------------------------------------------

    def _supporting(self, wanted: PathwaySettings, beside: _Beside) -> Iterator[VerifiedBundle]:
        for name in wanted.supporting_rules:
            try:
                bundle = self._activation.verified(name)
                rule_set_of(bundle)
            except (TrustError, RuleSetError) as refusal:
                self._refuse(wanted, name, refusal, beside)
            else:
                beside.status.append(_serving(bundle))
                yield bundle

    def _proven(
        self, rules: TierDescription, wanted: PathwaySettings, beside: _Beside
    ) -> tuple[TierDescription, ProvenRules | None]:
        """The rules in working order, or the tier refused. Without the lactate overlay they serve, and say so."""
        if rules.bundle is None:
            return rules, None
        try:
            alone = proven_rules(rules.bundle, None, beside.supporting)
        except RuleSetError as refusal:
            detail = f"{rules.bundle.manifest.name}: {refusal}"
            refused = replace(rules, bundle=None, refusal=Reason.KNOWN_ANSWER_MISMATCH, refusal_detail=detail)
            return refused, None
        try:
            lactate = self._activation.verified(wanted.lactate_rules)
            whole = proven_rules(rules.bundle, lactate, beside.supporting)
        except (TrustError, RuleSetError) as refusal:
            self._refuse(wanted, wanted.lactate_rules, refusal, beside)
            return rules, alone
        beside.lactate = lactate
        beside.status.append(_serving(lactate))
        return rules, whole

    def _refuse(self, wanted: PathwaySettings, name: str, refusal: TrustError | RuleSetError, beside: _Beside) -> None:
        reason, detail = refusal_reason(refusal), str(refusal)
        self._trouble("supporting_rules_refused", pathway=wanted.name, bundle=name, reason=reason, detail=detail)
        beside.status.append(SupportingStatus(name=name, state=TierState.REFUSED, reason=reason, detail=detail))


def _serving(bundle: VerifiedBundle) -> SupportingStatus:
    return SupportingStatus(name=bundle.manifest.name, state=TierState.SERVING, bundle=bundle.identity)
