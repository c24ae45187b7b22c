from itertools import product

import pytest

from stepdown.domain.bands import Band
from stepdown.rules.totals import CompiledVerdict, Totals, VerdictTable, bits

TRIGGER = 3


def brute(rows: list[tuple[int, ...]]) -> Totals:
    plain = flagged = 0
    for combination in product(*rows):
        if any(points >= TRIGGER for points in combination):
            flagged |= 1 << sum(combination)
        else:
            plain |= 1 << sum(combination)
    return Totals(plain=plain, flagged=flagged)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(0,)],
        [(3,), (0, 1)],
        [(0, 1, 2, 3), (0, 2)],
        [(0, 3), (0, 3), (1,)],
        [(0, 1, 2, 3)] * 3,
        [(2,), (0, 1, 3), (0, 2), (3,)],
    ],
)
def test_the_totals_within_reach_are_those_of_every_combination(rows: list[tuple[int, ...]]) -> None:
    assert Totals.reached_by([rows], trigger=TRIGGER) == brute(rows)


def test_several_worlds_reach_what_any_of_them_reaches() -> None:
    first: list[tuple[int, ...]] = [(0,), (3,)]
    second: list[tuple[int, ...]] = [(2,), (0, 1)]
    one, other = brute(first), brute(second)
    assert Totals.reached_by([first, second], trigger=TRIGGER) == Totals(
        plain=one.plain | other.plain, flagged=one.flagged | other.flagged
    )


def test_least_and_greatest_come_from_either_kind() -> None:
    assert (Totals(plain=0b10000, flagged=0b1000).minimum, Totals(plain=0b10000, flagged=0b1000).maximum) == (3, 4)


def test_bits_hold_both_ends() -> None:
    assert bits(2, 4) == 0b11100


def table() -> VerdictTable:
    """A total of 4 is LOW, unless a single three makes 3-4 LOW_MEDIUM; 5 is HIGH."""
    verdicts = (
        CompiledVerdict(band=Band.LOW, classification="low", plain=bits(0, 4), flagged=bits(0, 2)),
        CompiledVerdict(band=Band.LOW_MEDIUM, classification="single", plain=0, flagged=bits(3, 4)),
        CompiledVerdict(band=Band.HIGH, classification="high", plain=bits(5, 5), flagged=bits(5, 5)),
    )
    return VerdictTable(verdicts=verdicts, trigger=TRIGGER, undetermined="open").settled_up_to(5)


def test_the_worked_out_answers_are_those_of_the_verdicts() -> None:
    verdicts = table()
    for total in range(6):
        for greatest in range(TRIGGER + 1):
            flagged = greatest >= TRIGGER
            totals = Totals(plain=0 if flagged else 1 << total, flagged=1 << total if flagged else 0)
            assert verdicts.of(total, greatest=greatest) == verdicts.agreed(totals)
    assert (verdicts.of(4, greatest=2), verdicts.of(4, greatest=3)) == ((Band.LOW, "low"), (Band.LOW_MEDIUM, "single"))


def test_equal_ends_do_not_settle_what_lies_between() -> None:
    """Both ends LOW, yet a single three in between is LOW_MEDIUM."""
    totals = Totals(plain=0b10001, flagged=0b1000)
    assert (totals.minimum, totals.maximum) == (0, 4)
    assert table().agreed(totals) == (Band.INDETERMINATE, "open")
    assert table().agreed(Totals(plain=0b10001, flagged=0)) == (Band.LOW, "low")
