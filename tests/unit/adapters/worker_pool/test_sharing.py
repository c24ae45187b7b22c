import pytest

from stepdown.adapters.worker_pool.sharing import Machine, TierDemand, TierKey, reserved_cores, share_out, this_machine
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import WorkerResources

GIBIBYTE = 1 << 30
FULL, DISTILLED, OTHER = ("ward", "full"), ("ward", "distilled"), ("theatre", "distilled")


def machine(cores: int, *, processors: int | None = None, memory_bytes: int | None = 16 * GIBIBYTE) -> Machine:
    return Machine(cores=tuple(range(cores)), processors=processors or cores, memory_bytes=memory_bytes)


def cpu(**set_by_the_site: object) -> TierDemand:
    return TierDemand(
        execution_providers=(ExecutionProvider.CPU,),
        resources=WorkerResources(**set_by_the_site),  # type: ignore[arg-type]
    )


def accelerator(**set_by_the_site: object) -> TierDemand:
    return TierDemand(
        execution_providers=(ExecutionProvider.CUDA, ExecutionProvider.CPU),
        resources=WorkerResources(**set_by_the_site),  # type: ignore[arg-type]
    )


def chain(**others: TierDemand) -> dict[TierKey, TierDemand]:
    return {FULL: others.get("full", accelerator()), DISTILLED: others.get("distilled", cpu())}


@pytest.mark.parametrize("cores", [1, 2])
def test_where_there_is_little_every_worker_has_one_thread_and_nothing_is_pinned(cores: int) -> None:
    shares = share_out(chain(), machine(cores))
    assert {(share.threads, share.cores) for share in shares.values()} == {(1, ())}
    assert reserved_cores(machine(cores)) == ()


@pytest.mark.parametrize(
    ("cores", "of_the_device", "of_the_processor"),
    [(3, (0, 1), (2,)), (4, (0, 1), (2, 3)), (8, (0, 1, 2, 3), (4, 5, 6, 7)), (5, (0, 1, 2), (3, 4))],
)
def test_half_the_cores_are_the_cpu_tiers_alone(
    cores: int, of_the_device: tuple[int, ...], of_the_processor: tuple[int, ...]
) -> None:
    shares = share_out(chain(), machine(cores))
    assert (shares[FULL].cores, shares[FULL].threads) == (of_the_device, len(of_the_device))
    assert (shares[DISTILLED].cores, shares[DISTILLED].threads) == (of_the_processor, len(of_the_processor))
    assert reserved_cores(machine(cores)) == of_the_processor


def test_a_quota_smaller_than_the_cores_bounds_the_threads_and_what_is_kept() -> None:
    shares = share_out(chain(), machine(16, processors=4))
    assert shares[DISTILLED].cores == (14, 15)
    assert shares[FULL].cores == tuple(range(14))
    assert (shares[FULL].threads, shares[DISTILLED].threads) == (2, 2)


def test_several_cpu_tiers_share_what_is_kept_for_them_out_among_them() -> None:
    shares = share_out(chain() | {OTHER: cpu()}, machine(11))
    assert (shares[DISTILLED].cores, shares[OTHER].cores) == ((6, 7), (8, 9, 10))
    assert shares[DISTILLED].threads == shares[OTHER].threads == 2


def test_more_cpu_tiers_than_cores_kept_for_them_use_them_together() -> None:
    shares = share_out(chain() | {OTHER: cpu()}, machine(3))
    assert (shares[DISTILLED].cores, shares[OTHER].cores) == ((2,), (2,))
    assert shares[OTHER].threads == 1


@pytest.mark.parametrize("demand", [cpu(), accelerator()])
def test_with_tiers_of_one_kind_alone_nothing_is_kept_from_anyone(demand: TierDemand) -> None:
    shares = share_out({DISTILLED: demand, OTHER: demand}, machine(8))
    assert {(share.threads, share.cores) for share in shares.values()} == {(4, ())}


def test_what_the_site_has_set_stays() -> None:
    wanted = {"threads": 3, "cores": (0, 1, 2), "niceness": 4, "device_id": 1, "memory_bytes": 5 * GIBIBYTE}
    shares = share_out(chain(full=accelerator(**wanted)), machine(8))
    assert shares[FULL] == WorkerResources(**wanted)  # type: ignore[arg-type]
    assert shares[DISTILLED].cores == (4, 5, 6, 7)


def test_cores_that_the_site_has_set_bound_the_threads_that_it_has_not() -> None:
    shares = share_out(chain(distilled=cpu(cores=(6,)), full=accelerator(threads=1)), machine(8))
    assert (shares[DISTILLED].threads, shares[DISTILLED].cores) == (1, (6,))
    assert (shares[FULL].threads, shares[FULL].cores) == (1, (0, 1, 2, 3))


def test_more_threads_than_a_tiers_cores_are_not_squeezed_onto_them() -> None:
    few = share_out(chain(distilled=cpu(threads=3)) | {OTHER: cpu()}, machine(8))
    assert few[DISTILLED].cores == (4, 5, 6, 7)
    none = share_out(chain(distilled=cpu(threads=6)), machine(8))
    assert none[DISTILLED].cores == ()


def test_all_workers_and_the_server_fit_into_the_memory_there_is() -> None:
    shares = share_out(chain(), machine(4))
    assert {share.memory_bytes for share in shares.values()} == {6 * GIBIBYTE}


def test_no_limit_is_so_small_that_no_worker_could_start() -> None:
    shares = share_out(chain(), machine(4, memory_bytes=GIBIBYTE))
    assert {share.memory_bytes for share in shares.values()} == {GIBIBYTE // 2}


def test_without_knowing_what_there_is_no_limit_is_set() -> None:
    assert share_out(chain(), machine(4, memory_bytes=None))[FULL].memory_bytes == 0
    assert share_out({}, machine(4)) == {}


def test_this_machine_has_cores_and_time() -> None:
    here = this_machine()
    assert 1 <= here.processors <= len(here.cores)
