from decimal import Decimal
from itertools import pairwise

import pytest

from stepdown.rules.interval import Interval, cover_faults, cuts


def at(text: str) -> Interval:
    """`<9`, `<=8`, `9-11`, `9-<11`, `>38.0`, `>=25` or `any`."""
    ends: dict[str, Decimal] = {}
    names = {"<=": "at_most", "<": "below", ">=": "at_least", ">": "above"}
    if text == "any":
        return Interval()
    for sign in ("<=", ">=", "<", ">"):
        if text.startswith(sign):
            return Interval(**{names[sign]: Decimal(text.removeprefix(sign))})
    low, _, high = text.partition("-")
    ends["at_least"] = Decimal(low)
    ends["below" if high.startswith("<") else "at_most"] = Decimal(high.removeprefix("<"))
    return Interval(**ends)


def step(resolution: str | None) -> Decimal | None:
    return None if resolution is None else Decimal(resolution)


def row(*texts: str) -> tuple[Interval, ...]:
    return tuple(at(text) for text in texts)


@pytest.mark.parametrize(
    ("texts", "resolution"),
    [
        (("<=8", "9-11", ">=12"), "1"),
        (("<9", "9-11", ">11"), "1"),
        (("<=8", ">8"), "1"),
        (("<36.0", "36.0-38.0", ">38.0"), "0.1"),
        (("<=35.0", "35.1-36.0", ">=36.1"), "0.1"),
        (("<32", ">=32"), None),
        (("<=10", ">10"), None),
        (("<0.5", "0.5-<0.7", ">=0.7"), None),
        (("any",), None),
        (("any",), "1"),
        (("<=0", ">=0.5"), "0.5"),
    ],
)
def test_a_row_that_covers_everything_once_is_faultless(texts: tuple[str, ...], resolution: str | None) -> None:
    assert cover_faults(row(*texts), resolution=step(resolution)) == ()


@pytest.mark.parametrize(
    ("texts", "resolution", "faults"),
    [
        ((), "1", ("no bands",)),
        (("<=8", "10-11", ">=12"), "1", ("gap between ≤8 and 10-11",)),
        (("<=8", "8-11", ">=12"), "1", ("overlap: ≤8 and 8-11",)),
        (("<=8", "9-11", ">=11"), "1", ("overlap: 9-11 and ≥11",)),
        (("<9", ">9"), "1", ("gap between <9 and >9",)),
        (("<=9", ">=10"), None, ("gap between ≤9 and ≥10",)),
        (("<=9", ">=9"), None, ("overlap: ≤9 and ≥9",)),
        (("<9", ">9"), None, ("gap between <9 and >9",)),
        (("9-11", ">=12"), "1", ("gap: nothing covers what lies below 9-11",)),
        (("<=8", "9-11"), "1", ("gap: nothing covers what lies above 9-11",)),
        (("<=8", "12-9", ">=10"), "1", ("edges do not rise: 12-9 holds no value", "gap between ≤8 and 12-9")),
        ((">=9", "<=8"), "1", None),
        (("<=8", "any", ">=9"), "1", ("overlap: ≤8 and any", "overlap: any and ≥9")),
        (("<=8.5", ">=9.5"), "1", ("8.5 is not a multiple of the charting resolution 1", None)),
    ],
)
def test_every_fault_of_a_row_is_named(
    texts: tuple[str, ...], resolution: str | None, faults: tuple[str | None, ...] | None
) -> None:
    found = cover_faults(row(*texts), resolution=step(resolution))
    assert found
    for expected in faults or ():
        assert expected is None or expected in found


def test_an_interval_that_is_empty_once_charted_is_a_fault() -> None:
    between = Interval(above=Decimal(8), below=Decimal(9))
    assert "edges do not rise: >8 and <9 holds no value" in cover_faults(
        (at("<=8"), between, at(">=9")), resolution=Decimal(1)
    )


def test_cuts_on_a_charting_grid_lie_half_a_step_below_the_next_charted_value() -> None:
    assert cuts(row("<=8", "9-11", ">=12"), resolution=Decimal(1)) == (8.5, 11.5)
    assert cuts(row("<36.0", "36.0-38.0", ">38.0"), resolution=Decimal("0.1")) == (35.95, 38.05)


def test_cuts_of_a_continuous_quantity_keep_the_limit_on_the_side_that_includes_it() -> None:
    ((below,), (above,)) = (cuts(row("<32", ">=32"), resolution=None), cuts(row("<=32", ">32"), resolution=None))
    assert below == 32.0
    assert above > 32.0
    assert all(first <= second for first, second in pairwise((31.999999, below, above)))


@pytest.mark.parametrize(
    ("text", "resolution", "expected"),
    [
        ("<=8", "1", "≤8"),
        ("9-11", "1", "9-11"),
        ("12-12", "1", "12"),
        ("12-12", None, "12-12"),
        (">38.0", "0.1", ">38.0"),
        ("0.5-<0.7", None, "≥0.5 and <0.7"),
        ("any", None, "any"),
    ],
)
def test_an_interval_reads_as_a_chart_prints_it(text: str, resolution: str | None, expected: str) -> None:
    assert at(text).text(resolution=step(resolution)) == expected
