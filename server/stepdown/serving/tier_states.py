"""The life of a tier as a table of legal moves. Anything not in the table is a defect of ours and raises."""

from stepdown.domain.errors import IllegalMoveError
from stepdown.domain.tiers import TierState

LEGAL_MOVES: dict[TierState, frozenset[TierState]] = {
    TierState.STARTING: frozenset(
        {TierState.PROBATION, TierState.SUSPENDED, TierState.REFUSED, TierState.QUARANTINED, TierState.DISABLED}
    ),
    TierState.PROBATION: frozenset(
        {TierState.SERVING, TierState.SUSPENDED, TierState.REFUSED, TierState.QUARANTINED, TierState.DISABLED}
    ),
    TierState.SERVING: frozenset({TierState.SUSPENDED, TierState.REFUSED, TierState.QUARANTINED, TierState.DISABLED}),
    TierState.SUSPENDED: frozenset(
        {TierState.STARTING, TierState.PROBATION, TierState.REFUSED, TierState.QUARANTINED, TierState.DISABLED}
    ),
    TierState.QUARANTINED: frozenset({TierState.STARTING, TierState.REFUSED, TierState.DISABLED}),
    TierState.DISABLED: frozenset({TierState.STARTING}),
    TierState.REFUSED: frozenset({TierState.STARTING, TierState.DISABLED}),
}


def check_move(previous: TierState, state: TierState) -> None:
    """Raise IllegalMoveError unless a tier may go from `previous` to `state`."""
    if state not in LEGAL_MOVES[previous]:
        message = f"tier cannot move from {previous} to {state}"
        raise IllegalMoveError(message)
