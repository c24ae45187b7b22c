import pytest

from stepdown.resilience.run_time import RunTime

MEASURED = ((1, 0.004), (8, 0.006), (64, 0.020))


@pytest.mark.parametrize(("rows", "seconds"), [(1, 0.004), (8, 0.006), (36, 0.013), (64, 0.020), (128, 0.040)], ids=str)
def test_estimates_lie_on_the_shape_that_was_measured(rows: int, seconds: float) -> None:
    assert RunTime(MEASURED).estimate_s(rows) == pytest.approx(seconds)


def test_fewer_rows_than_were_measured_take_no_less() -> None:
    assert RunTime(((4, 0.01),)).estimate_s(1) == pytest.approx(0.01)


def test_what_waits_is_run_in_whole_batches_and_a_rest() -> None:
    assert RunTime(MEASURED).drain_s(136, batch=64) == pytest.approx(2 * 0.020 + 0.006)
    assert RunTime(MEASURED).drain_s(128, batch=64) == pytest.approx(2 * 0.020)
    assert RunTime(MEASURED).drain_s(0, batch=64) == 0.0


def test_a_device_that_slows_down_stretches_every_estimate_within_some_tens_of_runs() -> None:
    run_time = RunTime(MEASURED)
    for _ in range(30):
        run_time.observe(8, 0.030)
    assert run_time.estimate_s(64) == pytest.approx(0.100, rel=0.05)
    assert run_time.measured_s(64) == pytest.approx(0.020)


def test_one_run_alone_does_not_decide_however_much_it_weighs() -> None:
    run_time = RunTime(MEASURED)
    run_time.observe(1, 0.040, weight=16.0)
    assert run_time.stretch == pytest.approx(1.0 + 0.5 * 9.0)


def test_without_a_measured_shape_time_is_in_proportion_to_rows() -> None:
    run_time = RunTime()
    assert run_time.estimate_s(10) == 0.0
    run_time.observe(10, 0.01)
    assert run_time.estimate_s(20) == pytest.approx(0.02)
    run_time.observe(0, 0.001)
    assert run_time.estimate_s(20) == pytest.approx(0.02)
