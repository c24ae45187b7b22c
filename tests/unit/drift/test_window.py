"""Which assessments are still counted."""

import numpy as np

from stepdown.drift.window import Block, Window, count_codes


def block(rows: int, *, end_s: float, first: int = 0) -> Block:
    return Block(counts=np.array([[rows, 0]]), encounters=np.arange(first, first + rows), end_s=end_s)


def test_the_oldest_block_falls_out_when_there_are_too_many() -> None:
    window = Window(rows=100, duration_s=1e9)
    for start in range(4):
        window.add(block(40, end_s=start))
    assert window.rows == 80
    assert window.counts().tolist() == [[80, 0]]


def test_what_is_too_old_falls_out() -> None:
    window = Window(rows=1000, duration_s=60)
    window.add(block(10, end_s=0))
    window.add(block(10, end_s=61))
    assert window.rows == 10


def test_a_block_larger_than_the_window_leaves_nothing_to_say() -> None:
    window = Window(rows=10, duration_s=60)
    window.add(block(11, end_s=0))
    assert (window.rows, window.worth()) == (0, 0.0)


def test_assessments_are_worth_what_their_encounters_are() -> None:
    window = Window(rows=100, duration_s=60)
    window.add(block(10, end_s=0))
    assert window.worth() == 1.0
    window.add(block(10, end_s=1))
    assert window.worth() == 0.5
    window.clear()
    assert window.rows == 0


def test_absent_values_are_not_counted() -> None:
    codes = np.array([[0, 1], [1, 0]])
    present = np.array([[True, False], [True, True]])
    assert count_codes(codes, present, bins=2).tolist() == [[1, 1], [1, 0]]
