"""Decides, when calls wait for the server itself, whose answer is made plainer and who is turned away. Reads no clock.

How long a call has already waited is the measure: it says how far behind the server is, whatever made it so. What is
asked first is to do without the models, whose answers are waited for; only then are calls turned away, routine first.
"""

from dataclasses import dataclass

from stepdown.domain.tiers import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShedding:
    """Nobody waits longer than `maximum_wait_s` to be begun, routine and urgent calls only so large a share of it.

    From `spare_share` of that on, a call is answered by the rules at once; an emergency never for this reason.
    """

    maximum_wait_s: float = 1.0
    routine_share: float = 0.5
    urgent_share: float = 0.8
    spare_share: float = 0.25

    def spares_models(self, urgency: Urgency, waited_s: float) -> bool:
        """Whether a call that waited so long should have its answer from the rules, without asking a model."""
        return urgency is not Urgency.EMERGENCY and waited_s >= self.spare_share * self._limit_s(urgency)

    def refuses(self, urgency: Urgency, waited_s: float) -> bool:
        """Whether a call that waited so long is turned away, so that those behind it need not be."""
        return waited_s >= self._limit_s(urgency)

    def _limit_s(self, urgency: Urgency) -> float:
        shares = {Urgency.ROUTINE: self.routine_share, Urgency.URGENT: self.urgent_share}
        return shares.get(urgency, 1.0) * self.maximum_wait_s
