"""How tiers must behave, whatever is done to them: legal moves, bounded queues, no storm, honest capability."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, log2

from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.notices import CapabilityChanged, Notice, TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Capability, TierState
from stepdown.resilience.circuit_breaker import BreakerState
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.tier import Tier
from stepdown.serving.tier_states import LEGAL_MOVES
from tests.simulation.chain import MAXIMUM_BATCH, POLICY
from tests.simulation.invariants import AMPLE_S, Violation
from tests.simulation.starts import Starts
from tests.simulation.workers import SimulatedWorker

_SPIN_LIMIT = 6
_PROMOTION = "a new version"
_SHORT_QUEUE_ROWS = MAXIMUM_BATCH
_HELD_BY_OPERATORS = frozenset({TierState.QUARANTINED, TierState.DISABLED})
_LATE_PROBE_S = POLICY.probe_period_s + 4 * POLICY.watchdog_s
"""A period after the last came back, with both slots held before it and again behind it."""

Key = tuple[str, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """What is known of one model tier. `acts`: what operators did; `starts_s`: of its processes."""

    able_since_s: float = inf
    worker: int | None = None
    probed_s: float = 0.0
    served_s: float = inf
    is_freed: bool = False
    acts: int = 0
    starts_s: list[float] = field(default_factory=list)
    moves: Counter[str] = field(default_factory=Counter)


class Conduct:
    """Watches the tiers of one engine. Times are the engine's own."""

    def __init__(self, engine: Engine, workers: dict[int, SimulatedWorker]) -> None:
        self._workers = workers
        self._pathways = tuple(engine.pathways.values())
        self._engine = engine
        self.records: dict[Key, Record] = {
            (tier.pathway, tier.name): Record() for pathway in self._pathways for tier in pathway.models
        }
        self._starts = Starts(engine, workers)
        self._told = {pathway.name: pathway.capability for pathway in self._pathways}
        self._wakes_at: tuple[float, int] = (0.0, 0)
        self._began_s = 0.0
        self.is_draining = False
        self.moves = 0

    # --- what is done ----------------------------------------------------------------------------------------------

    def able_since_s(self, pathway: str, tier: str) -> float:
        """Since when the tier could have answered anybody, without a break."""
        return self.records[pathway, tier].able_since_s

    def disturbed(self, tier: Key) -> None:
        """Something was done to the workers of a tier."""
        self.records[tier].able_since_s = inf

    def all_disturbed(self) -> None:
        """The server's clock or processor failed it: what it knows of speeds is not worth much until batches return."""
        for record in self.records.values():
            record.able_since_s = inf

    def rules_serve(self, pathway: str) -> bool:
        """Whether the rules of a pathway may answer now."""
        return any(
            path.name == pathway and path.rules is not None and path.rules.state is TierState.SERVING
            for path in self._pathways
        )

    def disabled(self, tier: Key) -> None:
        """An operator took the tier out."""
        if tier in self.records:
            self.records[tier].acts += 1
            self.records[tier].is_freed = False

    def freed(self, tier: Key) -> None:
        """An operator gave the tier back: its budget of starts is new."""
        record = self.records.get(tier)
        if record is None:
            return
        record.is_freed = True
        record.acts += 1
        self._starts.granted(self._engine.pathways[tier[0]].tier(tier[1]))

    def started(self, order: SpawnWorker, now_s: float) -> None:
        """A process was ordered."""
        record = self.records[order.pathway, order.tier]
        record.starts_s.append(now_s)
        recent = sum(now_s - moment_s <= POLICY.fault_window_s for moment_s in record.starts_s)
        tier = self._starts.check(order, now_s, recent=recent, acts=record.acts)
        if not tier.aside:
            record.is_freed = False

    def drained(self) -> None:
        """The server was asked to end."""
        self.is_draining = self._starts.is_draining = True

    def probed(self, worker: SimulatedWorker, now_s: float) -> None:
        """A golden probe was sent."""
        self.records[worker.order.pathway, worker.order.tier].probed_s = now_s

    def told(self, notice: Notice, now_s: float) -> None:
        """Check the moves that observers are told."""
        if isinstance(notice, TierMoved):
            self._moved(notice, now_s)
        elif isinstance(notice, CapabilityChanged):
            if notice.previous is notice.capability or notice.previous is not self._told[notice.pathway]:
                raise Violation("a change of capability that is none")
            self._told[notice.pathway] = notice.capability

    def _moved(self, notice: TierMoved, now_s: float) -> None:
        changed = notice.state is not notice.previous
        if changed and notice.state not in LEGAL_MOVES[notice.previous]:
            raise Violation("a tier made an illegal move")
        if notice.state is not TierState.SERVING and notice.reason is None:
            raise Violation("a tier is out of service without a reason")
        self.moves += changed
        record = self.records.get((notice.pathway, notice.tier))
        if not changed or record is None:
            return
        record.moves["all"] += 1
        record.moves["rests"] += notice.state is TierState.SUSPENDED and notice.reason is Reason.BREAKER_OPEN
        was_held = notice.previous in _HELD_BY_OPERATORS and notice.state is TierState.STARTING
        if was_held and not record.is_freed and notice.detail != _PROMOTION:
            raise Violation("a tier left quarantine, or came back from an operator, with nobody's leave")
        if notice.previous is TierState.SERVING and now_s >= record.served_s + POLICY.stable_s:
            self._starts.granted(self._engine.pathways[notice.pathway].tier(notice.tier))
        record.served_s = record.probed_s = now_s

    def _models(self) -> Iterator[Tier]:
        for pathway in self._pathways:
            yield from pathway.models

    # --- between any two events ------------------------------------------------------------------------------------

    def look(self, now_s: float) -> None:
        """Note who is able to answer, as the engine decided it and before it is carried out."""
        self._began_s = self._began_s or now_s
        for tier in self._models():
            worker = self._workers.get(tier.worker or 0)
            record = self.records[tier.pathway, tier.name]
            serves = tier.state is TierState.SERVING and tier.queue.rows <= _SHORT_QUEUE_ROWS
            # A tier that was slow for long is asked by the patient only, until its probes have shown it to be quick.
            serves = serves and (tier.latency.quantile_s(0.5) or 0.0) <= AMPLE_S / 3
            if worker is None or not serves or not worker.sound or record.worker != tier.worker:
                record.able_since_s = inf
            elif record.able_since_s == inf and not worker.slots:
                record.able_since_s = now_s
            record.worker = tier.worker

    def check(self, now_s: float, excused_until_s: float) -> None:
        """Bounds and truths that hold once everything decided has been carried out."""
        for tier in self._engine._running():  # noqa: SLF001 - a simulation looks inside
            # A version that takes a tier over takes over what waits for the one before.
            queues = 1 if tier.activation is None else 2
            if not 0 <= tier.queue.rows <= queues * POLICY.maximum_queue_rows + MAXIMUM_BATCH:
                raise Violation("a queue left its bounds")
            self._check_flights(tier)
            head = next(iter(tier.flights.values()), None)
            if head is not None and now_s > max(head.running_s, excused_until_s) + POLICY.watchdog_s + 1e-6:
                raise Violation("a worker that has been silent for too long lives on")
            if tier.state is TierState.SERVING:
                self._check_serving(tier, now_s, excused_until_s)
        for pathway in self._pathways:
            _check_capability(pathway, now_s)
            if pathway.capability is not self._told[pathway.name]:
                raise Violation("the capability changed and nobody was told")

    def _check_flights(self, tier: Tier) -> None:
        flights = tier.flights
        worker = self._workers.get(tier.worker or 0)
        if worker is None:
            if flights:
                raise Violation("a tier without a worker waits for one")
        elif worker.alive and sorted(flights) != sorted(worker.slots.values()):
            raise Violation("a tier and its worker disagree about what is under way")

    def _check_serving(self, tier: Tier, now_s: float, excused_until_s: float) -> None:
        if tier.identity is None:
            raise Violation("a tier serves without an identity")
        if tier.breaker.state is not BreakerState.CLOSED:
            raise Violation("a tier serves behind a breaker that is not closed")
        if len(tier.flights) < 2 and any(case.answer_by_s > now_s for case in tier.queue.cases()):
            raise Violation("requests wait although a slot is free")
        if tier.aside:
            return
        due_s = max(self.records[tier.pathway, tier.name].probed_s, excused_until_s) + _LATE_PROBE_S
        if now_s > due_s and not any(flight.kind is None for flight in tier.flights.values()):
            raise Violation("a serving tier is not probed any more")

    def woken(self, now_s: float, next_due_s: float) -> None:
        """The engine may not ask to be woken for nothing again and again."""
        moment_s, count = self._wakes_at
        self._wakes_at = (now_s, count + 1 if now_s == moment_s else 0)
        if self._wakes_at[1] > _SPIN_LIMIT and next_due_s <= now_s:
            raise Violation("the engine spins without time passing")

    # --- at the end ------------------------------------------------------------------------------------------------

    def check_moves(self, now_s: float) -> None:
        """Tiers do not flap: moves are paid for by starts, by operators, and by rests that grow."""
        span_s = now_s - self._began_s
        for (_, tier), record in self.records.items():
            rests = 2 + log2(1 + span_s / POLICY.breaker.open_duration_s)
            rests += span_s / POLICY.breaker.maximum_open_duration_s
            if record.moves["rests"] > rests:
                raise Violation(f"the breaker of {tier} opens again and again")
            if record.moves["all"] > 5 * (len(record.starts_s) + record.moves["rests"] + record.acts + 1):
                raise Violation(f"{tier} flaps")


def _check_capability(pathway: Pathway, now_s: float) -> None:
    """As it follows from the states, worked out here again."""
    counts = [
        tier.state is TierState.SERVING
        and not any(flight.stalled for flight in list(tier.flights.values())[:1])
        and now_s >= tier.unsteady_until_s
        for tier in pathway.models
    ]
    if any(counts):
        expected = Capability.FULL if counts[0] else Capability.DEGRADED
    else:
        rules = pathway.rules is not None and pathway.rules.state is TierState.SERVING
        expected = Capability.RULES_ONLY if rules else Capability.NONE
    if pathway.capability is not expected:
        raise Violation("a pathway claims more or less than it can do")
