"""How long a call may take: the caller's deadline, or the pathway's budget. Refuses a wait without end."""

import math
from dataclasses import dataclass

import grpc

LONGEST_WAIT_S = 30.0
ENCOUNTERS_PER_BUDGET = 64

# gRPC gives a caller that set no deadline one that is centuries away.
_NO_DEADLINE_S = 10 * 365 * 86_400.0
# Kept back from a batch for writing each answer after the first, which the reserve of the chain covers.
_WRITE_S = 0.0005


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
        return begun_s + allowed_s - (self.encounters - 1) * _WRITE_S
