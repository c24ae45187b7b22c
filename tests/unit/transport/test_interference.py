"""Answers held back from one client: late or not at all for that one, as ever for all others, and never for good."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault
from stepdown.transport.interference import Interference
from tests.unit.transport.grpc_side import GrpcSide, grpc_side

HURT = "spiffe://stepdown.demo/assessor/test"
LONG_S = 60.0


def fault(kind: InjectableFault = InjectableFault.NETWORK_PARTITION, *, delay_s: float = 0.0) -> FaultInjection:
    return FaultInjection(fault=kind, client=HURT, duration_s=LONG_S, delay_s=delay_s)


def ask(side: GrpcSide, role: str = "assessor", *, timeout_s: float = 5.0) -> grpc.StatusCode:
    call = OperationsServiceStub(side.channel(role)).ListTiers.future(wire.ListTiersRequest(), timeout=timeout_s)
    return call.code()


def test_a_client_that_is_cut_off_hears_nothing_and_others_hear_all() -> None:
    interference = Interference(threads=64)
    with grpc_side(interference=interference) as side:
        interference.begin(fault())
        assert ask(side, timeout_s=0.3) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert ask(side, "viewer") is grpc.StatusCode.OK
        interference.end(fault())
        assert ask(side) is grpc.StatusCode.OK


def test_an_answer_that_is_held_leaves_when_the_drill_is_over() -> None:
    interference = Interference(threads=64)
    with grpc_side(interference=interference) as side, ThreadPoolExecutor(1) as caller:
        interference.begin(fault())
        held = caller.submit(ask, side, timeout_s=LONG_S)
        assert not held.done()
        interference.end(fault())
        assert held.result(10) is grpc.StatusCode.OK


def test_a_slow_network_delays_each_answer_and_loses_none() -> None:
    interference = Interference(threads=64)
    with grpc_side(interference=interference) as side:
        interference.begin(fault(InjectableFault.NETWORK_DELAY, delay_s=0.2))
        begun_s = time.monotonic()
        assert ask(side) is grpc.StatusCode.OK
        assert time.monotonic() - begun_s >= 0.2
        assert ask(side, timeout_s=0.1) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_client_that_is_cut_off_takes_no_more_than_a_quarter_of_the_threads() -> None:
    interference = Interference(threads=8)
    with grpc_side(interference=interference) as side, ThreadPoolExecutor(8) as callers:
        interference.begin(fault())
        held = [callers.submit(ask, side, timeout_s=1.5) for _ in range(8)]
        codes = sorted(each.result(10).name for each in held)
        assert codes == ["DEADLINE_EXCEEDED"] * 2 + ["UNAVAILABLE"] * 6
        # A caller who has left frees the place at once.
        assert ask(side, timeout_s=0.3) is grpc.StatusCode.DEADLINE_EXCEEDED
        interference.end(fault())
    assert side.recorded.incidents == []


def test_a_stream_to_a_client_that_is_cut_off_falls_silent() -> None:
    interference = Interference(threads=64)
    with grpc_side(interference=interference) as side:
        stub = OperationsServiceStub(side.channel("assessor"))
        watched = stub.WatchTiers(wire.WatchTiersRequest(), timeout=LONG_S)
        next(iter(watched))
        interference.begin(fault())
        side.chain.move(*side.chain.status())
        with ThreadPoolExecutor(1) as reader:
            heard = reader.submit(next, iter(watched))
            with pytest.raises(TimeoutError):
                heard.result(0.3)
            interference.end(fault())
            assert heard.result(10) is not None
        watched.cancel()


def test_two_faults_for_one_client_at_once_are_refused() -> None:
    interference = Interference(threads=8)
    interference.begin(fault())
    with pytest.raises(DrillRefusedError):
        interference.begin(fault(InjectableFault.NETWORK_DELAY, delay_s=1.0))
    interference.end(fault())
    interference.end(fault())
    interference.begin(fault())
