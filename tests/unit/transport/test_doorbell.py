import threading

from stepdown.transport.doorbell import Doorbell


def test_a_ring_before_the_wait_is_remembered_and_many_count_as_one() -> None:
    bell = Doorbell()
    bell.ring()
    bell.ring()
    assert bell.wait()
    bell.close()
    assert not bell.wait()


def test_a_ring_ends_a_wait() -> None:
    bell = Doorbell()
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(bell.wait()))
    waiting.start()
    bell.ring()
    waiting.join(10)
    assert heard == [True]


def test_a_closed_bell_is_not_waited_for_even_if_it_was_rung() -> None:
    bell = Doorbell()
    bell.ring()
    bell.close()
    assert not bell.wait()
    assert not bell.wait()
