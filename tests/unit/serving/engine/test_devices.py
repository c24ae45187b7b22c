"""A device that a process will not let go of: nothing else is started on it until that process is gone."""

from dataclasses import replace

import pytest

from stepdown.domain.activations import ActivationState
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.engine_events import (
    BundleActivated,
    TierDisabled,
    TierEnabled,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.status import TierStatus, WorkerReport
from stepdown.domain.tiers import ExecutionProvider, TierState
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from stepdown.serving.engine.snapshot import snapshot
from tests.simulation.chain import CHAIN, FULL, POLICY, version_of
from tests.unit.serving.engine.bench_engine import EngineBench

CUDA, TENSORRT, MIGRAPHX, CPU = (
    ExecutionProvider.CUDA,
    ExecutionProvider.TENSORRT,
    ExecutionProvider.MIGRAPHX,
    ExecutionProvider.CPU,
)
HELD = "NVIDIA device 0 is held by a process that does not end"


def tier(name: str, *providers: ExecutionProvider, device_id: int = 0) -> TierSpec:
    return replace(FULL, name=name, execution_providers=providers, device_id=device_id)


class DeviceBench(EngineBench):
    """A ward whose full tier runs on a device, and another pathway whose one tier is `other`."""

    def __init__(self, other: TierSpec, *, first: TierSpec = FULL) -> None:
        ward = replace(CHAIN, tiers=(first, *CHAIN.tiers[1:]))
        super().__init__(pathways=(ward, PathwaySpec(name="theatre", tiers=(other,))), policy=POLICY)

    def up(self, name: str, provider: ExecutionProvider = CUDA) -> int:
        worker = self.worker(name)
        report = WorkerReport(
            pid=worker,
            execution_provider=provider,
            device="a device",
            placement_share=1.0,
            known_answer_error=0.0,
            latency_s=((1, 0.002),),
        )
        self.send(WorkerReady(worker=worker, report=report))
        return worker

    def stuck(self, name: str = "full", *, provider: ExecutionProvider = CUDA) -> int:
        """A worker is killed and does not end."""
        worker = self.up(name, provider)
        pathway = next(each.name for each in self.engine.pathways.values() if name in {t.name for t in each.tiers})
        self.send(TierDisabled(pathway=pathway, tier=name, detail="it hangs"))
        self.wait(POLICY.abandon_s)
        return worker

    def dies(self, name: str) -> int:
        """A worker ends, and its back-off is over; how many were started since."""
        before = len(self.started(name))
        self.send(WorkerExited(worker=self.worker(name), detail="killed"))
        self.wait(POLICY.backoff.maximum_s)
        return len(self.started(name)) - before

    def started(self, name: str) -> list[SpawnWorker]:
        return [order for order in self.of(SpawnWorker) if order.tier == name]

    def status(self, name: str) -> TierStatus:
        found = snapshot(self.engine, now_s=self.now_s, wall_s=self.now_s)
        return next(each for pathway in found for each in pathway.tiers if each.name == name)


@pytest.mark.parametrize("provider", [CUDA, TENSORRT])
def test_no_other_tier_is_started_on_the_device_until_the_process_is_gone(provider: ExecutionProvider) -> None:
    bench = DeviceBench(tier("other", provider))
    bench.up("other", provider)
    stuck = bench.stuck()
    assert bench.dies("other") == 0
    shown = bench.status("other")
    assert (shown.state, shown.reason, shown.detail) == (TierState.SUSPENDED, Reason.DEVICE_UNHEALTHY, HELD)
    bench.wait(3 * POLICY.unavailable_retry_s)
    assert len(bench.started("other")) == 1
    bench.send(WorkerExited(worker=stuck, detail="at last"))
    bench.wait(0.0)
    assert len(bench.started("other")) == 2
    assert bench.status("other").state is TierState.STARTING
    assert bench.status("other").restarts == 1


@pytest.mark.parametrize(
    "other", [tier("other", CUDA, device_id=1), tier("other", CPU), tier("other", MIGRAPHX)], ids=str
)
def test_other_devices_and_the_processor_are_not_concerned(other: TierSpec) -> None:
    bench = DeviceBench(other)
    bench.up("other", other.execution_providers[0])
    bench.stuck()
    assert bench.dies("other") == 1


def test_a_process_on_the_processor_that_does_not_end_holds_nobody_up() -> None:
    bench = DeviceBench(tier("other", CPU), first=tier("full", CPU))
    bench.up("other", CPU)
    bench.stuck(provider=CPU)
    assert bench.dies("other") == 1


def test_a_tier_that_accepts_another_provider_is_started_on_that_one() -> None:
    bench = DeviceBench(tier("other", CUDA, CPU))
    bench.up("other")
    bench.stuck()
    assert bench.dies("other") == 1
    assert bench.started("other")[-1].execution_providers == (CPU,)


def test_a_process_that_hangs_while_it_loads_may_be_on_any_of_its_devices() -> None:
    bench = DeviceBench(tier("other", MIGRAPHX), first=tier("full", CUDA, MIGRAPHX))
    bench.up("other", MIGRAPHX)
    hung = WorkerRefused(worker=bench.worker("full"), reason=Reason.WORKER_HUNG, detail="not ready")
    bench.send(hung)
    bench.wait(POLICY.abandon_s)
    assert bench.dies("other") == 0
    assert bench.status("other").detail.startswith("AMD device 0")


def test_a_device_is_held_only_when_the_process_has_had_time_to_end() -> None:
    bench = DeviceBench(tier("other", CUDA))
    bench.up("other")
    bench.up("full")
    bench.send(TierDisabled(pathway=CHAIN.name, tier="full", detail="a moment"))
    assert bench.dies("other") == 1


def test_a_tier_that_an_operator_took_out_while_it_waited_is_not_started_when_the_device_is_free() -> None:
    bench = DeviceBench(tier("other", CUDA))
    bench.up("other")
    stuck = bench.stuck()
    bench.dies("other")
    bench.send(TierDisabled(pathway="theatre", tier="other", detail="test"))
    bench.send(WorkerExited(worker=stuck, detail="at last"))
    bench.wait(1.0)
    assert len(bench.started("other")) == 1
    bench.send(TierEnabled(pathway="theatre", tier="other"))
    bench.wait(0.0)
    assert len(bench.started("other")) == 2


def test_a_tier_given_back_by_an_operator_waits_for_the_device_too() -> None:
    bench = DeviceBench(tier("other", CUDA))
    other = bench.up("other")
    bench.stuck()
    bench.send(TierDisabled(pathway="theatre", tier="other", detail="test"))
    bench.send(WorkerExited(worker=other, detail="killed"))
    bench.send(TierEnabled(pathway="theatre", tier="other"))
    bench.wait(0.0)
    assert (bench.status("other").state, bench.status("other").detail) == (TierState.SUSPENDED, HELD)


def test_a_new_version_is_not_tried_on_a_device_that_is_held() -> None:
    bench = DeviceBench(tier("other", CUDA))
    bench.up("other")
    bench.stuck()
    bench.send(BundleActivated(pathway="theatre", tier="other", bundle=version_of("theatre", "full", "2.0.0")))
    activation = bench.status("other").activation
    assert activation is not None
    assert (activation.state, activation.reason) == (ActivationState.ROLLED_BACK, Reason.DEVICE_UNHEALTHY)
    assert len(bench.started("other")) == 1
