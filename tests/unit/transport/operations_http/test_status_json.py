"""The published shape of `/api/status` and `/readyz`."""

from dataclasses import replace
from typing import Any

import pytest

from stepdown.domain.alarms import Alarm, AlarmKind, StandingAlarm
from stepdown.domain.build import Build
from stepdown.domain.drift import DriftReading, DriftReport, DriftSignal, DriftState
from stepdown.domain.drills import FaultInjection, InjectableFault
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability, TierState
from stepdown.transport.listener_options import TransportStatus
from stepdown.transport.operations_http.status_json import ServerStatus, is_ready, readiness_json, status_json
from stepdown.transport.operations_http.status_page import status_page
from tests.fakes.drills import injected_fault
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status

SERVER = ServerStatus(
    build=Build(version="0.1.0", code_sha256="c0de"),
    environment="demo",
    started_time_s=1_700_000_000.0,
    uptime_s=12.34567,
    transport=TransportStatus(name="public", fallback_reason="why"),
)


FULL = {
    "name": "full",
    "state": "SERVING",
    "reason": None,
    "detail": "",
    "since_time": "2023-11-14T22:13:20.000+00:00",
    "worker_pid": 4711,
    "provider": "CPU",
    "device": "AMD EPYC",
    "share": {"threads": 2, "cores": [2, 3], "memory_bytes": None},
    "placement_share": 1.0,
    "bundle": {
        "name": "sepsis-full",
        "version": "1.0.0",
        "sha256": "ab" * 32,
        "signers": ["demo-signer"],
    },
    "latency_ms": {"p50": 1.5, "p99": 4.25},
    "probe_age_s": 0.75,
    "probe_error": "",
    "breaker": "CLOSED",
    "queue_rows": 3,
    "in_flight_rows": 2,
    "restarts": 1,
    "answers": 99,
    "injected_fault": None,
    "activation": None,
    "previous_bundle": None,
}


def test_alarms_and_drills_of_the_server_stand_beside_the_pathways() -> None:
    alarm = Alarm(kind=AlarmKind.CERTIFICATE_EXPIRING, subject="server", detail="ends in 5 days")
    drill = FaultInjection(client="spiffe://ward", fault=InjectableFault.NETWORK_DELAY, duration_s=5.0, delay_s=1.0)
    server = replace(SERVER, alarms=(StandingAlarm(alarm=alarm, since_time_s=0.0),), injected=(injected_fault(drill),))
    body = status_json(server, ())
    assert body["alarms"] == [
        {
            "alarm": "CERTIFICATE_EXPIRING",
            "subject": "server",
            "detail": "ends in 5 days",
            "since_time": "1970-01-01T00:00:00.000+00:00",
        }
    ]
    assert body["injected_faults"] == [
        {
            "fault": "NETWORK_DELAY",
            "start_time": "2023-11-14T22:13:20.000+00:00",
            "end_time": "2023-11-14T22:13:25.000+00:00",
            "client": "spiffe://ward",
        }
    ]
    page = status_page(server, ())
    assert "CERTIFICATE_EXPIRING server: ends in 5 days" in page
    assert "drill NETWORK_DELAY spiffe://ward" in page


def test_the_whole_shape_of_the_status() -> None:
    body = status_json(SERVER, (pathway_status(tier_status()),))
    assert body == {
        "server": {
            "version": "0.1.0",
            "code_sha256": "c0de",
            "sbom_sha256": None,
            "environment": "demo",
            "started_time": "2023-11-14T22:13:20.000+00:00",
            "uptime_s": 12.346,
            "stopping": False,
            "tls_stale": False,
            "transport": {"name": "public", "fallback_reason": "why"},
        },
        "alarms": [],
        "injected_faults": [],
        "ledger": None,
        "pathways": [
            {
                "name": PATHWAY,
                "capability": "FULL",
                "capability_since_time": "2023-11-14T22:13:20.000+00:00",
                "tiers": [FULL],
                "drift": None,
                "supporting_rules": [],
            }
        ],
    }


def test_a_fault_that_a_drill_has_put_in_is_shown_as_such() -> None:
    injection = FaultInjection(pathway=PATHWAY, tier="full", fault=InjectableFault.ABORT, duration_s=5.0)
    body: Any = status_json(SERVER, (pathway_status(tier_status(injected_fault=injected_fault(injection))),))
    assert body["pathways"][0]["tiers"][0]["injected_fault"] == {
        "fault": "ABORT",
        "start_time": "2023-11-14T22:13:20.000+00:00",
        "end_time": "2023-11-14T22:13:25.000+00:00",
    }


def test_drift_is_shown_with_the_most_surprising_signal_first() -> None:
    calm, loud = drift_reading(channel="HR", nats=1.0), drift_reading(channel="Age", nats=24.0)
    report = DriftReport(pathway=PATHWAY, assessments=900, window_rows=500, inputs=(calm,), tiers=(("full", (loud,)),))
    body: Any = status_json(SERVER, (pathway_status(tier_status()),), drift=(report,))
    drift = body["pathways"][0]["drift"]
    assert (drift["state"], drift["assessments"], drift["window"]) == ("DRIFTING", 900, 500)
    assert [(each["tier"], each["channel"], each["evidence"]) for each in drift["signals"]] == [
        ("full", "Age", 2.0),
        (None, "HR", 0.083),
    ]


def drift_reading(*, channel: str, nats: float) -> DriftReading:
    return DriftReading(
        channel=channel,
        signal=DriftSignal.VALUE,
        state=DriftState.DRIFTING if nats > 12 else DriftState.STEADY,
        size=100.0,
        psi=0.1,
        jensen_shannon=0.01,
        kolmogorov_smirnov=0.05,
        shift=0.2,
        nats=nats,
        alarm_nats=12.0,
    )


def test_what_is_not_known_is_null() -> None:
    body = status_json(SERVER, (pathway_status(suspended_tier()),))
    tier = body["pathways"][0]["tiers"][0]  # type: ignore[index]
    assert (tier["state"], tier["reason"], tier["detail"]) == (TierState.SUSPENDED, Reason.WORKER_LOST, "signal 9")
    unknown = ("worker_pid", "provider", "placement_share", "bundle", "probe_age_s")
    assert [tier[name] for name in unknown] == [None] * len(unknown)
    assert tier["latency_ms"] == {"p50": None, "p99": None}


@pytest.mark.parametrize(
    ("capabilities", "ready"),
    [
        ((Capability.FULL,), True),
        ((Capability.DEGRADED, Capability.RULES_ONLY), True),
        ((Capability.FULL, Capability.NONE), False),
        ((), False),
    ],
)
def test_ready_means_that_every_pathway_can_answer_somehow(capabilities: tuple[Capability, ...], ready: bool) -> None:
    pathways = tuple(pathway_status(name=f"p{index}", capability=each) for index, each in enumerate(capabilities))
    assert is_ready(pathways) is ready
    assert readiness_json(pathways) == {
        "ready": ready,
        "pathways": [{"name": f"p{index}", "capability": each.value} for index, each in enumerate(capabilities)],
    }


def test_a_server_that_stops_is_not_ready_whatever_it_can_do() -> None:
    assert readiness_json((pathway_status(tier_status()),))["ready"] is True
    assert readiness_json((pathway_status(tier_status()),), stopping=True)["ready"] is False
