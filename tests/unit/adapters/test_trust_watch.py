"""The watch over the trust policy: acts on what changes, keeps what it has when the new one cannot be used."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from stepdown.adapters.trust_policy import StoredPolicy
from stepdown.adapters.trust_state import LoweredFloor, TrustState
from stepdown.adapters.trust_watch import TrustWatch, WatchSources
from stepdown.domain.alarms import AlarmKind
from stepdown.domain.bundles import BundleIdentity, VerifiedBundle
from stepdown.domain.errors import TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus, SupportingStatus
from stepdown.domain.tiers import Capability, TierState
from stepdown.trust.policy import policy_of_one_key
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import ANY_BY_TRAINER, NOW_S, TRAINER, key, policy, rules_contents, signed

Denial = Callable[[VerifiedBundle], TrustError | None]
BUNDLE = verify_bundle("news2", "1.2.0", signed(rules_contents()), policy(TRAINER, ANY_BY_TRAINER), NOW_S)
FIRST = StoredPolicy(policy=policy(TRAINER, ANY_BY_TRAINER), sha256="a")
DENYING = StoredPolicy(
    policy=policy(TRAINER, ANY_BY_TRAINER, f'[denylist]\nbundle_digests = ["{BUNDLE.sha256}"]\n'), sha256="b"
)


class World:
    """What the watch sees and does."""

    def __init__(self, state: TrustState | None = None) -> None:
        self.policy: StoredPolicy | TrustError = FIRST
        self.bundles = [BUNDLE]
        self.serving: dict[str, SupportingStatus] = {}
        self.events: list[tuple[str, dict[str, object]]] = []
        self.woken = 0
        self.errors: list[Exception] = []
        self.broken: Exception | None = None
        self.state = state or TrustState(None)
        sources = WatchSources(
            policy=self._read,
            status=self._status,
            withdraw=self._withdraw,
            event=lambda name, **fields: self.events.append((name, fields)),
            wake=self._wake,
            subscribe=lambda _: lambda: None,
            on_error=self.errors.append,
        )
        self.watch = TrustWatch(sources, state=self.state, in_force=FIRST)

    def _read(self) -> StoredPolicy:
        if isinstance(self.policy, TrustError):
            raise self.policy
        return self.policy

    def _status(self) -> Sequence[PathwayStatus]:
        if self.broken is not None:
            raise self.broken
        supporting = tuple(self.serving.values())
        return (
            PathwayStatus(
                name="p", capability=Capability.NONE, capability_since_time_s=0.0, tiers=(), supporting=supporting
            ),
        )

    def _withdraw(self, denial: Denial) -> Sequence[tuple[VerifiedBundle, TrustError]]:
        denied = [(bundle, why) for bundle in self.bundles if (why := denial(bundle)) is not None]
        self.bundles = [bundle for bundle in self.bundles if denial(bundle) is None]
        return denied

    def _wake(self) -> None:
        self.woken += 1

    def serves(self, version: str) -> None:
        identity = BundleIdentity(name="news2", version=version, sha256="0" * 64, signers=())
        self.serving["rules"] = SupportingStatus(name="rules", state=TierState.SERVING, bundle=identity)

    def told(self) -> list[str]:
        return [name for name, _ in self.events]


def test_nothing_changed_is_nothing_told() -> None:
    world = World()
    world.watch.look()
    assert (world.events, world.woken, list(world.watch.alarms())) == ([], 0, [])


def test_a_denial_is_acted_on_and_told_once() -> None:
    world = World()
    world.policy = DENYING
    world.watch.look()
    world.watch.look()
    assert world.told() == ["policy_changed", "bundle_denied"]
    assert world.events[0][1] == {"policy": "trust", "before": "a", "after": "b", "edition": 0}
    assert (world.events[1][1]["rule"], world.events[1][1]["bundle"]) == ("BUNDLE_DENIED", "news2@1.2.0")
    assert (world.bundles, world.woken) == ([], 2)


def test_a_policy_that_cannot_be_used_is_an_alarm_and_the_one_before_stays_in_force() -> None:
    world = World()
    world.policy = DENYING
    world.bundles = []
    world.watch.look()
    world.policy = TrustError(rule="POLICY_INVALID", detail="gone")
    world.watch.look()
    world.watch.look()
    world.bundles = [BUNDLE]
    world.watch.look()
    assert world.bundles == []
    (alarm,) = world.watch.alarms()
    assert (alarm.kind, alarm.detail) == (AlarmKind.TRUST_POLICY_UNUSABLE, "POLICY_INVALID: gone")
    world.policy = DENYING
    world.watch.look()
    assert list(world.watch.alarms()) == []
    assert world.told() == ["policy_changed", "bundle_denied"]


def test_what_is_out_because_it_was_denied_is_an_alarm() -> None:
    world = World()
    world.serving["mews"] = SupportingStatus(
        name="mews", state=TierState.REFUSED, reason=Reason.BUNDLE_DENIED, detail="BUNDLE_DENIED: x"
    )
    (alarm,) = world.watch.alarms()
    assert (alarm.kind, alarm.subject, alarm.detail) == (AlarmKind.BUNDLE_DENIED, "p/mews", "BUNDLE_DENIED: x")


def test_an_edition_in_force_is_remembered() -> None:
    world = World()
    newer = policy_of_one_key("trainer", key().public_key)
    world.policy = StoredPolicy(policy=replace(newer, edition=4), sha256="c")
    world.watch.look()
    try:
        world.state.check_edition(3)
    except TrustError as error:
        assert error.rule == "POLICY_ROLLED_BACK"  # noqa: PT017 - the only way it may end


def test_the_floor_follows_what_serves_and_goes_back_only_with_a_version_brought_back() -> None:
    world = World()
    for version in ("1.0.0", "1.1.0", "1.1.0", "1.0.0", "1.0.0"):
        world.serves(version)
        world.watch.look()
    assert world.told() == ["version_floor_raised", "version_floor_raised", "version_floor_lowered"]
    assert world.events[-1][1] == {"bundle": "news2", "by": "RollbackBundle", "before": "1.1.0", "version": "1.0.0"}
    assert world.state.floors() == {"news2": "1.0.0"}


def test_a_second_tier_with_an_older_version_does_not_lower_the_floor() -> None:
    world = World()
    world.state.served("news2", "2.0.0")
    world.serves("1.0.0")
    world.watch.look()
    assert world.state.floors() == {"news2": "2.0.0"}
    assert world.told() == []


def test_acts_while_no_server_ran_are_told_at_the_start_and_a_look_that_fails_does_not_end_the_watch(
    tmp_path: Path,
) -> None:
    TrustState(tmp_path).lower(
        LoweredFloor(bundle="news2", before="1.1.0", version="1.0.0", by="ops", why="x", time="t")
    )
    world = World(TrustState(tmp_path))
    world.broken = OSError("disk")
    world.watch.start()
    world.watch.close()
    assert world.told() == ["version_floor_lowered"]
    assert [str(error) for error in world.errors] == ["disk"]


def test_a_watch_that_never_began_can_be_ended() -> None:
    World().watch.close()
