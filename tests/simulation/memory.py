"""What the engine remembers: nobody is forgotten while he waits, and nothing is kept once he has his answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stepdown.domain.engine_events import Request
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.tier import Tier
from tests.simulation.invariants import Violation
from tests.simulation.workers import SimulatedWorker

if TYPE_CHECKING:
    from stepdown.serving.engine.cascade import Cascade

_FULL = "all of the queue that requests of this urgency may fill is taken"
_REMINDERS = 400
"""Reminders of answered requests that a quiet engine may still hold."""


def check_nobody_is_forgotten(engine: Engine, now_s: float) -> None:
    """Every open request is with a living worker or in a queue that somebody serves, or its time is over."""
    for name, pathway in engine.pathways.items():
        running = (*pathway.models, *pathway.aside)
        for tier in running:
            _check_count(tier)
        cases = engine._cascades[name]._open  # noqa: SLF001 - a simulation looks inside
        if not cases:
            continue
        with_tier: list[set[int]] = [set() for _ in pathway.tiers]
        for tier in running:
            with_tier[tier.rank].update(map(id, tier.cases()))
        for case in cases.values():
            if case.answer_by_s > now_s and not any(id(case) in with_tier[rank] for rank in case.asked_s):
                raise Violation("a request waits for a tier that does not know of it")


def check_emergencies_are_let_in(engine: Engine, requests: Iterable[Request]) -> None:
    """An emergency is not turned away for want of room while something less urgent has its place."""
    for request in requests:
        cascade = engine._cascades[request.pathway]  # noqa: SLF001
        case = cascade._open.get(id(request))  # noqa: SLF001
        for rank, degradation in case.degradations.items() if case is not None else ():
            tier = engine.pathways[request.pathway].models[rank]
            less = any(each.request.urgency is not Urgency.EMERGENCY for each in tier.queue.cases())
            if degradation.detail == _FULL and less:
                raise Violation("an emergency was turned away while something less urgent waits in its place")


def _check_count(tier: Tier) -> None:
    if tier.queue.rows and sum(case.rows for case in tier.queue.cases()) > tier.queue.rows:
        raise Violation("a queue miscounts what waits in it")


def check_nothing_is_kept(engine: Engine, workers: Iterable[SimulatedWorker]) -> None:
    """At rest: no request, no batch, no ended worker is remembered."""
    cascades: Iterable[Cascade] = engine._cascades.values()  # noqa: SLF001
    if engine.open_requests() or any(cascade.touched for cascade in cascades):
        raise Violation("a request is open at rest")
    if any(len(cascade._due) > _REMINDERS for cascade in cascades):  # noqa: SLF001
        raise Violation("reminders of answered requests are kept")
    living = {worker.order.worker for worker in workers if not worker.gone}
    if set(engine._supervision.tier_of_worker) != living:  # noqa: SLF001
        raise Violation("an ended worker is remembered, or a living one forgotten")
    for tier in engine._running():  # noqa: SLF001
        if tier.queue.rows or tier.queue.cases():
            raise Violation("a request waits at rest")
        if any(flight.cases for flight in tier.flights.values()) or set(tier.dying) - living:
            raise Violation("a batch or an ended worker is remembered at rest")
