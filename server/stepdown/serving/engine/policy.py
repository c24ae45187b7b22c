"""How patient the engine is, and what chain it runs: frozen values decided by configuration."""

from dataclasses import dataclass, field

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.reasons import Reason
from stepdown.domain.status import SupportingStatus
from stepdown.domain.tiers import ExecutionProvider, Urgency
from stepdown.resilience.backoff import BackoffPolicy
from stepdown.resilience.circuit_breaker import BreakerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePolicy:
    """Times in seconds.

    `reserve_s`, or `reserve_share` of the time given if that is more, is kept back from every deadline to write the
    answer; `hedge_margin_s` is the least head start that the
    next tier gets beside a silent one. A batch unanswered for `watchdog_s` costs the worker its life; one unanswered
    for `stall_s` (or `stall_factor` times the slowest normal run of its size) sends its callers to the next tier first.
    A tier that was stalled counts towards its pathway's capability again when it has been steady for `steady_s`.

    What waits for a tier is bounded in time by `maximum_queue_s`, as its speed of late has it, and in memory by
    `maximum_queue_rows`. Of both, routine requests may fill `routine_share` and urgent ones `urgent_share`; the rest is
    kept for emergencies. Asking a second tier to be safe may add `hedge_share` to the rows asked for, and
    `hedge_burst_rows` at once. A probe out of turn follows the last one by `early_probe_s` at least.
    """

    reserve_s: float = 0.010
    reserve_share: float = 0.1
    hedge_margin_s: float = 0.005
    watchdog_s: float = 2.0
    stall_s: float = 0.15
    stall_factor: float = 4.0
    steady_s: float = 1.0
    probe_period_s: float = 2.0
    probation_probe_period_s: float = 0.05
    probation_probes: int = 3
    probation_dwell_s: float = 0.5
    maximum_dwell_s: float = 15.0
    stable_s: float = 60.0
    shadow_period_s: float = 0.1
    abandon_s: float = 10.0
    unavailable_retry_s: float = 60.0
    fault_limit: int = 10
    fault_window_s: float = 120.0
    maximum_queue_rows: int = 4096
    maximum_queue_s: float = 5.0
    routine_share: float = 0.5
    urgent_share: float = 0.8
    hedge_share: float = 0.25
    hedge_burst_rows: int = 128
    early_probe_s: float = 0.1
    lateness_s: float = 0.25
    backoff: BackoffPolicy = field(default_factory=BackoffPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def queue_share(self, urgency: Urgency) -> float:
        """The part of a tier's queue that requests of this urgency may fill."""
        if urgency is Urgency.ROUTINE:
            return self.routine_share
        return self.urgent_share if urgency is Urgency.URGENT else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSpec:
    """One tier of a chain. `bundle` None: it was refused, and `refusal` says why. Rules tiers run no worker.

    `previous` is the version that served before this one, kept so that an operator can go back to it. `device_id`
    counts accelerators of one maker from 0.
    """

    name: str
    bundle: VerifiedBundle | None
    execution_providers: tuple[ExecutionProvider, ...] = ()
    is_rules: bool = False
    refusal: Reason | None = None
    refusal_detail: str = ""
    previous: VerifiedBundle | None = None
    device_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PathwaySpec:
    """One chain, best tier first. A rules tier, where there is one, stands last. `supporting` is only shown."""

    name: str
    tiers: tuple[TierSpec, ...]
    supporting: tuple[SupportingStatus, ...] = ()
