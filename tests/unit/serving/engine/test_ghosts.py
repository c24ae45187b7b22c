"""Workers that were killed and do not end."""

from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.engine_events import TierDisabled, TierEnabled, WorkerExited
from tests.simulation.chain import PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench


def test_a_tier_given_back_while_a_killed_worker_does_not_end_waits_for_its_end_and_does_not_spin() -> None:
    bench = EngineBench()
    bench.serve("full")
    ghost = bench.worker("full")
    bench.ask()
    bench.wait(POLICY.watchdog_s + POLICY.abandon_s + 5.0)
    assert (bench.killed("full"), bench.state("full")) == (True, "QUARANTINED")
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    woken = len(bench.of(SpawnWorker))
    bench.wait(600.0)
    assert (bench.state("full"), len(bench.of(SpawnWorker))) == ("STARTING", woken)
    bench.send(WorkerExited(worker=ghost, detail="signal 9"))
    assert len(bench.of(SpawnWorker)) == woken + 1
    bench.serve("full")
    assert bench.state("full") == "SERVING"


def test_a_tier_taken_out_again_meanwhile_does_not_start_when_the_ghost_ends() -> None:
    bench = EngineBench()
    bench.serve("full")
    ghost = bench.worker("full")
    bench.ask()
    bench.wait(POLICY.watchdog_s + POLICY.abandon_s + 5.0)
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    bench.send(TierDisabled(pathway=PATHWAY, tier="full", detail="audit"))
    spawned = len(bench.of(SpawnWorker))
    bench.send(WorkerExited(worker=ghost, detail="signal 9"))
    assert (bench.state("full"), len(bench.of(SpawnWorker))) == ("DISABLED", spawned)
