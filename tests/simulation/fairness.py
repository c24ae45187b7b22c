"""How a tier's queue is shared: by urgency, among clients, and how much is done twice to be safe."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from stepdown.domain.engine_effects import DispatchBatch
from stepdown.domain.engine_events import Request
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.pathway import Pathway
from tests.simulation.chain import MAXIMUM_BATCH, POLICY
from tests.simulation.invariants import Violation, number_of

if TYPE_CHECKING:
    from stepdown.serving.engine.tier import Tier

_ROUTINE_FIRST = (Urgency.ROUTINE, Urgency.URGENT, Urgency.EMERGENCY)
_RANK = {urgency: rank for rank, urgency in enumerate(_ROUTINE_FIRST)}
_OVERTAKING_SHARE = 0.25
"""One row in eight is owed to each of the two classes that let the most urgent pass."""
_OVERTAKING_ROWS = 4 * MAXIMUM_BATCH
_PATIENCE_ROWS = 3 * MAXIMUM_BATCH
"""Rows of another client, of the same urgency, that may pass a client's first in the queue."""

Lane = tuple[Urgency, str]


@dataclass(slots=True, kw_only=True, eq=False)
class _Share:
    """What one tier has served while others waited. `heads`: each lane's first request, and who has passed it."""

    rows: int = 0
    overtaking_rows: int = 0
    heads: dict[Lane, tuple[int, Counter[str]]] = field(default_factory=dict)


class Fairness:
    """Watches every queue, and what is asked of two tiers at once. Extra work is counted per pathway."""

    def __init__(self, engine: Engine) -> None:
        self._tier_of_worker = engine._supervision.tier_of_worker  # noqa: SLF001 - a simulation looks inside
        self._shares: WeakKeyDictionary[Tier, _Share] = WeakKeyDictionary()
        self._batches: list[tuple[Tier, list[Request]]] = []
        self._asked_rows: Counter[str] = Counter()
        self._extra_rows: Counter[str] = Counter()
        self._hedged: set[int] = set()

    def accepted(self, request: Request) -> None:
        """One more was asked."""
        if request.payload is not None:
            self._asked_rows[request.pathway] += request.payload.rows

    def dispatched(self, batch: DispatchBatch, requests: list[Request]) -> None:
        """Live work goes out."""
        self._batches.append((self._tier_of_worker[batch.worker], requests))
        if len({request.vetted for request in requests}) > 1:
            raise Violation("a batch mixes what intake has checked with what it has not")

    def check_extra_work(self, pathway: Pathway, cases: Iterable[Case]) -> None:
        """After time has passed: who asks two tiers now, though the first is not known to be silent."""
        for case in cases:
            number = number_of(case.request)
            if len(case.asked_s) < 2 or number in self._hedged:
                continue
            self._hedged.add(number)
            if not any(asked.stalled() for asked in case.asked_of.values()):
                self._extra_rows[pathway.name] += case.rows
        allowed = POLICY.hedge_burst_rows + POLICY.hedge_share * self._asked_rows[pathway.name]
        if self._extra_rows[pathway.name] > allowed:
            raise Violation("more is done twice than may be")

    def check(self, now_s: float) -> None:
        """After an event: who was served, and who was left waiting meanwhile."""
        for tier, requests in self._batches:
            waiting = [case.request for case in tier.queue.cases() if case.answer_by_s > now_s]
            share = self._shares.setdefault(tier, _Share())
            self._check_urgency(share, requests, waiting)
            self._check_clients(share, requests, waiting)
        self._batches.clear()

    @staticmethod
    def _check_urgency(share: _Share, requests: list[Request], waiting: list[Request]) -> None:
        most = max((_RANK[request.urgency] for request in waiting), default=0)
        served = [(_RANK[each.urgency], each.payload.rows) for each in requests if each.payload is not None]
        share.rows += sum(rows for _, rows in served)
        share.overtaking_rows += sum(rows for rank, rows in served if rank < most)
        if share.overtaking_rows > _OVERTAKING_SHARE * share.rows + _OVERTAKING_ROWS:
            raise Violation("the less urgent are served before the more urgent")

    @staticmethod
    def _check_clients(share: _Share, requests: list[Request], waiting: list[Request]) -> None:
        heads: dict[Lane, tuple[int, Counter[str]]] = {}
        for request in waiting:
            lane = (request.urgency, request.client)
            if lane in heads:
                continue
            number = number_of(request)
            known, passed = share.heads.get(lane, (number, Counter()))
            heads[lane] = (number, passed if known == number else Counter())
        for request in requests:
            for (urgency, client), (_, passed) in heads.items():
                if urgency is request.urgency and client != request.client and request.payload is not None:
                    passed[request.client] += request.payload.rows
                    if passed[request.client] > _PATIENCE_ROWS:
                        raise Violation("a client waits while another is served again and again")
        share.heads = heads
