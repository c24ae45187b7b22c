"""How long a call may take: the caller's deadline, or the pathway's budget. Refuses a wait without end."""

import math
from dataclasses import dataclass

import grpc

from stepdown.domain.reasons import Reason

LONGEST_WAIT_S = 30.0
ENCOUNTERS_PER_BUDGET = 64

# gRPC gives a caller that set no deadline one that is centuries away.
_NO_DEADLINE_S = 10 * 365 * 86_400.0
# Kept back at least from a batch for writing each answer after the first, which the reserve of the chain covers.
_WRITE_S = 0.0005
# How long an outcome is waited for beyond its time. Within a caller's deadline: not to the end, so that the rules in
# hand still reach it. Within our own budget: a while, because the chain's timer may be late and the caller listens on.
_CALLERS_PATIENCE_S = -0.003
_OWN_PATIENCE_S = 0.25


def remaining_s(context: grpc.ServicerContext) -> float | None:
    """Seconds until the caller's deadline; None if it set none."""
    remaining = context.time_remaining()
    return None if remaining > _NO_DEADLINE_S else remaining


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What bounds the encounters of one call, in seconds.

    `caller_s`: until the caller's deadline, None if it set none. `budget_s`: the pathway's, meant for one encounter, so
    that a batch has one for each 64 that it begins. `is_stream`: the budget holds even within the caller's deadline.
    """

    caller_s: float | None
    budget_s: float
    encounters: int
    is_stream: bool

    def answer_by_s(self, *, begun_s: float, now_s: float) -> float:
        """When the chain must have decided. The caller's time counts from `begun_s`, our own from `now_s`."""
        budget_s = min(self.budget_s * math.ceil(self.encounters / ENCOUNTERS_PER_BUDGET), LONGEST_WAIT_S)
        if self.caller_s is None:
            return now_s + budget_s
        allowed_s = min(self.caller_s, budget_s if self.is_stream else LONGEST_WAIT_S)
        # On a machine that is short of time, an answer takes as long to write as its question took to read.
        write_s = max(_WRITE_S, (now_s - begun_s) / self.encounters)
        return begun_s + allowed_s - (self.encounters - 1) * write_s

    @property
    def patience_s(self) -> float:
        """How long after `answer_by_s` an outcome is still waited for."""
        return _OWN_PATIENCE_S if self.caller_s is None or self.is_stream else _CALLERS_PATIENCE_S

    @property
    def silence(self) -> Reason:
        """What it means for a tier that the chain is silent when patience ends: too little time, or a fault of ours."""
        return Reason.INTERNAL_FAULT if self.patience_s > 0 else Reason.DEADLINE_TOO_SHORT
