"""Data and clients: numbers that are none, deadlines that pass, and a caller whose server is gone."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from threading import Event
from typing import Any

import numpy as np
import pytest

from stepdown.adapters import bundle_directory
from stepdown.adapters.timely_bundles import TimelyBundles
from stepdown.client import AssessmentClient
from stepdown.domain.drift import DriftState
from stepdown.domain.engine_events import RequestCancelled
from stepdown.domain.errors import TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.drift.input_monitor import InputMonitor
from stepdown.drift.policy import DriftPolicy
from stepdown.trust.refusal import TrustRule
from tests.fakes.drift_references import block, reference
from tests.faults.living_chain import CPU, WARD, LivingChain, in_order, model_tier, pathway
from tests.faults.load import ask, requests
from tests.faults.running_server import ROOT, running_server
from tests.faults.test_rows_e import rules_alone
from tests.faults.witnesses import PATIENCE_S
from tests.unit.serving.engine.bench_engine import EngineBench

TOO_LATE = {Reason.DEADLINE_TOO_SHORT, Reason.QUEUE_FULL, Reason.WORKER_HUNG}


def test_g1_numbers_that_are_none_go_to_the_next_tier_in_the_same_call_and_are_counted(chain: LivingChain) -> None:
    chain.device("full").breaks(run="NaN")
    questions = [chain.ask() for _ in range(10)]
    assert {question.tier() for question in questions} <= {"distilled", "rules"}
    chain.until(lambda: chain.faults("full"))
    reasons = [fault.reason for fault in chain.faults("full")]
    assert set(reasons) <= {Reason.OUTPUT_INVALID, Reason.KNOWN_ANSWER_MISMATCH}
    chain.device("full").mends()
    chain.until_answered_by("full")


def test_g2_a_short_deadline_is_met_by_a_tier_that_fits_it(chain: LivingChain) -> None:
    chain.device("full").breaks(run="slow 0.1")
    chain.until(lambda: (chain.status("full").latency_p50_ms or 0) > 90)
    for _ in range(5):
        question = chain.begin(budget_s=0.05)
        assert question.tier() in {"distilled", "rules"}
        assert question.degradation("full").reason in TOO_LATE | {Reason.PROBATION, Reason.STARTING}


def test_g2_a_caller_who_went_away_costs_the_device_nothing() -> None:
    bench = EngineBench()
    bench.serve("full")
    bench.ask(*(bench.request() for _ in range(8)))
    gone = bench.request()
    bench.ask(gone)
    bench.send(RequestCancelled(request=gone))
    answered = len(bench.outcomes())
    bench.reply("full")
    bench.wait(1.0)
    assert all(
        payload is not gone.payload for batch in bench.of(type(bench.last_batch("full"))) for payload in batch.payloads
    )
    assert len(bench.outcomes()) >= answered
    assert bench.engine.open_requests() == 0


def test_g3_a_client_of_two_servers_outlives_one_of_them(tmp_path: Path) -> None:
    del tmp_path
    with running_server(rules_alone) as first:

        def under_one_authority(folder: Path) -> None:
            copytree(first.folder / "certificates", folder / "certificates", dirs_exist_ok=True)

        with (
            running_server(rules_alone, spoil=under_one_authority) as second,
            AssessmentClient((first.ready["grpc"], second.ready["grpc"]), first.credentials()) as client,
        ):
            asked = requests(400)
            for _ in range(50):
                ask(client, next(asked), timeout_s=10.0)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait(10)
            killed_s = time.monotonic()
            answers = [ask(client, next(asked), timeout_s=10.0) for _ in range(100)]
            assert {answer.tier for answer in answers} == {"rules"}
            assert all(answer.at_s >= killed_s for answer in answers)


def told_in_full(settings: dict[str, Any]) -> None:
    rules_alone(settings)
    settings["log"] = {"debug": True}


def test_g4_a_tiny_sample_a_missing_number_and_an_empty_bin_raise_no_drift_alarm_and_break_nothing() -> None:
    watched = InputMonitor(reference(), DriftPolicy())
    few = np.full((6, 3), np.nan)
    few[:, 0] = 1e300  # beyond every edge, so that nine bins of ten stay empty
    watched.observe(few, np.zeros((6, 3)), np.arange(6), now_s=0.0)
    readings = [each for comparison in watched.comparisons() for each in comparison.readings()]
    assert {each.state for each in readings} == {DriftState.INSUFFICIENT}
    assert all(np.isfinite((each.psi, each.nats, each.shift)).all() for each in readings)


def test_g4_a_large_sample_is_not_an_alarm_by_its_size() -> None:
    watched = InputMonitor(reference(), DriftPolicy(window_rows=100_000))
    values, ages_h = block(100_000)
    watched.observe(values * 1.01, ages_h, np.arange(100_000), now_s=0.0)
    assert [name for comparison in watched.comparisons() for name in comparison.drifting()] == []


def test_g5_one_line_tells_of_each_answer_and_nothing_of_its_patient() -> None:
    with running_server(told_in_full) as server:
        wanted = list(requests(20))
        with server.client() as client:
            for request in wanted:
                ask(client, request, timeout_s=10.0)
        server.until(lambda: len([line for line in server.log() if line["event"] == "request_answered"]) >= 20)
        lines = [line for line in server.log() if line["event"] == "request_answered"]
        assert len(lines) == 20
        assert {line["tier"] for line in lines} == {"rules"}
        assert all(line["bundle"].startswith("news2@") for line in lines)
        text = (server.folder / "log").read_text()
        assert not any(request.subject_token and request.subject_token in text for request in wanted)


def test_g6_a_host_without_the_device_answers_from_what_it_has_and_says_what_it_lacks(tmp_path: Path) -> None:
    chosen = pathway(WARD, model_tier("full", ExecutionProvider.ROCM), model_tier("distilled", CPU))
    with LivingChain(tmp_path, chosen, real=True) as chain:
        chain.until_capable("DEGRADED")
        chain.until(lambda: chain.faults("full"))
        question = chain.until_answered_by("distilled")
        degradation = question.degradation("full")
        assert degradation.reason in {Reason.PROVIDER_UNAVAILABLE, Reason.STARTING}
        assert chain.faults("full")[0].reason is Reason.PROVIDER_UNAVAILABLE
        unanswerable = chain.ask(only_tier="full").wait()
        assert unanswerable.answered_by is None
        assert unanswerable.failure is not None
        assert in_order(chain.capabilities(), ["DEGRADED"])


def test_g6_a_disk_that_hangs_under_the_certificates_holds_up_nobody() -> None:
    """A pipe in place of the file: whoever opens it waits for a writer that never comes."""
    with running_server(rules_alone) as server:
        certificate = server.folder / "certificates" / "server.pem"
        certificate.unlink()
        os.mkfifo(certificate)
        time.sleep(2.0)
        for request in requests(3):
            with server.client() as client:  # a connection and a handshake of its own
                assert ask(client, request, timeout_s=10.0).tier == "rules"
        server.process.terminate()
        assert server.process.wait(30) == 0


def test_g6_a_disk_that_hangs_under_an_activation_costs_a_refusal_in_time_and_nobody_an_answer(
    chain: LivingChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system whose server is gone: the read of a file does not come back."""
    turns = Event()

    def hanging(_file: int, _limit: int) -> Iterator[bytes]:
        assert turns.wait(PATIENCE_S)
        yield b""

    monkeypatch.setattr(bundle_directory, "_chunks", hanging)
    shelf = bundle_directory.BundleDirectory(roots=(ROOT / "fallback_rules",))
    bundles = TimelyBundles(shelf, patience_s=0.2)
    for _ in range(2):
        with pytest.raises(TrustError) as refused:
            bundles.read("news2", "1.0.0")
        assert refused.value.rule is TrustRule.BUNDLE_UNREADABLE
        chain.until_answered_by("full")
    monkeypatch.undo()
    turns.set()
    assert TimelyBundles(shelf, patience_s=PATIENCE_S).read("news2", "1.0.0")
