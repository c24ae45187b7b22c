"""Lifecycle: stopping without loss, loading without harm, and a fallback that must not be found broken when needed."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from stepdown.adapters.observers.exposition import Metrics
from stepdown.adapters.system_clock import SystemClock
from stepdown.client import AssessmentError
from stepdown.domain.activations import ActivationState, ActivationStatus
from stepdown.domain.build import Build
from stepdown.domain.engine_events import BundleActivated
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import TierState
from tests.fakes.bundles import ECHO, bundle
from tests.fakes.clinical_pathways import clinical_pathway, rules_bundle
from tests.faults.living_chain import CPU, WARD, LivingChain, model_tier, pathway
from tests.faults.load import Load, requests
from tests.faults.running_server import RunningServer, running_server
from tests.faults.witnesses import PATIENCE_S, Device
from tests.unit.transport.flow_side import Side, refused


def rules_alone(settings: dict[str, Any]) -> None:
    """No model is needed to show how a server stops."""
    settings["pathway"][0]["tier"] = settings["pathway"][0]["tier"][-1:]


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running_server(rules_alone) as server:
        yield server


def test_e1_a_terminated_server_says_so_first_and_then_answers_all_that_it_accepted(server: RunningServer) -> None:
    told: list[int] = []
    told_not_serving = Event()

    def watch() -> None:
        with server.credentials().channel([server.ready["grpc"]]) as channel:
            stub: Any = HealthStub(channel)  # its type stubs know Check alone
            try:
                for response in stub.Watch(HealthCheckRequest(service="")):
                    told.append(response.status)
                    if response.status == HealthCheckResponse.NOT_SERVING:
                        told_not_serving.set()
            except grpc.RpcError:
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    server.until(lambda: told)
    with Load(server, timeout_s=5.0) as load:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    watcher.join(10)
    assert told_not_serving.is_set()
    assert told[0] == HealthCheckResponse.SERVING
    # Once it drains it takes nothing new; whatever it took it has answered.
    assert [text for text in load.failures if "UNAVAILABLE" not in text] == []
    drained = next(line for line in server.log() if line["event"] == "drained")
    assert drained["unanswered"] == 0


def test_e2_calls_that_are_aborted_while_it_stops_do_not_upset_the_count_of_those_under_way(
    server: RunningServer,
) -> None:
    codes: list[str] = []
    stop = Event()

    def abort_on() -> None:
        with server.client() as client:
            for request in requests(100_000):
                request.pathway = "no such pathway"
                try:
                    client.assess(request, timeout_s=5.0)
                except AssessmentError as error:
                    codes.append(error.code)
                if stop.is_set():
                    return

    aborting = [Thread(target=abort_on, daemon=True) for _ in range(3)]
    for thread in aborting:
        thread.start()
    server.until(lambda: len(codes) > 30)
    server.process.send_signal(signal.SIGTERM)
    asked_s = time.monotonic()
    assert server.process.wait(30) == 0
    stop.set()
    for thread in aborting:
        thread.join(20)
    grace_s = 15.0
    assert time.monotonic() - asked_s < grace_s + 20
    assert set(codes) <= {"NOT_FOUND", "UNAVAILABLE"}
    assert codes.count("NOT_FOUND") > 30
    drained = next(line for line in server.log() if line["event"] == "drained")
    assert drained["unanswered"] == 0


NEW = replace(bundle(ECHO), manifest=replace(bundle(ECHO).manifest, version="1.1.0"), sha256="1" * 64)
OLD_DIGEST = "0" * 64


def activate(chain: LivingChain, *, share: float = 0.1, observation_s: float = 0.5) -> None:
    event = BundleActivated(pathway=WARD, tier="full", bundle=NEW, canary_share=share, observation_s=observation_s)
    chain.driver.activate_bundle(event)


def activation(chain: LivingChain) -> ActivationStatus:
    now = chain.status("full").activation
    assert now is not None
    return now


class Asking:
    """Questions without pause from the start of an activation, each answered by the tier whose versions change."""

    def __init__(self, chain: LivingChain) -> None:
        self.digests: list[str] = []
        self._chain = chain

    def until(self, condition: Callable[[], bool], *, then: int = 0) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, self._chain.driver.status()
            self.ask()
        for _ in range(then):
            self.ask()

    def ask(self) -> str:
        question = self._chain.ask()
        assert question.tier() == "full"
        outcome = question.wait()
        assert outcome.degradations == ()
        assert outcome.answered_by is not None
        self.digests.append(outcome.answered_by.bundle.sha256)
        return self.digests[-1]


def in_state(chain: LivingChain, state: ActivationState) -> Callable[[], bool]:
    return lambda: activation(chain).state is state


def test_e3_a_new_version_comes_in_beside_the_old_one_and_there_is_no_gap(chain: LivingChain) -> None:
    chain.until_whole()
    old_worker, told = chain.status("full").worker_pid, len(chain.capabilities())
    assert old_worker is not None
    asking = Asking(chain)
    activate(chain, observation_s=3600.0)
    asking.until(in_state(chain, ActivationState.CANARY))
    assert set(asking.digests) <= {OLD_DIGEST}
    # Exactly one in ten, and each tenth: what is said here of who answered is what the split decided.
    trial = [asking.ask() for _ in range(100)]
    before = activation(chain).answers
    assert [index % 10 for index, digest in enumerate(trial) if digest == NEW.sha256] == [trial.index(NEW.sha256)] * 10
    assert trial.count(NEW.sha256) == 10
    assert before >= 10
    chain.engine.pathways[WARD].candidates[0].observed_until_s = 0.0
    asking.until(in_state(chain, ActivationState.PROMOTED), then=20)
    assert set(asking.digests[-20:]) == {NEW.sha256}
    assert chain.status("full").worker_pid != old_worker
    chain.until(lambda: not Path(f"/proc/{old_worker}").exists())
    assert chain.moves("full") == [TierState.PROBATION, TierState.SERVING]
    assert len(chain.capabilities()) == told


@pytest.mark.parametrize("load", ["CUDA 100", "perturbed", "exits"])
def test_e4_a_new_version_that_cannot_be_loaded_leaves_the_old_one_serving(chain: LivingChain, load: str) -> None:
    chain.until_whole()
    Device(chain.folder, f"{WARD}.full@1.1.0").breaks(load=load)
    asking = Asking(chain)
    activate(chain, share=1.0)
    asking.until(in_state(chain, ActivationState.ROLLED_BACK), then=20)
    assert set(asking.digests) == {OLD_DIGEST}
    assert activation(chain).reason is not None
    assert chain.moves("full") == [TierState.PROBATION, TierState.SERVING]
    starts = len(chain.spawns("full"))
    time.sleep(0.5)
    assert len(chain.spawns("full")) == starts == 2


@pytest.mark.parametrize("fault", ["NaN", "garbage", "CUDA 700", "aborts", "our own defect", "hangs"])
def test_e5_a_canary_that_fails_is_rolled_back_by_itself_and_its_callers_notice_nothing(
    chain: LivingChain, fault: str
) -> None:
    chain.until_whole()
    asking = Asking(chain)
    activate(chain, share=0.5, observation_s=3600.0)
    asking.until(in_state(chain, ActivationState.CANARY), then=10)
    assert NEW.sha256 in asking.digests
    Device(chain.folder, f"{WARD}.full@1.1.0").breaks(run=fault)
    if fault == "garbage":
        # Finite and wrong: only a probe can tell, and until then the caller must be able to.
        chain.until(in_state(chain, ActivationState.ROLLED_BACK))
    asking.until(in_state(chain, ActivationState.ROLLED_BACK), then=20)
    assert set(asking.digests[-20:]) == {OLD_DIGEST}
    assert activation(chain).reason is not None
    assert chain.status("full").state is TierState.SERVING
    assert chain.capability() == "FULL"


def test_e6_a_model_that_no_device_can_load_takes_no_device_from_the_others(tmp_path: Path) -> None:
    good = bundle(ECHO)
    spoilt = bundle(ECHO)
    files = dict(spoilt.files) | {"model.onnx": b"not a model"}
    broken = model_tier("full", CPU, loads=type(spoilt)(manifest=spoilt.manifest, files=files, signers=(), sha256="1"))
    chosen = pathway(WARD, broken, model_tier("distilled", CPU, loads=good))
    with LivingChain(tmp_path, chosen, real=True) as chain:
        chain.until_capable("DEGRADED")
        chain.until(lambda: len(chain.faults("full")) >= 2)
        # A fault of the model, said as one: the device is not called unavailable or unhealthy for it.
        assert {fault.reason for fault in chain.faults("full")} == {Reason.EXECUTION_FAILED}
        chain.until_answered_by("distilled")
        assert chain.faults("distilled") == []
        assert chain.moves("distilled") == [TierState.PROBATION, TierState.SERVING]


def test_e7_a_fallback_that_breaks_unused_raises_the_alarm_while_the_first_tier_is_fine(tmp_path: Path) -> None:
    with LivingChain(tmp_path) as chain:
        chain.until_whole()
        metrics = Metrics(
            tiers={WARD: ("full", "distilled", "rules")},
            status=chain.driver.status,
            clock=SystemClock(),
            build=Build(version="0"),
            environment="demo",
        )
        chain.device("distilled").breaks(run="garbage", load="perturbed")
        chain.until(lambda: any(fault.reason is Reason.KNOWN_ANSWER_MISMATCH for fault in chain.faults("distilled")))
        for _, notice in tuple(chain.diary.entries):
            metrics.notice(notice)
        exposed = metrics.exposition("")[0].decode()
        alarm = f'stepdown_faults_total{{pathway="{WARD}",reason="KNOWN_ANSWER_MISMATCH",tier="distilled"}}'
        assert any(line.startswith(alarm) for line in exposed.splitlines())
        assert chain.status("distilled").state is not TierState.SERVING
        assert chain.moves("full") == [TierState.PROBATION, TierState.SERVING]
        chain.until_answered_by("full")


def test_e7_rules_whose_tables_change_in_memory_are_found_and_closed_while_every_model_is_fine(tmp_path: Path) -> None:
    ward, spec = clinical_pathway(), pathway(WARD)
    news2 = rules_bundle("news2")
    real = replace(spec, tiers=(*spec.tiers[:-1], replace(spec.tiers[-1], bundle=news2)))
    with LivingChain(tmp_path, real, rules=ward) as chain:
        chain.until_whole()
        chain.until(lambda: chain.status("rules").probe_age_s is not None)
        rules = ward.rules(news2.sha256)
        assert rules is not None
        # A stray write: one row of the table that gives the points is gone, and every answer looks like one.
        object.__setattr__(rules.composite.answering.rule, "rows", rules.composite.answering.rule.rows[1:])  # type: ignore[union-attr]
        chain.until(lambda: chain.faults("rules"))
        assert chain.faults("rules")[0].reason is Reason.KNOWN_ANSWER_MISMATCH
        assert ward.rules(news2.sha256) is not rules
        chain.until_answered_by("full")
        assert TierState.SUSPENDED in chain.moves("rules")
        chain.until(lambda: chain.status("rules").state is TierState.SERVING)
        assert chain.status("rules").restarts >= 1
        assert [chain.moves(tier) for tier in ("full", "distilled")] == [[TierState.PROBATION, TierState.SERVING]] * 2


def test_e8_a_failure_of_our_own_before_or_in_a_model_is_typed_and_never_a_silent_success(
    chain: LivingChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.device("full").breaks(run="our own defect")
    question = chain.until_answered_by("distilled")
    assert question.degradation("full").reason is not None
    chain.until(lambda: chain.faults("full"))
    assert chain.faults("full")[0].reason is Reason.INTERNAL_FAULT

    side = Side()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("heart rate 75 of patient Smith")

    monkeypatch.setattr(type(side.pathway), "prepare", fail)
    code, *_ = refused(side.ask())
    assert code == StatusCode.INTERNAL.value[0]
    assert len(side.recorded.incidents) == 1
