"""Notices as Prometheus counters and histograms. Label values are configured names and enum members, nothing else.

Every series is found by one dictionary look-up, and series that are certain to be needed exist from the start, so that
a rate over them is right from the first event. Refuses names of pathways and tiers that are not configured: a label
that a client can choose is a way to fill the memory of the server and of every Prometheus behind it.
"""

from collections.abc import Mapping
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram

from stepdown.domain.drift import DriftSignal
from stepdown.domain.notices import (
    ActivationMoved,
    AnswerGiven,
    BatchFinished,
    CallShed,
    DriftChanged,
    FidelityShed,
    Notice,
    ProbeFinished,
    RequestRefused,
    TierFault,
    TierMoved,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Urgency

NOBODY = "none"
"""The tier label of a request that no tier answered."""

UNDEGRADED = "none"
"""The reason label of an answer from the best tier."""

UNKNOWN_PATHWAY = "unknown"
"""The pathway label of a refused request that named no configured pathway."""

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_COMPUTE_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
_SLACK_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

UNREAD = "unread"
"""The urgency label of a call that was turned away before it was read."""

_OfTier: TypeAlias = BatchFinished | TierFault | TierMoved | ProbeFinished | ActivationMoved | FidelityShed
_OF_A_TIER = (BatchFinished, TierFault, TierMoved, ProbeFinished, ActivationMoved, FidelityShed)
_TIER = ("pathway", "tier")
_TIER_REASON = ("pathway", "tier", "reason")


class _Counters(dict[tuple[str, ...], Counter]):
    """Children of one counter by their label values; one that is not there yet is made once."""

    def __init__(self, registry: CollectorRegistry, name: str, documentation: str, labels: tuple[str, ...]) -> None:
        super().__init__()
        self._metric = Counter(name, documentation, labels, registry=registry)

    def __missing__(self, key: tuple[str, ...]) -> Counter:
        child = self[key] = self._metric.labels(*key)
        return child


class MetricsObserver:
    """Counts what happens. Safe to scrape from another thread while notices arrive."""

    def __init__(self, *, registry: CollectorRegistry, tiers: Mapping[str, tuple[str, ...]]) -> None:
        """Register every metric. `tiers` maps each configured pathway to its tier names, best first."""
        self._registry = registry
        self._tiers = {pathway: frozenset(names) for pathway, names in tiers.items()}
        self._pairs = tuple((pathway, tier) for pathway, names in tiers.items() for tier in names)
        self._make_counters()
        self._make_shed_counters()
        self._make_histograms()

    def notice(self, notice: Notice) -> None:
        """Count one notice; those about names that are not configured are ignored."""
        if isinstance(notice, CallShed):
            self._calls_shed[(notice.urgency.value if notice.urgency is not None else UNREAD,)].inc()
        elif isinstance(notice, RequestRefused):
            pathway = notice.pathway if notice.pathway in self._tiers else UNKNOWN_PATHWAY
            self._refused[pathway, notice.reason.value].inc()
        elif notice.pathway not in self._tiers:
            return
        elif isinstance(notice, AnswerGiven):
            self._answered(notice)
        elif isinstance(notice, DriftChanged):
            self._drifts[notice.pathway, notice.signal.value].inc(notice.drifting)
        elif isinstance(notice, _OF_A_TIER) and notice.tier in self._tiers[notice.pathway]:
            self._of_tier(notice)

    def _make_counters(self) -> None:
        def counters(name: str, documentation: str, labels: tuple[str, ...]) -> _Counters:
            return _Counters(self._registry, f"stepdown_{name}", documentation, labels)

        self._answers = counters(
            "answers_total",
            "Requests answered: by which tier (none: nobody), and for what reason not by the best one (none: it was).",
            _TIER_REASON,
        )
        self._rows = counters("answer_rows_total", "Rows answered, by the tier that answered.", _TIER)
        self._degradations = counters(
            "degradations_total", "Answers that a better tier did not give, by that tier and why.", _TIER_REASON
        )
        self._faults = counters("faults_total", "Faults of a tier or its worker, by reason.", _TIER_REASON)
        self._moves = counters(
            "tier_moves_total", "Changes of a tier's state, by the state moved to.", ("pathway", "tier", "state")
        )
        self._probes = counters(
            "probes_total", "Golden probes that came back, by result.", ("pathway", "tier", "result")
        )
        self._activations = counters(
            "activation_moves_total",
            "Steps of new bundle versions on their way into a tier, by the state moved to.",
            ("pathway", "tier", "state"),
        )
        self._refused = counters(
            "requests_refused_total", "Requests refused before any tier was asked, by reason.", ("pathway", "reason")
        )
        self._drifts = counters(
            "drift_alarms_total", "Signals that began to drift from the reference.", ("pathway", "signal")
        )
        for pathway, tier in self._pairs:
            self._answers[pathway, tier, UNDEGRADED].inc(0)
            for result in ("passed", "failed"):
                self._probes[pathway, tier, result].inc(0)
        for pathway in self._tiers:
            for reason in Reason:
                self._answers[pathway, NOBODY, reason.value].inc(0)
            for signal in DriftSignal:
                self._drifts[pathway, signal.value].inc(0)

    def _make_shed_counters(self) -> None:
        self._fidelity_shed = _Counters(
            self._registry,
            "stepdown_fidelity_shed_total",
            "Requests that went without a tier for want of room or time to wait, by that tier and their urgency.",
            ("pathway", "tier", "urgency"),
        )
        self._calls_shed = _Counters(
            self._registry,
            "stepdown_calls_shed_total",
            "Calls turned away because not even the rules could serve them in time.",
            ("urgency",),
        )
        for urgency in (UNREAD, *(each.value for each in Urgency)):
            self._calls_shed[(urgency,)].inc(0)

    def _make_histograms(self) -> None:
        def histogram(name: str, documentation: str, buckets: tuple[float, ...]) -> dict[tuple[str, str], Histogram]:
            made = Histogram(f"stepdown_{name}", documentation, _TIER, buckets=buckets, registry=self._registry)
            return {pair: made.labels(*pair) for pair in self._pairs}

        self._latency = histogram(
            "request_duration_seconds", "Time from arrival to answer, by the tier that answered.", _LATENCY_BUCKETS_S
        )
        self._batch_rows = histogram("batch_rows", "Rows in one run of a model.", _ROW_BUCKETS)
        self._compute = histogram("batch_compute_seconds", "Time of one run of a model.", _COMPUTE_BUCKETS_S)
        self._queue = histogram(
            "batch_queue_seconds", "Mean wait of the requests of one run for their worker.", _COMPUTE_BUCKETS_S
        )
        slack = Histogram(
            "stepdown_deadline_slack_seconds",
            "Time left until the deadline when a request was admitted.",
            ("pathway",),
            buckets=_SLACK_BUCKETS_S,
            registry=self._registry,
        )
        self._slack = {pathway: slack.labels(pathway) for pathway in self._tiers}

    def _answered(self, answer: AnswerGiven) -> None:
        pathway = answer.pathway
        reason = answer.degradations[0].reason.value if answer.degradations else UNDEGRADED
        tier = answer.answered_by.tier if answer.answered_by is not None else NOBODY
        if tier in self._tiers[pathway]:
            self._rows[pathway, tier].inc(answer.rows)
            self._latency[pathway, tier].observe(answer.elapsed_s)
        else:
            tier = NOBODY
        self._answers[pathway, tier, reason].inc()
        self._slack[pathway].observe(answer.slack_s)
        for degradation in answer.degradations:
            if degradation.tier in self._tiers[pathway]:
                self._degradations[pathway, degradation.tier, degradation.reason.value].inc()

    def _of_tier(self, notice: _OfTier) -> None:
        pair = (notice.pathway, notice.tier)
        match notice:
            case BatchFinished():
                self._batch_rows[pair].observe(notice.rows)
                self._compute[pair].observe(notice.compute_s)
                self._queue[pair].observe(notice.queue_s)
            case TierFault():
                self._faults[*pair, notice.reason.value].inc()
            case FidelityShed():
                self._fidelity_shed[*pair, notice.urgency.value].inc(notice.requests)
            case TierMoved():
                self._moves[*pair, notice.state.value].inc()
            case ActivationMoved():
                self._activations[*pair, notice.activation.state.value].inc()
            case ProbeFinished():
                self._probes[*pair, "failed" if notice.error else "passed"].inc()
