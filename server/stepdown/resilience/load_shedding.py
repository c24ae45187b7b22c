"""Decides, when calls wait for the server itself, whose answer is made plainer and who is turned away. Reads no clock.

How long a call waits to be begun is the measure: it says how far behind the server is, whatever made it so. What is
asked first is to do without the models, whose answers are waited for; only then are calls turned away, routine first.
"""

from dataclasses import dataclass

from stepdown.domain.tiers import Urgency

_NO_WAIT_S = 0.005
"""What is waited on an idle server too: who allows less meets his own deadline, and is not told of an overload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShedding:
    """How long a call may wait to be begun, so that there is time for its answer.

    Of the time that a caller gave (up to `longest_s`) `deadline_share` at most is waited, and `maximum_wait_s` where it
    gave none; routine and urgent calls wait for a share of that only. From `spare_share` of its own limit on, a call is
    answered by the rules at once; an emergency never for this reason.
    """

    maximum_wait_s: float = 5.0
    routine_share: float = 0.5
    urgent_share: float = 0.8
    spare_share: float = 0.25
    deadline_share: float = 0.6
    longest_s: float = 30.0

    def spares_models(self, urgency: Urgency, waited_s: float, remaining_s: float | None = None) -> bool:
        """Whether a call that waited so long should have its answer from the rules, without asking a model.

        `remaining_s`: until its deadline, None if it has none.
        """
        if urgency is Urgency.EMERGENCY:
            return False
        return waited_s >= self.spare_share * self.limit_s(urgency, _allowed_s(waited_s, remaining_s))

    def refuses(self, waited_s: float, remaining_s: float | None = None) -> bool:
        """Whether a call that waited so long is not begun any more: what is left is too little for an answer."""
        return waited_s >= self._bound_s(_allowed_s(waited_s, remaining_s))

    def limit_s(self, urgency: Urgency, allowed_s: float | None) -> float:
        """How long a call may expect to wait whose caller allowed so much from its arrival on, None for no deadline."""
        shares = {Urgency.ROUTINE: self.routine_share, Urgency.URGENT: self.urgent_share}
        return shares.get(urgency, 1.0) * self._bound_s(allowed_s)

    def _bound_s(self, allowed_s: float | None) -> float:
        if allowed_s is None:
            return self.maximum_wait_s
        return max(self.deadline_share * min(allowed_s, self.longest_s), _NO_WAIT_S)


def _allowed_s(waited_s: float, remaining_s: float | None) -> float | None:
    return None if remaining_s is None else waited_s + remaining_s
