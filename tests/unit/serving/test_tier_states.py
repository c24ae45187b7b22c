from itertools import product

import pytest

from stepdown.domain.errors import IllegalMoveError
from stepdown.domain.tiers import TierState
from stepdown.serving.tier_states import LEGAL_MOVES, check_move


@pytest.mark.parametrize(("previous", "state"), list(product(TierState, TierState)))
def test_only_the_moves_of_the_table_are_legal(previous: TierState, state: TierState) -> None:
    if state in LEGAL_MOVES[previous]:
        check_move(previous, state)
    else:
        with pytest.raises(IllegalMoveError):
            check_move(previous, state)


def test_nothing_serves_without_probation() -> None:
    assert [previous for previous in TierState if TierState.SERVING in LEGAL_MOVES[previous]] == [TierState.PROBATION]


def test_every_state_can_be_left_and_reached() -> None:
    assert all(LEGAL_MOVES[state] for state in TierState)
    assert set().union(*LEGAL_MOVES.values()) == set(TierState)
