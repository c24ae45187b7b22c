"""The flat table of hours and its split by stay."""

import numpy as np
import pytest

from models.training.simulation.simulator import simulate
from models.training.stays import Stays, join, split


def table(lengths: tuple[int, ...], first_name: int = 0) -> Stays:
    hours = sum(lengths)
    return Stays(
        names=tuple(f"stay{first_name + number}" for number in range(len(lengths))),
        first_row=np.concatenate([[0], np.cumsum(lengths)]),
        predictors=np.arange(hours * 40, dtype=np.float32).reshape(hours, 40),
        consciousness=np.zeros(hours, dtype=np.int8),
        on_oxygen=np.zeros(hours, dtype=np.int8),
        label=(np.arange(hours) % 3 == 2).astype(np.int8),
    )


def test_rows_know_their_stay_and_their_hour() -> None:
    stays = table((2, 3))
    assert stays.stay_of_row.tolist() == [0, 0, 1, 1, 1]
    assert stays.hour_of_row.tolist() == [0, 1, 0, 1, 2]
    assert stays.is_septic.tolist() == [False, True]


def test_selecting_keeps_whole_stays_in_the_order_asked_for() -> None:
    stays = table((2, 3, 1))
    chosen = stays.select(np.array([2, 0]))
    assert chosen.names == ("stay2", "stay0")
    assert chosen.first_row.tolist() == [0, 1, 3]
    assert np.array_equal(chosen.predictors, stays.predictors[[5, 0, 1]])


def test_joining_the_selected_parts_gives_the_whole_again() -> None:
    stays = table((2, 3, 1))
    again = join((stays.select(np.array([0])), stays.select(np.array([1, 2]))))
    assert again.names == stays.names
    assert again.sha256 == stays.sha256


def test_the_digest_changes_with_any_number() -> None:
    first, second = table((2, 3)), table((2, 3))
    second.predictors[4, 39] += 1
    assert first.sha256 != second.sha256


def test_a_table_whose_parts_disagree_is_refused() -> None:
    stays = table((2, 3))
    with pytest.raises(ValueError, match="disagree"):
        Stays(
            names=stays.names,
            first_row=stays.first_row,
            predictors=stays.predictors[:-1],
            consciousness=stays.consciousness,
            on_oxygen=stays.on_oxygen,
            label=stays.label,
        )
    with pytest.raises(ValueError, match="40 predictors"):
        Stays(
            names=stays.names,
            first_row=stays.first_row,
            predictors=stays.predictors[:, :-1],
            consciousness=stays.consciousness,
            on_oxygen=stays.on_oxygen,
            label=stays.label,
        )


def test_a_split_divides_no_stay_and_loses_none() -> None:
    stays = simulate(400, seed=3).stays
    parts = split(stays, validation_share=0.2, test_share=0.3)
    names = [set(part.names) for part in (parts.train, parts.validation, parts.test)]
    assert set.union(*names) == set(stays.names)
    assert sum(len(part) for part in names) == len(stays)
    assert 0.2 < len(parts.test) / len(stays) < 0.4
    assert 0.1 < len(parts.validation) / len(stays) < 0.3


def test_a_stay_keeps_its_side_when_others_are_added() -> None:
    stays = simulate(300, seed=3).stays
    fewer = split(stays.select(np.arange(100)), validation_share=0.2, test_share=0.3)
    more = split(stays, validation_share=0.2, test_share=0.3)
    assert set(fewer.test.names) <= set(more.test.names)
    assert set(fewer.train.names) <= set(more.train.names)
