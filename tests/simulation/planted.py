# ruff: noqa: ANN401 - a planted bug passes on whatever it was given
"""Engines with one bug each, of every kind the simulation must find. None of this is reachable from the product."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from heapq import heapify
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

from stepdown.domain.tiers import TierState
from stepdown.resilience.backoff import BackoffPolicy
from stepdown.resilience.circuit_breaker import CircuitBreaker
from stepdown.resilience.extra_work import ExtraWork
from stepdown.serving.engine import queueing
from stepdown.serving.engine.batching import Batching
from stepdown.serving.engine.candidate import Split
from stepdown.serving.engine.candidates import Candidates
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.fair_queue import FairQueue
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.probation import Probation
from stepdown.serving.engine.queueing import CaseQueue
from stepdown.serving.engine.replies import Replies
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Tier
from stepdown.serving.engine.watch import Watch
from tests.simulation.planted_rules import PLANTED_IN_RULES, never_s

_NEVER_S = float("inf")


def _settle_leaves_the_case_open(self: Cascade, case: Any, now_s: float) -> None:
    ORIGINALS["settle"](self, case, now_s)
    case.done = False


def _settle_skips_tell(self: Cascade, case: Any, now_s: float) -> None:
    if case.held is not None and case.held.rank == 1:
        return
    ORIGINALS["settle"](self, case, now_s)


def _exited_forgets_what_was_owed(self: Supervision, worker: int, **arguments: Any) -> Any:
    tier, _ = ORIGINALS["exited"](self, worker, **arguments)
    return tier, ()


def _kill_forgets_what_was_owed(self: Supervision, tier: Tier, **arguments: Any) -> tuple[()]:
    ORIGINALS["kill"](self, tier, **arguments)
    return ()


def _probe_error_ignored(self: Supervision, tier: Tier, flight: Any, *, error: str, now_s: float) -> Any:
    del error
    return ORIGINALS["probe_done"](self, tier, flight, error="", now_s=now_s)


def _graduates_unproved(self: Probation, tier: Tier, now_s: float) -> None:
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
    for case in batch:
        self.put(case)
    return batch


def _keeps_flights_of_lost_workers(self: Supervision, tier: Tier) -> Any:
    flights = dict(tier.flights)
    owed = ORIGINALS["forget_worker"](self, tier)
    tier.flights.update(flights)
    return owed


def _mapping_never_forgets(self: Supervision, worker: int, **arguments: Any) -> Any:
    tier = self.tier_of_worker.get(worker)
    found = ORIGINALS["exited"](self, worker, **arguments)
    if tier is not None:
        self.tier_of_worker[worker] = tier
    return found


def _settle_prefers_the_rules(self: Cascade, case: Any, now_s: float) -> None:
    case.held = None
    ORIGINALS["settle"](self, case, now_s)


def _ends_and_stays_queued(self: Cascade, case: Any) -> None:
    case.done = True
    self._open.pop(id(case.request), None)


def _takes_the_expired(self: CaseQueue, *, maximum_rows: int, now_s: float) -> Any:
    del now_s
    return ORIGINALS["take_batch"](self, maximum_rows=maximum_rows, now_s=-_NEVER_S)


def _keeps_its_turn(self: FairQueue) -> Any:
    case = ORIGINALS["take"](self)
    if case is not None:
        for place, (_, ticket, lane) in enumerate(self._turns):
            if lane.client == case.request.client:
                self._turns[place] = (-1, ticket, lane)
        heapify(self._turns)
    return case


def _probes_the_first_tier_only(self: Supervision, tier: Tier, now_s: float) -> None:
    if tier.rank == 0 or tier.state is not TierState.SERVING:
        ORIGINALS["probe_if_due"](self, tier, now_s)


def _drain_ends_what_was_accepted(self: Engine, event: Any) -> None:
    ORIGINALS["drain_started"](self, event)
    for cascade in self._cascades.values():
        for case in tuple(cascade._open.values()):  # noqa: SLF001
            cascade.cancelled(case.request)


def _respawns_beside_the_dying(self: Supervision, tier: Tier, now_s: float) -> None:
    tier.dying.clear()
    ORIGINALS["respawn"](self, tier, now_s)


def _respawns_while_draining(self: Supervision, tier: Tier, now_s: float) -> None:
    draining, self.draining = self.draining, False
    ORIGINALS["tick"](self, tier, now_s)
    self.draining = draining


def _due_while_draining(self: Supervision, tier: Tier) -> float:
    draining, self.draining = self.draining, False
    due_s = ORIGINALS["next_due_s"](self, tier)
    self.draining = draining
    return float(due_s)


def _quarantine_wears_off(self: Tier, state: TierState, *, now_s: float, **arguments: Any) -> None:
    ORIGINALS["move"](self, state, now_s=now_s, **arguments)
    if state is TierState.QUARANTINED:
        self.start_due_s = now_s + 0.1


def _flights_outlive_their_worker(self: Supervision, tier: Tier) -> Any:
    live = {sequence: flight for sequence, flight in tier.flights.items() if flight.cases}
    BURIED.setdefault(tier, {}).update(live)
    return ORIGINALS["forget_worker"](self, tier)


def _lands_late(self: Replies, worker: int, sequence: int, now_s: float) -> Any:
    tier = self._supervision.tier_of_worker.get(worker)
    flight = BURIED.get(tier, {}).pop(sequence, None) if tier is not None else None
    if tier is None or flight is None:
        return ORIGINALS["land"](self, worker, sequence, now_s)
    for case in flight.cases:
        case.asked_s.setdefault(tier.rank, now_s)
    tier.identity = tier.identity or tier.identity_on(tier.spec.execution_providers[0], "")
    return tier, flight


def _looks_back_at_nothing(tier: Tier, successor: Tier, candidate: Any) -> None:
    ORIGINALS["inherit"](tier, successor, candidate)
    successor.previous = None


def _keeps_the_name_of_the_version_before(self: Pathway, candidate: Any) -> None:
    before = self.models[candidate.tier.rank].identity
    ORIGINALS["promote"](self, candidate)
    candidate.tier.identity = before or candidate.tier.identity


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _zero_s(*_: Any, **__: Any) -> float:
    return 0.0


BURIED: WeakKeyDictionary[Tier, dict[int, Any]] = WeakKeyDictionary()

ORIGINALS: dict[str, Callable[..., Any]] = {
    "settle": Cascade._settle,  # noqa: SLF001
    "exited": Supervision.exited,
    "kill": Supervision.kill,
    "probe_done": Supervision.probe_done,
    "probe_if_due": Supervision.probe_if_due,
    "drain_started": Engine._drain_started,  # noqa: SLF001
    "respawn": Supervision._respawn,  # noqa: SLF001
    "tick": Supervision.tick,
    "next_due_s": Supervision.next_due_s,
    "move": Tier.move,
    "take": FairQueue.take,
    "land": Replies._land,  # noqa: SLF001
    "deliver": Replies._deliver,  # noqa: SLF001
    "degradations": Cascade._degradations,  # noqa: SLF001
    "succeeded": Cascade.succeeded,
    "take_batch": CaseQueue.take_batch,
    "inherit": Candidates._inherit,  # noqa: SLF001
    "promote": Pathway.promote,
    "forget_worker": Supervision._forget_worker,  # noqa: SLF001
}

Patch = tuple[Any, str, Any]

PLANTED: dict[str, tuple[Patch, ...]] = {
    # answers
    "double answer": ((Cascade, "_settle", _settle_leaves_the_case_open),),
    "answer never sent": ((Cascade, "_settle", _settle_skips_tell),),
    "rules answer although a model answered": ((Cascade, "_settle", _settle_prefers_the_rules),),
    "answers swapped within a batch": ((Replies, "_deliver", _delivers_in_reverse),),
    "silent degradation": ((Cascade, "_degradations", staticmethod(_drops_a_degradation)),),
    "wrong tier and digest": ((Cascade, "succeeded", _identity_of_the_first_tier),),
    "cancelled callers answered": ((Cascade, "cancelled", _nothing),),
    "held answer of a liar given": ((Cascade, "distrust", _nothing),),
    "caller's minimum ignored": ((Cascade, "_rules_accepted", lambda _cascade, _case: True),),
    "deadlines never looked at": ((Cascade, "tick", _nothing),),
    "hedge never started": ((Cascade, "_plan_hedge", _nothing),),
    # work
    "lost wake-up": ((Batching, "fill", _nothing),),
    "slot reused": ((Tier, "free_slot", lambda _tier: 0),),
    "requests of a dead worker forgotten": ((Supervision, "exited", _exited_forgets_what_was_owed),),
    "requests of a killed worker forgotten": ((Supervision, "kill", _kill_forgets_what_was_owed),),
    "cancelled request dispatched": ((Cascade, "_end", _ends_and_stays_queued),),
    "expired request dispatched": ((CaseQueue, "take_batch", _takes_the_expired),),
    "urgency inverted": ((queueing, "MOST_URGENT_FIRST", tuple(reversed(queueing.MOST_URGENT_FIRST))),),
    "fairness off": ((FairQueue, "take", _keeps_its_turn),),
    "hedge cap ignored": ((ExtraWork, "affords", lambda _extra, _rows: True),),
    "emergencies turned away": ((CaseQueue, "can_displace", lambda _queue, _urgency, _client, **_: False),),
    "batch queued again": ((CaseQueue, "take_batch", _queue_lets_expired_wait),),
    "queue without bound": ((Tier, "is_full", lambda _tier, _urgency: False),),
    "drain drops requests": ((Engine, "_drain_started", _drain_ends_what_was_accepted),),
    # workers
    "failed probe ignored": ((Supervision, "probe_done", _probe_error_ignored),),
    "lower tiers not probed": ((Supervision, "probe_if_due", _probes_the_first_tier_only),),
    "no probation": ((Probation, "graduate_if_due", _graduates_unproved),),
    "illegal move": ((Supervision, "open_breaker", _breaker_opens_to_refused),),
    "breaker never tried again": ((CircuitBreaker, "half_open_due_s", _nothing),),
    "breaker never closes": ((CircuitBreaker, "close", _nothing),),
    "worker never respawned": ((Supervision, "_respawn", _nothing),),
    "respawn without back-off": ((BackoffPolicy, "delay_s", _zero_s),),
    "respawn beside a worker that has not ended": ((Supervision, "_respawn", _respawns_beside_the_dying),),
    "respawn while draining": (
        (Supervision, "tick", _respawns_while_draining),
        (Supervision, "next_due_s", _due_while_draining),
    ),
    "quarantine forgotten": ((Tier, "move", _quarantine_wears_off),),
    "flights kept after a kill": ((Supervision, "_forget_worker", _keeps_flights_of_lost_workers),),
    "late reply accepted": (
        (Supervision, "_forget_worker", _flights_outlive_their_worker),
        (Replies, "_land", _lands_late),
    ),
    "silent workers never looked at": ((Watch, "look", _nothing), (Watch, "due_s", never_s)),
    # versions
    "wrong digest after a swap": ((Pathway, "promote", _keeps_the_name_of_the_version_before),),
    "canary share wrong": ((Split, "takes", lambda _split: True),),
    "canary never asked": ((Split, "takes", lambda _split: False),),
    "rollback forgets": ((Candidates, "_inherit", staticmethod(_looks_back_at_nothing)),),
    "replaced version stays": ((Candidates, "_see_off", _nothing),),
    **PLANTED_IN_RULES,
    # truth and memory
    "capability not updated": ((Pathway, "update_capability", _nothing),),
    "ended workers remembered": ((Supervision, "exited", _mapping_never_forgets),),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    """A context in which the engine has the bug of that name."""
    with ExitStack() as stack:
        for target, attribute, replacement in PLANTED[name]:
            stack.enter_context(patch.object(target, attribute, replacement))
        yield
