import threading

import pytest

from stepdown.transport.in_flight import CallPool, InFlight


def test_what_is_counted_is_waited_for() -> None:
    in_flight = InFlight()
    in_flight.enter()
    assert in_flight.wait_until_idle(0.0) == 1
    leaving = threading.Thread(target=in_flight.leave)
    leaving.start()
    assert in_flight.wait_until_idle(10.0) == 0
    leaving.join()


def test_nothing_in_flight_is_not_waited_for() -> None:
    assert InFlight().wait_until_idle(10.0) == 0


def test_a_call_counts_from_when_it_is_queued_until_it_has_ended_however_it_ends() -> None:
    in_flight, go_on = InFlight(), threading.Event()
    pool = CallPool(threads=1, in_flight=in_flight, now_s=lambda: 0.0)

    def fail() -> None:
        raise ValueError

    pool.submit(go_on.wait, 10)
    pool.submit(fail)
    queued = pool.submit(len, "queued")
    assert in_flight.wait_until_idle(0.0) == 3
    assert queued.cancel()
    go_on.set()
    assert in_flight.wait_until_idle(10.0) == 0
    pool.shutdown()


def test_a_call_that_cannot_be_queued_does_not_count() -> None:
    in_flight = InFlight()
    pool = CallPool(threads=1, in_flight=in_flight, now_s=lambda: 0.0)
    pool.shutdown()
    with pytest.raises(RuntimeError):
        pool.submit(len, "")
    assert in_flight.wait_until_idle(0.0) == 0


@pytest.mark.parametrize(("threads", "full"), [(1, True), (2, False)])
def test_a_call_that_only_waits_for_a_free_thread_to_wake_up_is_not_kept_waiting_by_others(
    threads: int, *, full: bool
) -> None:
    go_on, begun = threading.Event(), threading.Event()
    pool = CallPool(threads=threads, in_flight=InFlight(), now_s=lambda: 0.0)
    assert not pool.is_full

    def work() -> None:
        begun.set()
        go_on.wait(10)

    pool.submit(work)
    assert begun.wait(10)
    assert not pool.is_full
    pool._queued.enter()  # noqa: SLF001 - the moment before a free thread takes it cannot be held from outside
    assert pool.is_full is full
    go_on.set()
    pool.shutdown()
    assert not pool.is_full


def test_a_call_knows_how_long_it_was_queued() -> None:
    moments = iter((10.0, 10.25, 11.0, 11.0))
    pool = CallPool(threads=1, in_flight=InFlight(), now_s=lambda: next(moments))
    assert pool.submit(pool.waited_s).result() == 0.25
    assert pool.submit(pool.waited_s).result() == 0.0
