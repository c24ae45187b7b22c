# ruff: noqa: ANN401 - a planted bug passes on whatever it was given
"""Engines with one bug each, of every kind the simulation must find. None of this is reachable from the product."""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from stepdown.domain.tiers import TierState
from stepdown.resilience.circuit_breaker import CircuitBreaker
from stepdown.serving.engine.batching import Batching
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.queueing import CaseQueue
from stepdown.serving.engine.replies import Replies
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier

_NEVER_S = float("inf")


def _settle_leaves_the_case_open(self: Cascade, case: Any, now_s: float) -> None:
    ORIGINALS["settle"](self, case, now_s)
    case.done = False


def _settle_skips_tell(self: Cascade, case: Any, now_s: float) -> None:
    if case.held is not None and case.held.rank == 1:
        return
    ORIGINALS["settle"](self, case, now_s)


def _exited_forgets_what_was_owed(self: Supervision, worker: int, *, detail: str, now_s: float) -> Any:
    tier, _ = ORIGINALS["exited"](self, worker, detail=detail, now_s=now_s)
    return tier, ()


def _kill_forgets_what_was_owed(self: Supervision, tier: Tier, **arguments: Any) -> tuple[()]:
    ORIGINALS["kill"](self, tier, **arguments)
    return ()


def _probe_error_ignored(self: Supervision, tier: Tier, flight: Any, *, error: str, now_s: float) -> Any:
    del error
    return ORIGINALS["probe_done"](self, tier, flight, error="", now_s=now_s)


def _graduates_unproved(self: Supervision, tier: Tier, now_s: float) -> None:
    if tier.state is TierState.PROBATION:
        tier.move(TierState.SERVING, reason=None, detail="", now_s=now_s, outbox=self._outbox)


def _breaker_opens_to_refused(self: Supervision, tier: Tier, now_s: float) -> Any:
    tier.move(TierState.REFUSED, reason=None, detail="", now_s=now_s, outbox=self._outbox)
    return tier.queue.clear()


def _delivers_in_reverse(self: Replies, tier: Tier, flight: Any, event: Any, now_s: float) -> None:
    flight.cases = flight.cases[::-1]
    ORIGINALS["deliver"](self, tier, flight, event, now_s)


def _drops_a_degradation(case: Any, *, below: int) -> Any:
    return ORIGINALS["degradations"](case, below=below)[1:]


def _identity_of_the_first_tier(self: Cascade, case: Any, *, tier: Tier, result: Any, now_s: float) -> None:
    first = self._pathway.tiers[0]
    tier.identity = first.identity or tier.identity
    ORIGINALS["succeeded"](self, case, tier=tier, result=result, now_s=now_s)


def _queue_lets_expired_wait(self: CaseQueue, *, maximum_rows: int, now_s: float) -> Any:
    batch = ORIGINALS["take_batch"](self, maximum_rows=maximum_rows, now_s=now_s)
    self.rows += sum(case.rows for case in batch)
    return batch


def _keeps_flights_of_lost_workers(self: Supervision, tier: Tier) -> Any:
    flights = dict(tier.flights)
    owed = ORIGINALS["forget_worker"](self, tier)
    tier.flights.update(flights)
    return owed


def _nothing(*_: Any, **__: Any) -> None:
    return None


ORIGINALS: dict[str, Callable[..., Any]] = {
    "settle": Cascade._settle,  # noqa: SLF001
    "exited": Supervision.exited,
    "kill": Supervision.kill,
    "probe_done": Supervision.probe_done,
    "deliver": Replies._deliver,  # noqa: SLF001
    "degradations": Cascade._degradations,  # noqa: SLF001
    "succeeded": Cascade.succeeded,
    "take_batch": CaseQueue.take_batch,
    "forget_worker": Supervision._forget_worker,  # noqa: SLF001
}

PLANTED: dict[str, tuple[type, str, Any]] = {
    "double answer": (Cascade, "_settle", _settle_leaves_the_case_open),
    "answer never sent": (Cascade, "_settle", _settle_skips_tell),
    "requests of a dead worker forgotten": (Supervision, "exited", _exited_forgets_what_was_owed),
    "requests of a killed worker forgotten": (Supervision, "kill", _kill_forgets_what_was_owed),
    "failed probe ignored": (Supervision, "probe_done", _probe_error_ignored),
    "no probation": (Supervision, "graduate_if_due", _graduates_unproved),
    "illegal move": (Supervision, "open_breaker", _breaker_opens_to_refused),
    "slot reused": (Tier, "free_slot", lambda _tier: 0),
    "answers swapped within a batch": (Replies, "_deliver", _delivers_in_reverse),
    "silent degradation": (Cascade, "_degradations", staticmethod(_drops_a_degradation)),
    "wrong tier and digest": (Cascade, "succeeded", _identity_of_the_first_tier),
    "deadlines never looked at": (Cascade, "tick", _nothing),
    "lost wake-up": (Batching, "fill", _nothing),
    "queue without bound": (CaseQueue, "take_batch", _queue_lets_expired_wait),
    "breaker never tried again": (CircuitBreaker, "half_open_due_s", _nothing),
    "worker never respawned": (Supervision, "_respawn", _nothing),
    "late replies land": (Supervision, "_forget_worker", _keeps_flights_of_lost_workers),
    "cancelled callers answered": (Cascade, "cancelled", _nothing),
    "held answer of a liar given": (Cascade, "distrust", _nothing),
    "caller's minimum ignored": (Cascade, "_rules_accepted", lambda _cascade, _case: True),
}


def planted(name: str) -> Any:
    """A context in which the engine has the bug of that name."""
    target, attribute, replacement = PLANTED[name]
    return patch.object(target, attribute, replacement)


__all__ = ["PLANTED", "Engine", "planted"]
