"""Each notice moves its own numbers; names that nobody configured move none."""

from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from stepdown.adapters.observers.metrics import MetricsObserver
from stepdown.domain.drift import DriftSignal
from stepdown.domain.notices import (
    BatchFinished,
    CallShed,
    CapabilityChanged,
    DriftChanged,
    FidelityShed,
    Notice,
    ProbeFinished,
    RequestRefused,
    TierFault,
    TierMoved,
    WorkerSpawned,
)
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.domain.tiers import Capability, TierState, Urgency
from tests.fakes.statuses import PATHWAY, TIERS, answer_given, degradation, tier_identity
from tests.unit.adapters.observers.scraping import Samples, samples, value

FULL = {"pathway": PATHWAY, "tier": "full"}


def after(*notices: Notice) -> Samples:
    registry = CollectorRegistry()
    observer = MetricsObserver(registry=registry, tiers=TIERS)
    for notice in notices:
        observer.notice(notice)
    return samples(registry)


def moved(*notices: Notice) -> set[str]:
    """Names of the series that differ from those of an observer that heard nothing."""
    quiet, found = after(), after(*notices)
    differing = {name for (name, labels), number in found.items() if quiet.get((name, labels)) != number}
    return {name for name in differing if not name.endswith("_created")}  # when a registry was made; pages leave it out


def test_an_answer_from_the_best_tier_counts_under_no_reason() -> None:
    found = after(answer_given(rows=4, elapsed_s=0.03, slack_s=0.2))
    assert value(found, "stepdown_answers_total", **FULL, reason="none") == 1
    assert value(found, "stepdown_answer_rows_total", **FULL) == 4
    assert value(found, "stepdown_request_duration_seconds_sum", **FULL) == 0.03
    assert value(found, "stepdown_request_duration_seconds_bucket", **FULL, le="0.05") == 1
    assert value(found, "stepdown_request_duration_seconds_bucket", **FULL, le="0.025") == 0
    assert value(found, "stepdown_deadline_slack_seconds_sum", pathway=PATHWAY) == 0.2


def test_a_degraded_answer_counts_under_the_reason_of_the_best_tier_and_each_step_down_under_its_own() -> None:
    steps = (degradation("full", Reason.WORKER_HUNG), degradation("distilled", Reason.QUEUE_FULL))
    found = after(answer_given(answered_by=tier_identity("rules"), degradations=steps))
    assert value(found, "stepdown_answers_total", pathway=PATHWAY, tier="rules", reason="WORKER_HUNG") == 1
    assert value(found, "stepdown_degradations_total", **FULL, reason="WORKER_HUNG") == 1
    assert value(found, "stepdown_degradations_total", pathway=PATHWAY, tier="distilled", reason="QUEUE_FULL") == 1


def test_a_request_that_nobody_answered_is_an_answer_by_none_and_has_no_latency() -> None:
    unanswered = answer_given(answered_by=None, degradations=(degradation("full", Reason.STARTING),))
    found = after(unanswered)
    assert value(found, "stepdown_answers_total", pathway=PATHWAY, tier="none", reason="STARTING") == 1
    assert not {name for name in moved(unanswered) if name.startswith("stepdown_request_duration")}


def test_series_that_alarms_watch_exist_before_the_first_event() -> None:
    quiet = after()
    for tier in TIERS[PATHWAY]:
        assert value(quiet, "stepdown_answers_total", pathway=PATHWAY, tier=tier, reason="none") == 0
    for reason in Reason:
        assert value(quiet, "stepdown_answers_total", pathway=PATHWAY, tier="none", reason=reason) == 0


def test_a_batch_counts_rows_compute_and_queue_time() -> None:
    found = after(BatchFinished(**FULL, requests=2, rows=8, compute_s=0.004, queue_s=0.0002))
    assert value(found, "stepdown_batch_rows_sum", **FULL) == 8
    assert value(found, "stepdown_batch_compute_seconds_sum", **FULL) == 0.004
    assert value(found, "stepdown_batch_queue_seconds_sum", **FULL) == 0.0002


def test_faults_moves_probes_and_refusals_count_under_their_enumerations() -> None:
    found = after(
        TierFault(**FULL, reason=Reason.OUTPUT_INVALID, detail="NaN in row 0"),
        TierMoved(**FULL, previous=TierState.SERVING, state=TierState.SUSPENDED, reason=None, detail=""),
        ProbeFinished(**FULL, error="0.3 from the known answer"),
        ProbeFinished(**FULL, error=""),
        RequestRefused(pathway=PATHWAY, reason=RejectReason.TENSOR_INVALID),
    )
    assert value(found, "stepdown_faults_total", **FULL, reason="OUTPUT_INVALID") == 1
    assert value(found, "stepdown_tier_moves_total", **FULL, state="SUSPENDED") == 1
    assert value(found, "stepdown_probes_total", **FULL, result="failed") == 1
    assert value(found, "stepdown_probes_total", **FULL, result="passed") == 1
    assert value(found, "stepdown_requests_refused_total", pathway=PATHWAY, reason="TENSOR_INVALID") == 1


@pytest.mark.parametrize(
    "notice",
    [
        answer_given(pathway="elsewhere"),
        TierFault(pathway="elsewhere", tier="full", reason=Reason.WORKER_LOST, detail=""),
        TierFault(pathway=PATHWAY, tier="elsewhere", reason=Reason.WORKER_LOST, detail=""),
        BatchFinished(pathway=PATHWAY, tier="elsewhere", requests=1, rows=1, compute_s=1.0, queue_s=1.0),
        ProbeFinished(pathway=PATHWAY, tier="elsewhere", error=""),
        WorkerSpawned(pathway=PATHWAY, tier="full", attempt=1),
        CapabilityChanged(pathway=PATHWAY, previous=Capability.NONE, capability=Capability.FULL),
    ],
)
def test_what_is_not_configured_or_counted_elsewhere_moves_nothing(notice: Notice) -> None:
    assert moved(notice) == set()


def test_a_label_is_never_a_name_that_a_client_or_a_defect_made_up() -> None:
    wild: list[Notice] = [
        RequestRefused(pathway="made-up", reason=RejectReason.PATHWAY_UNKNOWN),
        RequestRefused(pathway="", reason=RejectReason.PATHWAY_UNKNOWN),
        answer_given(answered_by=tier_identity("made-up")),
        answer_given(degradations=(degradation("made-up", Reason.STARTING),)),
    ]
    found = after(*wild)
    assert not [labels for _, labels in found if any("made-up" in text for _, text in labels)]
    assert value(found, "stepdown_requests_refused_total", pathway="unknown", reason="PATHWAY_UNKNOWN") == 2


def test_the_number_of_series_is_bounded_by_configuration_and_enumerations() -> None:
    every_reason = [
        answer_given(answered_by=tier_identity(tier), degradations=(degradation("full", reason),))
        for tier in TIERS[PATHWAY]
        for reason in Reason
    ]
    once = after(*every_reason)
    assert set(after(*every_reason, *every_reason)) == set(once)
    assert len([name for name, _ in once if name == "stepdown_answers_total"]) == 4 * len(Reason) + 3


def test_a_drift_that_begins_counts_and_its_end_does_not() -> None:
    began = DriftChanged(pathway=PATHWAY, tier="", channel="HR", signal=DriftSignal.VALUE, drifting=True)
    told = after(began, replace(began, drifting=False))
    assert value(told, "stepdown_drift_alarms_total", pathway=PATHWAY, signal="VALUE") == 1


def test_what_was_shed_counts_by_urgency_and_calls_that_were_turned_away_on_their_own() -> None:
    shed = FidelityShed(pathway=PATHWAY, tier="full", urgency=Urgency.ROUTINE, requests=40)
    found = after(shed, shed, CallShed(urgency=Urgency.URGENT), CallShed(urgency=None))
    assert value(found, "stepdown_fidelity_shed_total", **FULL, urgency="routine") == 80
    assert value(found, "stepdown_calls_shed_total", urgency="urgent") == 1
    assert value(found, "stepdown_calls_shed_total", urgency="unread") == 1
    assert value(found, "stepdown_calls_shed_total", urgency="emergency") == 0
