"""The present state as Prometheus gauges, read when somebody looks. Keeps only how long each capability lasted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stepdown.domain.activations import ActivationState
from stepdown.domain.notices import CapabilityChanged, Notice
from stepdown.domain.status import PathwayStatus, TierStatus
from stepdown.domain.tiers import Capability, TierState

_TIER = ("pathway", "tier")


@dataclass(frozen=True, slots=True, kw_only=True)
class _TierGauge:
    """One number of a tier's status; None means that it is not known and no sample is given."""

    name: str
    documentation: str
    value: Callable[[TierStatus], float | None]


def _share_on_trial(tier: TierStatus) -> float:
    activation = tier.activation
    on_trial = activation is not None and activation.state is ActivationState.CANARY
    return activation.canary_share if activation is not None and on_trial else 0.0


_TIER_GAUGES = (
    _TierGauge(
        name="probe_age_seconds",
        documentation="Time since the last golden probe of a tier came back.",
        value=lambda tier: tier.probe_age_s,
    ),
    _TierGauge(
        name="probe_failing",
        documentation="1 while the last golden probe of a tier failed.",
        value=lambda tier: float(bool(tier.probe_error)),
    ),
    _TierGauge(
        name="queued_rows",
        documentation="Rows waiting for a tier's worker.",
        value=lambda tier: float(tier.queue_rows),
    ),
    _TierGauge(
        name="in_flight_rows",
        documentation="Rows that a tier's worker holds.",
        value=lambda tier: float(tier.in_flight_rows),
    ),
    _TierGauge(
        name="placement_ratio",
        documentation="Share of the graph's nodes that sit on the asked execution provider.",
        value=lambda tier: tier.placement_share,
    ),
    _TierGauge(
        name="breaker_open",
        documentation="1 while a tier's circuit breaker keeps requests away (open or half open).",
        value=lambda tier: float(tier.breaker not in {"", "CLOSED"}),
    ),
    _TierGauge(
        name="canary_share",
        documentation="Share of a tier's requests that a new bundle version on trial answers; 0 without one.",
        value=_share_on_trial,
    ),
    _TierGauge(
        name="canary_answers",
        documentation="Requests that the new bundle version of a tier has answered on trial, now or the last time.",
        value=lambda tier: float(tier.activation.answers) if tier.activation is not None else None,
    ),
)


class StatusCollector(Collector):
    """Asks for the status at each scrape, and sums the seconds each pathway spent in each capability."""

    def __init__(
        self,
        *,
        status: Callable[[], Sequence[PathwayStatus]],
        monotonic_s: Callable[[], float],
        pathways: Sequence[str],
    ) -> None:
        """Start the sums at zero now; `pathways` are the configured names."""
        self._status = status
        self._monotonic_s = monotonic_s
        self._since_s = dict.fromkeys(pathways, monotonic_s())
        self._spent_s = {(pathway, capability): 0.0 for pathway in pathways for capability in Capability}

    def notice(self, notice: Notice) -> None:
        """Close the account of the capability that ended."""
        if isinstance(notice, CapabilityChanged) and notice.pathway in self._since_s:
            now_s = self._monotonic_s()
            self._spent_s[notice.pathway, notice.previous] += now_s - self._since_s[notice.pathway]
            self._since_s[notice.pathway] = now_s

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for a status that is not there yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every gauge, from one status."""
        pathways = tuple(self._status())
        yield self._capabilities(pathways)
        yield self._capability_seconds(pathways)
        yield _tier_states(pathways)
        yield _restarts(pathways)
        for gauge in _TIER_GAUGES:
            family = GaugeMetricFamily(f"stepdown_tier_{gauge.name}", gauge.documentation, labels=_TIER)
            for pathway in pathways:
                for tier in pathway.tiers:
                    value = gauge.value(tier)
                    if value is not None:
                        family.add_metric((pathway.name, tier.name), value)
            yield family

    @staticmethod
    def _capabilities(pathways: Sequence[PathwayStatus]) -> Metric:
        family = GaugeMetricFamily(
            "stepdown_pathway_capability", "1 for what a pathway can do now.", labels=("pathway", "capability")
        )
        for pathway in pathways:
            for capability in Capability:
                family.add_metric((pathway.name, capability.value), float(pathway.capability is capability))
        return family

    def _capability_seconds(self, pathways: Sequence[PathwayStatus]) -> Metric:
        family = CounterMetricFamily(
            "stepdown_pathway_capability_seconds",
            "Time spent in each capability; degraded time is all but FULL.",
            labels=("pathway", "capability"),
        )
        now_s = self._monotonic_s()
        for pathway in pathways:
            for capability in Capability:
                spent_s = self._spent_s.get((pathway.name, capability), 0.0)
                if capability is pathway.capability:
                    spent_s += now_s - self._since_s.get(pathway.name, now_s)
                family.add_metric((pathway.name, capability.value), spent_s)
        return family


def _tier_states(pathways: Sequence[PathwayStatus]) -> Metric:
    family = GaugeMetricFamily(
        "stepdown_tier_state", "1 for the state that a tier is in.", labels=("pathway", "tier", "state")
    )
    for pathway in pathways:
        for tier in pathway.tiers:
            for state in TierState:
                family.add_metric((pathway.name, tier.name, state.value), float(tier.state is state))
    return family


def _restarts(pathways: Sequence[PathwayStatus]) -> Metric:
    family = CounterMetricFamily(
        "stepdown_worker_restarts", "Times that a tier's worker process was started again.", labels=_TIER
    )
    for pathway in pathways:
        for tier in pathway.tiers:
            family.add_metric((pathway.name, tier.name), tier.restarts)
    return family
