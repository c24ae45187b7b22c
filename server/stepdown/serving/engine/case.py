"""One request under way: what it may ask, whom it has asked, and the best answer so far."""

from dataclasses import dataclass, field
from typing import Protocol

from stepdown.domain.assessments import Degradation, TierAttempt, TierIdentity
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult


class Asked(Protocol):
    """Whoever was asked at a rank: the tier itself, or a version of it on trial or on its way out."""

    def stalled(self) -> bool:
        """Whether it has been silent for suspiciously long."""

    def withdraw(self, case: "Case") -> None:
        """The case wants no answer from it any more."""


@dataclass(slots=True, kw_only=True, eq=False)
class HeldAnswer:
    """An answer kept back while a better tier may still beat it."""

    rank: int
    result: RowsResult
    identity: TierIdentity


@dataclass(slots=True, kw_only=True, eq=False)
class Case:
    """Mutable record of one accepted request.

    `order` holds tier ranks worth asking, `position` the next of them; `asked_s` the ranks that have not replied, with
    when they were asked, and `asked_of` whom at that rank; `queued` has the bit of each rank at which it waits for its
    turn. `answer_by_s` is the deadline less the reserve.
    """

    request: Request
    arrived_s: float
    answer_by_s: float
    order: tuple[int, ...]
    position: int = 0
    queued: int = 0
    asked_s: dict[int, float] = field(default_factory=dict)
    asked_of: dict[int, Asked] = field(default_factory=dict)
    held: HeldAnswer | None = None
    degradations: dict[int, Degradation] = field(default_factory=dict)
    attempts: list[TierAttempt] = field(default_factory=list)
    done: bool = False
    rules_distrusted: bool = False
    rows: int = field(init=False)
    """Rows of model input."""

    def __post_init__(self) -> None:
        """Count once what is asked for often."""
        self.rows = self.request.payload.rows if self.request.payload is not None else 0

    def leave_queues(self) -> None:
        """It ends, and whoever has it waiting need not keep it."""
        if self.queued:
            for asked in self.asked_of.values():
                asked.withdraw(self)

    def note(self, rank: int, degradation: Degradation) -> None:
        """Why a tier does not answer. What withheld it until it was too late is why, and not that it was too late."""
        if degradation.reason is not Reason.DEADLINE_TOO_SHORT or rank not in self.degradations:
            self.degradations[rank] = degradation

    def note_failure(self, *, rank: int, tier: str, reason: Reason, detail: str, now_s: float) -> None:
        """A tier that was asked will not answer this request."""
        asked_s = self._heard_of(rank, now_s)
        self.note(rank, Degradation(tier=tier, reason=reason, detail=detail))
        self.attempts.append(TierAttempt(tier=tier, outcome=reason, elapsed_ms=(now_s - asked_s) * 1e3))

    def note_success(self, *, rank: int, tier: str, now_s: float) -> None:
        """A tier that was asked has answered."""
        asked_s = self._heard_of(rank, now_s)
        self.attempts.append(TierAttempt(tier=tier, outcome=None, elapsed_ms=(now_s - asked_s) * 1e3))

    def _heard_of(self, rank: int, now_s: float) -> float:
        """A rank is heard of, whichever version there spoke: it waits for none of them any more. When it was asked."""
        asked = self.asked_of.pop(rank, None)
        if asked is not None and self.queued:
            asked.withdraw(self)
        return self.asked_s.pop(rank, now_s)
