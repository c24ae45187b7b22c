"""Limits how often one encounter may be assessed: a token bucket each, within bounded memory. Reads no clock."""

from collections import OrderedDict
from dataclasses import dataclass

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePolicy:
    """`burst` assessments at once and `per_second` in the long run, for each of the `maximum_encounters` seen last."""

    per_second: float = 1.0
    burst: int = 60
    maximum_encounters: int = 20_000


class EncounterRateLimit:
    """One bucket for each encounter. The one not seen for longest is let go of for a new one, and would start full."""

    __slots__ = ("_buckets", "_policy")

    def __init__(self, policy: RatePolicy) -> None:
        """Start with every bucket full."""
        self._policy = policy
        # Tokens left, and when that was true.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def admit(self, encounter_token: str, *, now_s: float) -> None:
        """Take one token.

        Raises:
            RequestRejectedError: ENCOUNTER_RATE_LIMITED, with `retry_after_s`, when none is left. Being refused costs
                nothing, so that a client that keeps asking is not shut out for longer.
        """
        tokens = self._tokens(encounter_token, now_s)
        if tokens < 1.0:
            raise _limited(self._policy, retry_after_s=(1.0 - tokens) / self._policy.per_second)
        self._buckets[encounter_token] = (tokens - 1.0, now_s)
        self._buckets.move_to_end(encounter_token)
        if len(self._buckets) > self._policy.maximum_encounters:
            self._buckets.popitem(last=False)

    def _tokens(self, encounter_token: str, now_s: float) -> float:
        full = float(self._policy.burst)
        tokens, then_s = self._buckets.get(encounter_token, (full, now_s))
        return min(full, tokens + max(now_s - then_s, 0.0) * self._policy.per_second)


def _limited(policy: RatePolicy, *, retry_after_s: float) -> RequestRejectedError:
    reason = RejectReason.ENCOUNTER_RATE_LIMITED
    violation = FieldViolation(
        field="encounter_token",
        reason=reason,
        description=f"assessed too often: at most {policy.burst} at once and {policy.per_second:g} per second",
    )
    return RequestRejectedError(
        reason=reason, violations=(violation,), limits={"burst": policy.burst}, retry_after_s=retry_after_s
    )
