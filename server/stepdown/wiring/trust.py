"""What a server trusts while it runs: its policy, what has served before, and the watch over both."""

from collections.abc import Callable

from stepdown.adapters.activation_desk import ActivationDesk
from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.trust_policy import StoredPolicy, guard_of, read_trust_policy
from stepdown.adapters.trust_state import TrustState
from stepdown.adapters.trust_watch import TrustWatch, WatchSources
from stepdown.domain.errors import ConfigurationError, TrustError
from stepdown.settings import Settings
from stepdown.transport.calls import CallRecord


class Trust:
    """The policy on disk and the memory beside it."""

    def __init__(self, configuration: Settings) -> None:
        """Read both. Raises: ConfigurationError for a policy or a memory that cannot be used."""
        self._path = configuration.trust.policy
        self._guard = guard_of(key=configuration.trust.policy_key, is_demo=configuration.environment == "demo")
        try:
            self.state = TrustState(configuration.state.directory)
        except TrustError as error:
            raise ConfigurationError((f"state.directory: {error}",)) from error
        try:
            self.in_force = self.policy()
            self.state.keep_edition(self.in_force.policy.edition)
        except (TrustError, OSError) as error:
            raise ConfigurationError((f"trust.policy: {error}",)) from error

    def policy(self) -> StoredPolicy:
        """The policy as it stands now. Raises: TrustError."""
        stored = read_trust_policy(self._path, self._guard)
        self.state.check_edition(stored.policy.edition)
        return stored

    def hold(self) -> None:
        """Be the only one to write the memory. Raises: ConfigurationError while another does."""
        try:
            self.state.hold()
        except (TrustError, OSError) as error:
            raise ConfigurationError((f"state.directory: {error}",)) from error

    def watch(
        self, *, driver: EngineDriver, desk: ActivationDesk, record: CallRecord, wake: Callable[[], None]
    ) -> TrustWatch:
        """Who looks while the server runs. `wake` has the self-checks made."""
        sources = WatchSources(
            policy=self.policy,
            status=driver.status,
            withdraw=desk.withdraw,
            event=record.event,
            wake=wake,
            subscribe=driver.subscribe,
            on_error=record.incident,
        )
        return TrustWatch(sources, state=self.state, in_force=self.in_force)
