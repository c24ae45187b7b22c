"""Watches the trust policy of a running server, so that what is denied stops within seconds and what served is kept.

The policy is read again every second, with everything it names. A bundle that it denies now is withdrawn wherever it
serves, waits or stands by; a policy that cannot be used changes nothing and is an alarm. Refuses to stop what the new
policy merely would not accept any more: that is an alarm of the self-checks, and the operator's to act on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from stepdown.adapters.trust_policy import StoredPolicy
from stepdown.adapters.trust_state import TrustState
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.bundles import BundleIdentity, VerifiedBundle
from stepdown.domain.errors import TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus, SupportingStatus, TierStatus
from stepdown.domain.tiers import TierState
from stepdown.trust.denylist import denial_of

PERIOD_S = 1.0
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSources:
    """What the watch works with.

    `policy` reads it from disk (raises TrustError); `status` is every pathway now; `withdraw` takes out every bundle
    for which it is given a reason, and says which; `event` writes to log and ledger; `wake` has the self-checks made;
    `subscribe` has something called at every change of a tier.
    """

    policy: Callable[[], StoredPolicy]
    status: Callable[[], Sequence[PathwayStatus]]
    withdraw: Callable[[Callable[[VerifiedBundle], TrustError | None]], Sequence[tuple[VerifiedBundle, TrustError]]]
    event: Callable[..., None]
    wake: Callable[[], None]
    subscribe: Callable[[Callable[[], None]], Callable[[], None]]
    on_error: Callable[[Exception], object]


class TrustWatch:
    """A thread of its own looks every second."""

    def __init__(self, sources: WatchSources, *, state: TrustState, in_force: StoredPolicy) -> None:
        """`in_force` is the policy under which everything was loaded."""
        self._sources = sources
        self._state = state
        self._in_force = in_force
        self._unusable = ""
        self._serving: dict[tuple[str, str], str] = {}
        self._bell = Event()
        self._closed = False
        self._stop_listening = sources.subscribe(self._bell.set)
        self._thread = Thread(target=self._run, name="trust-watch", daemon=True)

    def start(self) -> None:
        """Put on record what operators did while no server ran, and begin to look."""
        for act in self._state.take_lowered():
            self._sources.event("version_floor_lowered", **act.model_dump())
        self._thread.start()

    def close(self) -> None:
        """Look once more, so that what served is remembered, and end the thread."""
        self._stop_listening()
        self._closed = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def alarms(self) -> Iterator[Alarm]:
        """A policy that cannot be used, and every tier and rule set that is out because its bundle is denied."""
        if self._unusable:
            yield Alarm(kind=AlarmKind.TRUST_POLICY_UNUSABLE, subject="trust policy", detail=self._unusable)
        for pathway in self._sources.status():
            for each in _parts(pathway):
                if each.reason is Reason.BUNDLE_DENIED:
                    yield Alarm(kind=AlarmKind.BUNDLE_DENIED, subject=f"{pathway.name}/{each.name}", detail=each.detail)

    def look(self) -> None:
        """Read the policy, act on it, and remember what serves. The thread does; nobody else needs to."""
        self._read()
        policy = self._in_force.policy
        withdrawn = self._sources.withdraw(lambda bundle: denial_of(bundle, policy.denylist))
        for bundle, denial in withdrawn:
            identity = bundle.identity
            self._sources.event(
                "bundle_denied",
                bundle=f"{identity.name}@{identity.version}",
                bundle_sha256=identity.sha256,
                rule=str(denial.rule),
                detail=denial.detail,
            )
        if withdrawn:
            self._sources.wake()
        for place, serving in self._served():
            self._remember(place, serving)

    def _run(self) -> None:
        while not self._closed:
            self._bell.wait(PERIOD_S)
            self._bell.clear()
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - one look that fails must not end the watch
                self._sources.on_error(error)

    def _read(self) -> None:
        try:
            stored = self._sources.policy()
        except TrustError as error:
            self._tell_unusable(str(error))
            return
        self._tell_unusable("")
        if stored.sha256 != self._in_force.sha256:
            before, self._in_force = self._in_force, stored
            self._tell_changed(before, stored)

    def _tell_changed(self, before: StoredPolicy, after: StoredPolicy) -> None:
        self._sources.event(
            "policy_changed",
            policy="trust",
            before=before.sha256,
            after=after.sha256,
            edition=after.policy.edition,
        )
        self._state.keep_edition(after.policy.edition)
        self._sources.wake()

    def _tell_unusable(self, detail: str) -> None:
        if detail != self._unusable:
            self._unusable = detail
            self._sources.wake()

    # --- what served -------------------------------------------------------------------------------------------------

    def _served(self) -> Iterator[tuple[tuple[str, str], BundleIdentity]]:
        for pathway in self._sources.status():
            for each in _parts(pathway):
                if each.state is TierState.SERVING and each.bundle is not None:
                    yield (pathway.name, each.name), each.bundle

    def _remember(self, place: tuple[str, str], bundle: BundleIdentity) -> None:
        """Nothing below the floor serves but by an operator's act: then the floor goes back with it."""
        before = self._serving.get(place)
        self._serving[place] = bundle.version
        if before is not None and before != bundle.version:
            lowered_from = self._state.went_back(bundle.name, bundle.version)
            if lowered_from is not None:
                said = {"before": lowered_from, "version": bundle.version}
                self._sources.event("version_floor_lowered", bundle=bundle.name, by="RollbackBundle", **said)
        if self._state.served(bundle.name, bundle.version):
            self._sources.event("version_floor_raised", bundle=bundle.name, version=bundle.version)


def _parts(pathway: PathwayStatus) -> tuple[TierStatus | SupportingStatus, ...]:
    return (*pathway.tiers, *pathway.supporting)
