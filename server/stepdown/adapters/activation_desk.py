"""Where operators bring versions in: verified under the policy as it stands now, checked to fit, handed to the engine.

Reading and verifying happen here, on the caller's thread, so that no patient's answer waits for a disk. A thread of its
own follows what the engine made of it, and keeps the roster and the record on disk in step. Refuses versions below the
highest that ever served in the tier: going back is an act of its own, and leads only to what has served before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread

from stepdown.adapters.active_bundles import ActiveBundles, KeptTier, KeptVersion
from stepdown.adapters.engine_driver import EngineDriver
from stepdown.domain.activations import (
    DEFAULT_CANARY_SHARE,
    DEFAULT_OBSERVATION_S,
    ActivationRefusedError,
    ActivationWish,
)
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_events import BundleActivated, BundleDenied, BundleRolledBack
from stepdown.domain.errors import RuleSetError, TrustError
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.rules.golden import ProvenRules
from stepdown.serving.activation import Activation, TierOrder
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.compatibility import misfit
from stepdown.serving.roster import Pathway, TierDescription
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import precedence

Place = tuple[str, str]
Denial = Callable[[VerifiedBundle], TrustError | None]
_LOOK_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSources:
    """What the desk works with.

    `activation` makes a verifier under the policy of this moment (raises TrustError, OSError); `orders` are the tiers
    as configured; `compose` puts a pathway's rules together around new answering rules (raises RuleSetError), out of
    what `withdraw_beside` has left of those beside them, which `supporting` names by pathway. `kept`
    None: nothing outlives the server. `trouble` writes to the log.
    """

    activation: Callable[[], Activation]
    orders: Mapping[Place, TierOrder]
    compose: Callable[[str, VerifiedBundle], ProvenRules]
    withdraw_beside: Callable[[Denial], Sequence[tuple[str, VerifiedBundle, TrustError]]]
    supporting: Callable[[str], tuple[VerifiedBundle, ...]]
    kept: ActiveBundles | None
    trouble: Callable[..., None]


class ActivationDesk:
    """Meets `ports.Activations`. One act at a time."""

    def __init__(
        self,
        sources: DeskSources,
        *,
        driver: EngineDriver,
        roster: dict[str, Pathway],
        clinical: Mapping[str, ClinicalPathway],
    ) -> None:
        """`roster` is what transport reads: a pathway in it is exchanged whole when a version has taken over."""
        self._sources = sources
        self._driver = driver
        self._roster = roster
        self._clinical = clinical
        self._lock = Lock()
        self._bell = Event()
        self._closed = False
        self._stop_listening = driver.subscribe(self._bell.set)
        self._thread = Thread(target=self._follow, name="activation-desk", daemon=True)

    def start(self) -> None:
        """Begin to follow the engine."""
        self._thread.start()

    def close(self) -> None:
        """Write down where things stand, and end."""
        self._stop_listening()
        self._closed = True
        self._bell.set()
        self._thread.join(_LOOK_AGAIN_S)

    # --- Activations -----------------------------------------------------------------------------------------------

    def activate(self, wish: ActivationWish) -> None:
        """Verify the bundle and have it loaded beside the one that serves. Raises ActivationRefusedError."""
        place = (wish.pathway, wish.tier)
        with self._lock:
            tier = self._roster[wish.pathway].tier(wish.tier)
            if tier.is_rules and (wish.canary_share is not None or wish.observation_s is not None):
                raise _refused(RejectReason.ACTIVATION_MALFORMED, "rules are exchanged at once: name no share or time")
            bundle = self._verified(place, wish)
            self._require_fit(place, tier, bundle)
            share = DEFAULT_CANARY_SHARE if wish.canary_share is None else wish.canary_share
            observation_s = DEFAULT_OBSERVATION_S if wish.observation_s is None else wish.observation_s
            event = BundleActivated(
                pathway=wish.pathway,
                tier=wish.tier,
                bundle=bundle,
                canary_share=1.0 if tier.is_rules else share,
                observation_s=0.0 if tier.is_rules else observation_s,
            )
            self._bring_in(place, bundle, lambda: self._driver.activate_bundle(event))

    def roll_back(self, pathway: str, tier: str, *, detail: str) -> None:
        """Take back what is on its way, or bring the version before back. Raises ActivationRefusedError."""
        place, event = (pathway, tier), BundleRolledBack(pathway=pathway, tier=tier, detail=detail)
        with self._lock:
            _, previous, on_trial = self._driver.bundles(*place)
            if on_trial or previous is None:
                self._driver.roll_back_bundle(event)
                return
            self._require_not_denied(previous)
            self._bring_in(place, previous, lambda: self._driver.roll_back_bundle(event))

    def _bring_in(self, place: Place, bundle: VerifiedBundle, order: Callable[[], None]) -> None:
        """Make everything ready that an answer of the new version needs, then let the engine have it."""
        clinical = self._clinical.get(place[0])
        rules = bundle.manifest.model is None
        if clinical is not None:
            clinical.learn(place[1], bundle)
            if rules:
                clinical.learn_rules(bundle.sha256, self._composed(place[0], bundle))
        self._keep_present(place)
        order()
        if clinical is not None and rules:
            self._exchange(place, bundle)
            self._keep_present(place)
        self._bell.set()

    # --- checks ----------------------------------------------------------------------------------------------------

    def _verified(self, place: Place, wish: ActivationWish) -> VerifiedBundle:
        order = self._sources.orders[place]
        self._require_not_below(place, wish.version)
        try:
            bundle = self._sources.activation().verified(order.bundle, wish.version)
        except TrustError as refusal:
            absent = refusal.rule == TrustRule.BUNDLE_NOT_FOUND
            raise _refused(
                RejectReason.BUNDLE_UNKNOWN if absent else RejectReason.BUNDLE_REFUSED, str(refusal)
            ) from refusal
        except OSError as error:
            raise _refused(RejectReason.BUNDLE_REFUSED, f"trust policy: {error.strerror}") from error
        if wish.sha256 not in {"", bundle.sha256}:
            detail = f"{TrustRule.DIGEST_MISMATCH}: {order.bundle} {wish.version} has the digest {bundle.sha256}"
            raise _refused(RejectReason.BUNDLE_REFUSED, detail)
        return bundle

    def _require_not_below(self, place: Place, version: str) -> None:
        present, _, _ = self._driver.bundles(*place)
        kept = self._sources.kept.of(*place) if self._sources.kept is not None else None
        served = [kept.highest] if kept is not None else []
        served += [present.manifest.version] if present is not None else []
        highest = max(served, key=precedence, default="")
        if highest and precedence(version) < precedence(highest):
            detail = f"{TrustRule.VERSION_TOO_LOW}: {highest} has served in this tier; RollbackBundle goes back"
            raise _refused(RejectReason.BUNDLE_REFUSED, detail)

    def _require_fit(self, place: Place, tier: TierDescription, bundle: VerifiedBundle) -> None:
        pathway = self._roster[place[0]]
        present = tier.bundle
        if present is None and not tier.is_rules:
            present = next((other.bundle for other in pathway.models if other.bundle is not None), None)
            present_manifest = replace(present.manifest, tier_role=bundle.manifest.tier_role) if present else None
        else:
            present_manifest = present.manifest if present is not None else None
        detail = misfit(bundle.manifest, present=present_manifest, clinical=pathway.clinical)
        if not detail and tier.is_rules is (bundle.manifest.model is not None):
            detail = f"kind: {bundle.manifest.kind}, and this tier takes the other"
        if detail:
            raise _refused(RejectReason.BUNDLE_INCOMPATIBLE, detail)

    def _require_not_denied(self, bundle: VerifiedBundle) -> None:
        """The version before was verified when it came in; what was denied since must not come back."""
        try:
            denied = self._sources.activation().denial(bundle)
        except (TrustError, OSError) as error:
            raise _refused(RejectReason.BUNDLE_REFUSED, "trust policy: it cannot be read") from error
        if denied:
            raise _refused(RejectReason.BUNDLE_REFUSED, f"version {bundle.manifest.version}: {denied}") from denied

    def _composed(self, pathway: str, bundle: VerifiedBundle) -> ProvenRules:
        try:
            return self._sources.compose(pathway, bundle)
        except RuleSetError as error:
            raise _refused(RejectReason.BUNDLE_INCOMPATIBLE, f"rules: {error}") from error

    # --- denials ---------------------------------------------------------------------------------------------------

    def withdraw(self, denial: Denial) -> Sequence[tuple[VerifiedBundle, TrustError]]:
        """Take out every bundle for which there is a denial, wherever it is; says which, and why."""
        with self._lock:
            beside = self._sources.withdraw_beside(denial)
            denied = [(each, why) for each in self._driver.verified_bundles() if (why := denial(each)) is not None]
            denied += [(bundle, why) for _, bundle, why in beside]
            for bundle, why in denied:
                self._driver.deny_bundle(BundleDenied(sha256=bundle.sha256, detail=str(why)))
            for place in self._sources.orders if denied else ():
                self._step(place)
            for pathway in dict.fromkeys(name for name, _, _ in beside):
                self._compose_anew(pathway)
        return denied

    def _compose_anew(self, name: str) -> None:
        pathway = self._roster[name] = replace(self._roster[name], supporting=self._sources.supporting(name))
        answering = next((tier.bundle for tier in pathway.tiers if tier.is_rules), None)
        if answering is not None:
            self._clinical[name].learn_rules(answering.sha256, self._sources.compose(name, answering))
        self._clinical[name].exchange(pathway)

    def _leave_out(self, place: Place, denied: VerifiedBundle) -> None:
        """The tier lost its bundle: it is described as one that was refused, and denied rules answer no more."""
        pathway = self._roster[place[0]]
        tiers = tuple(
            replace(tier, bundle=None, previous=None, refusal=Reason.BUNDLE_DENIED) if tier.name == place[1] else tier
            for tier in pathway.tiers
        )
        pathway = self._roster[place[0]] = replace(pathway, tiers=tiers)
        clinical = self._clinical.get(place[0])
        if clinical is not None:
            clinical.condemn(denied.sha256)
            clinical.exchange(pathway)

    # --- following the engine --------------------------------------------------------------------------------------

    def _follow(self) -> None:
        while True:
            self._bell.wait(_LOOK_AGAIN_S)
            self._bell.clear()
            with self._lock:
                for place in self._sources.orders:
                    self._step(place)
            if self._closed:
                return

    def _step(self, place: Place) -> None:
        bundle, _, _ = self._driver.bundles(*place)
        present = self._roster[place[0]].tier(place[1]).bundle
        if bundle is None:
            if present is not None:
                self._leave_out(place, present)
        elif bundle is not present:
            self._exchange(place, bundle)
        if self._sources.kept is not None and self._sources.kept.of(*place) is not None:
            self._keep_present(place)

    def _exchange(self, place: Place, bundle: VerifiedBundle) -> None:
        pathway = self._roster[place[0]]
        tiers = tuple(
            replace(tier, bundle=bundle, refusal=None, refusal_detail="") if tier.name == place[1] else tier
            for tier in pathway.tiers
        )
        self._roster[place[0]] = replace(pathway, tiers=tiers)
        if place[0] in self._clinical:
            self._clinical[place[0]].exchange(self._roster[place[0]])

    def _keep_present(self, place: Place) -> None:
        """Put on disk what serves now and what served before; a disk that fails is told, and tried again."""
        bundle, previous, _ = self._driver.bundles(*place)
        if self._sources.kept is None or bundle is None:
            return
        order, kept = self._sources.orders[place], self._sources.kept.of(*place)
        version = bundle.manifest.version
        entry = KeptTier(
            pathway=place[0],
            tier=place[1],
            bundle=order.bundle,
            configured=order.version,
            active=_kept(bundle),
            previous=_kept(previous) if previous is not None else None,
            highest=max(version, kept.highest if kept is not None else version, key=precedence),
        )
        try:
            self._sources.kept.keep(entry)
        except OSError as error:
            self._sources.trouble("active_bundle_not_recorded", pathway=place[0], tier=place[1], detail=error.strerror)


def _kept(bundle: VerifiedBundle) -> KeptVersion:
    return KeptVersion(version=bundle.manifest.version, sha256=bundle.sha256)


def _refused(reason: RejectReason, detail: str) -> ActivationRefusedError:
    return ActivationRefusedError(reason, detail)
