"""Faults around the workers, on a real server under load: the machine, its clock and files, and the way to a client."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from stepdown.client import AssessmentError
from stepdown.client.drills import DrillClient, FaultOrder
from tests.faults.load import Load
from tests.faults.running_server import RunningServer, keep_ledger, running_server

PATHWAY = "sepsis-early-warning"
CLIENT = "spiffe://stepdown.demo/assessor/demo-client"
SHORT_S = 3.0


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(keep_ledger) as one:
        one.until_capable("FULL")
        yield one


@pytest.fixture
def operator(server: RunningServer) -> Iterator[DrillClient]:
    server.until_capable("FULL")
    with DrillClient(server.ready["grpc"], server.credentials("operator")) as client:
        yield client
        server.until(lambda: not client.situation(PATHWAY).injected)


def order(fault: str, *, duration_s: float = SHORT_S, **needs: Any) -> FaultOrder:  # noqa: ANN401 - any field
    return FaultOrder(fault=fault, duration_s=duration_s, detail="rehearsal", **needs)


def lines(server: RunningServer, event: str) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["event"] == event]


def test_a_bundle_damaged_where_it_lies_raises_an_alarm_and_the_verified_copy_serves_on(
    server: RunningServer, operator: DrillClient
) -> None:
    before = server.tier("full")
    with Load(server, timeout_s=2.0) as load:
        operator.inject(order("SIGNATURE_BROKEN", duration_s=25.0, pathway=PATHWAY, tier="full"))
        server.until(lambda: "BUNDLE_DAMAGED sepsis-full@1.0.0" in operator.situation(PATHWAY).alarms)
        server.until(lambda: server.tier("full")["worker_pid"] not in {None, before["worker_pid"]})
        server.until_capable("FULL")
        assert operator.situation(PATHWAY).injected == {"SIGNATURE_BROKEN"}
        assert server.tier("full")["bundle"] == before["bundle"]
    assert load.failures == []
    (raised,) = lines(server, "alarm_raised")
    assert (raised["alarm"], raised["subject"], raised["level"]) == ("BUNDLE_DAMAGED", "sepsis-full@1.0.0", "error")


def test_that_alarm_ends_when_the_files_are_whole_again(server: RunningServer, operator: DrillClient) -> None:
    operator.inject(order("SIGNATURE_BROKEN", pathway=PATHWAY, tier="distilled"))
    server.until(lambda: 'stepdown_alarms{alarm="BUNDLE_DAMAGED"} 1.0' in server.get("/metrics")[1])
    server.until(lambda: not operator.situation(PATHWAY).alarms)
    server.until(lambda: "stepdown_injected_faults 0.0" in server.get("/metrics")[1])


@pytest.mark.parametrize("step_s", [3600.0, -60.0])
def test_a_clock_that_jumps_moves_no_tier_and_costs_no_answer(
    server: RunningServer, operator: DrillClient, step_s: float
) -> None:
    moves = len(lines(server, "tier_moved"))
    with Load(server, timeout_s=2.0) as load:
        operator.inject(order("CLOCK_JUMP", clock_step_s=step_s))
        jumped_s = time.monotonic()
        server.until(lambda: load.since(jumped_s)["full"] > 10)
        assert server.tier("full")["probe_age_s"] < 60
        server.until(lambda: not operator.situation(PATHWAY).injected)
    assert load.failures == []
    assert len(lines(server, "tier_moved")) == moves


def test_a_certificate_near_its_end_is_told_in_metrics_status_and_log(
    server: RunningServer, operator: DrillClient
) -> None:
    operator.inject(order("CERTIFICATE_EXPIRING", days_left=5))
    server.until(lambda: "CERTIFICATE_EXPIRING server" in operator.situation(PATHWAY).alarms)
    (left,) = (
        float(line.rpartition(" ")[2])
        for line in server.get("/metrics")[1].splitlines()
        if line.startswith('stepdown_certificate_remaining_seconds{certificate="server"}')
    )
    assert left == pytest.approx(5 * 86_400, abs=60)
    server.until(lambda: not operator.situation(PATHWAY).alarms)
    server.until(lambda: any(line["subject"] == "server" for line in lines(server, "alarm_ended")))


def test_with_half_of_the_processors_answers_go_on(server: RunningServer, operator: DrillClient) -> None:
    with Load(server, timeout_s=2.0) as load:
        operator.inject(order("CPU_HALVED"))
        halved_s = time.monotonic()
        server.until(lambda: sum(load.since(halved_s).values()) > 10)
        server.until(lambda: not operator.situation(PATHWAY).injected)
    assert load.failures == []


def test_a_client_that_is_cut_off_gets_nothing_and_others_all_and_it_is_on_record(
    server: RunningServer, operator: DrillClient
) -> None:
    with Load(server, timeout_s=0.5) as load:
        operator.inject(order("NETWORK_PARTITION", client=CLIENT))
        server.until(lambda: len(load.failures) > 0)
        with pytest.raises(AssessmentError, match="active there already"):
            operator.inject(order("NETWORK_DELAY", client=CLIENT, delay_s=0.1))
        # The operator is another client, and hears every answer.
        server.until(lambda: not operator.situation(PATHWAY).injected)
        whole_s = time.monotonic()
        server.until(lambda: load.since(whole_s)["full"] > 10)
    assert lines(server, "fault_injected")[-1]["client"] == CLIENT
    assert lines(server, "fault_ended")[-1]["how"] == "taken back"


def test_a_slow_network_delays_one_client(server: RunningServer, operator: DrillClient) -> None:
    with Load(server, timeout_s=5.0) as load:
        operator.inject(order("NETWORK_DELAY", client=CLIENT, delay_s=0.2))
        begun_s = time.monotonic()
        held: list[float] = []

        def answered_meanwhile() -> bool:
            """Whoever asked and was answered while the fault was in; those who wait at its end are let go early."""
            answers = [answer.elapsed_s for answer in tuple(load.answers) if answer.at_s >= begun_s]
            if operator.situation(PATHWAY).injected:
                held[:] = answers
            return len(held) > 10

        server.until(answered_meanwhile)
        server.until(lambda: not operator.situation(PATHWAY).injected)
        whole_s = time.monotonic()
        server.until(lambda: load.since(whole_s)["full"] > 10)
    assert load.failures == []
    assert min(held) >= 0.2
    assert any(answer.elapsed_s < 0.2 for answer in load.answers if answer.at_s >= whole_s)


def test_a_full_ledger_disk_costs_no_answer_and_every_record_is_written_in_the_end(
    server: RunningServer, operator: DrillClient
) -> None:
    def sample(name: str) -> float:
        (value,) = (
            float(line.rpartition(" ")[2])
            for line in server.get("/metrics")[1].splitlines()
            if line.startswith(f"{name} ")
        )
        return value

    missed = sample("stepdown_ledger_missed_records_total")
    with Load(server, timeout_s=2.0) as load:
        operator.inject(order("LEDGER_DISK_FULL"))
        server.until(lambda: any("LEDGER_UNAVAILABLE" in alarm for alarm in operator.situation(PATHWAY).alarms))
        full_s = time.monotonic()
        server.until(lambda: any(not answer.recorded for answer in tuple(load.answers) if answer.at_s >= full_s))
        server.until(lambda: not operator.situation(PATHWAY).alarms)
        whole_s = time.monotonic()
        server.until(lambda: any(answer.recorded for answer in tuple(load.answers) if answer.at_s >= whole_s))
    assert load.failures == []
    server.until(lambda: sample("stepdown_ledger_waiting_records") == 0)
    assert sample("stepdown_ledger_missed_records_total") == missed
