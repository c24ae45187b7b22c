import pytest

from stepdown.ledger.places import MOST_RUNS, Places, Run


def examined(places: list[int]) -> tuple[list[tuple[int, int]], ...]:
    seen = Places()
    for place in places:
        seen.take(place)
    disorder = seen.disorder()
    return tuple(
        [(run.first, run.count) for run in runs] for runs in (disorder.missing, disorder.moved, disorder.repeated)
    )


@pytest.mark.parametrize(
    ("places", "missing", "moved", "repeated"),
    [
        ([], [], [], []),
        ([0, 1, 2, 3], [], [], []),
        ([0, 1, 3, 4], [(2, 1)], [], []),
        ([2, 3], [(0, 2)], [], []),
        ([0, 1, 2, 4, 3, 5, 6], [], [(3, 1)], []),
        ([0, 4, 2, 3, 1, 5, 6], [], [(4, 1), (1, 1)], []),
        ([0, 1, 2, 0, 3, 4], [], [], [(0, 1)]),
        ([0, 1, 2, 2, 3, 4], [], [], [(2, 1)]),
        ([0, 1, 2, 3, 4, 2, 3, 9], [(5, 4)], [], [(2, 2)]),
        ([0, 5, 6, 1, 2, 3, 4, 5], [], [(6, 1)], [(5, 1)]),
    ],
)
def test_what_is_gone_moved_or_there_twice_is_named(
    places: list[int], missing: list[object], moved: list[object], repeated: list[object]
) -> None:
    assert examined(places) == (missing, moved, repeated)


def test_a_place_follows_the_one_before_and_the_first_follows_nothing() -> None:
    places = Places()
    assert [places.take(place) for place in (0, 1, 3, 4)] == [True, True, False, True]
    assert not Places().take(1)
    assert places.end == 5
    assert Places().end == 0


def shuffled(*, runs: int) -> bool:
    places = Places()
    for place in range(0, 2 * runs, 2):
        places.take(place)
    return places.is_shuffled or places.take(2 * runs - 1)


def test_a_copy_in_no_order_at_all_is_not_sorted_out() -> None:
    assert shuffled(runs=MOST_RUNS) is True  # the last one follows
    places = Places()
    for place in range(0, 2 * MOST_RUNS + 4, 2):
        places.take(place)
    assert places.is_shuffled
    assert not places.take(places.end)
    assert Run(first=3, count=2).end == 5
