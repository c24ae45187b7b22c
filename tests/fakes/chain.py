"""A chain that answers as the test says, at once or when released, and remembers what it was asked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.status import PathwayStatus
from stepdown.domain.tiers import TierState
from tests.fakes.statuses import pathway_status, tier_identity

Answer = Callable[[Request], Outcome | None]


def by_rules(request: Request) -> Outcome:
    """The rules in hand answer."""
    del request
    return Outcome(answered_by=tier_identity("rules"), result=None, degradations=(), attempts=())


def never(request: Request) -> None:
    """No outcome, until released."""
    del request


class FakeChain:
    """Meets `ports.Chain`. `answer` may be exchanged at any time; None from it leaves the request open."""

    def __init__(self, *statuses: PathwayStatus, answer: Answer = by_rules) -> None:
        self.answer = answer
        self.submitted: list[tuple[Request, ...]] = []
        self.cancelled: list[Request] = []
        self.operator_details: list[str] = []
        self._statuses = statuses or (pathway_status(),)
        self._listeners: list[Callable[[], None]] = []

    @property
    def listeners(self) -> int:
        """How many listen for changes."""
        return len(self._listeners)

    @property
    def asked(self) -> tuple[Request, ...]:
        """Every request it was asked, however many came together."""
        return tuple(request for together in tuple(self.submitted) for request in together)

    def submit(self, requests: Sequence[Request]) -> None:
        self.submitted.append(tuple(requests))
        for request in requests:
            outcome = self.answer(request)
            if outcome is not None:
                self.release(request, outcome)

    def release(self, request: Request, outcome: Outcome) -> None:
        """Answer one that was left open."""
        assert callable(request.reply_to)
        request.reply_to(outcome)

    def cancel(self, request: Request) -> None:
        self.cancelled.append(request)

    def now_s(self) -> float:
        return time.monotonic()

    def status(self) -> tuple[PathwayStatus, ...]:
        return self._statuses

    def move(self, *statuses: PathwayStatus) -> None:
        """Take on another state and tell everyone."""
        self._statuses = statuses
        for listener in tuple(self._listeners):
            listener()

    def disable_tier(self, pathway: str, tier: str, *, detail: str) -> None:
        self.operator_details.append(detail)
        self._set_state(pathway, tier, TierState.DISABLED)

    def enable_tier(self, pathway: str, tier: str) -> None:
        self._set_state(pathway, tier, TierState.STARTING)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _set_state(self, pathway: str, tier: str, state: TierState) -> None:
        (chosen,) = (each for each in self._statuses if each.name == pathway)
        if tier not in {each.name for each in chosen.tiers}:
            raise KeyError(tier)
        tiers = tuple(replace(each, state=state) if each.name == tier else each for each in chosen.tiers)
        self.move(*(replace(each, tiers=tiers) if each is chosen else each for each in self._statuses))
