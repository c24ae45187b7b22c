"""A whole server in simulation.

The real engine, fake workers, a fake clock and seeded faults, checked after every step.

Nothing here is drawn but from one seeded generator, so a seed is a schedule and replays exactly.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from random import Random

from stepdown.domain.engine_effects import (
    AnswerRequest,
    BatchKind,
    DispatchBatch,
    DispatchProbe,
    Effect,
    KillWorker,
    SpawnWorker,
    Tell,
)
from stepdown.domain.engine_events import (
    BatchCompleted,
    BatchFailed,
    Event,
    ProbeCompleted,
    Request,
    RequestCancelled,
    RequestsArrived,
    TierDisabled,
    TierEnabled,
    TimePassed,
    WorkerExited,
    WorkerReady,
    WorkerRefused,
)
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tensors import RowsResult, TensorRows
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.engine import Engine
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.simulation.invariants import Ledger, Violation, check_nobody_is_forgotten, check_state
from tests.simulation.workers import LoadFate, SimulatedWorker, Vice

_DISTANT_S = 1e6


class World:
    """Runs one engine under one seed. Raises Violation at the first broken promise."""

    def __init__(self, seed: int, *, engine_type: Callable[..., Engine] = Engine) -> None:
        self.random = Random(seed)
        self.now_s = 100.0
        self.engine = engine_type(pathways=(CHAIN,), policy=POLICY, now_s=self.now_s)
        self.workers: dict[int, SimulatedWorker] = {}
        self.fates: dict[str, list[LoadFate]] = {"full": [], "distilled": []}
        self.ledger = Ledger()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._ticket = 0

    # --- running ---------------------------------------------------------------------------------------------------

    def at(self, moment_s: float, action: Callable[[], None]) -> None:
        """Let something happen at a time."""
        self._ticket += 1
        heappush(self._agenda, (moment_s, self._ticket, action))

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.at(self.now_s + delay_s, action)

    def start(self) -> None:
        """Bring the chain up."""
        self._carry_out(self.engine.start(self.now_s))

    def run_until(self, end_s: float) -> None:
        """Live through everything due before `end_s`, waking the engine whenever it asked to be."""
        while True:
            due_s = self.engine.next_due_s()
            next_s = self._agenda[0][0] if self._agenda else _DISTANT_S
            if min(due_s, next_s) > end_s:
                self.now_s = end_s
                return
            if due_s <= next_s:
                self.now_s = max(self.now_s, due_s)
                self.drive(TimePassed())
                self.ledger.note_wake(self.now_s, self.engine.next_due_s())
            else:
                moment_s, _, action = heappop(self._agenda)
                self.now_s = max(self.now_s, moment_s)
                action()

    def drive(self, event: Event) -> None:
        """Hand the engine one event, carry out what it wants and check every promise."""
        self._carry_out(self.engine.handle(event, self.now_s))
        check_state(self.engine)
        check_nobody_is_forgotten(self.engine)
        self.ledger.check_deadlines(self.now_s)

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case SpawnWorker():
                    self._spawn(effect)
                case KillWorker():
                    self._kill(self.workers[effect.worker])
                case DispatchBatch():
                    self._dispatch(effect)
                case DispatchProbe():
                    self._probe(effect)
                case AnswerRequest():
                    self.ledger.answered(effect, self.now_s)
                case Tell():
                    self.ledger.told(effect.notice)

    # --- callers ---------------------------------------------------------------------------------------------------

    def ask(self, count: int, *, budget_s: float) -> tuple[Request, ...]:
        """Send requests that arrive in one wake-up."""
        requests = tuple(self._request(budget_s) for _ in range(count))
        for request in requests:
            self.ledger.accepted(request)
        self.drive(RequestsArrived(requests=requests))
        return requests

    def _request(self, budget_s: float) -> Request:
        number = self.ledger.next_number()
        wish = self.random.random()
        return Request(
            pathway=PATHWAY,
            payload=TensorRows(rows=1, tensors=(number.to_bytes(8, "little"),)) if wish > 0.03 else None,
            deadline_s=self.now_s + budget_s,
            reply_to=number,
            rules_in_hand=wish < 0.95,
            minimum_tier="distilled" if 0.5 < wish < 0.54 else "",
            only_tier="full" if 0.6 < wish < 0.64 else "",
            urgency=self.random.choice(list(Urgency)),
        )

    def cancel(self, request: Request) -> None:
        """The caller goes away, answered or not."""
        self.ledger.cancelled(request)
        self.drive(RequestCancelled(request=request))

    # --- workers ---------------------------------------------------------------------------------------------------

    def _spawn(self, order: SpawnWorker) -> None:
        if order.worker in self.workers:
            raise Violation("a worker number was used twice")
        self.ledger.started(order.tier, self.now_s)
        worker = self.workers[order.worker] = SimulatedWorker(order=order)
        fates = self.fates[order.tier]
        fate = fates.pop(0) if fates else LoadFate.READY
        load_s = self.random.uniform(0.01, 0.1)
        actions = {
            LoadFate.READY: lambda: self._ready(worker),
            LoadFate.REFUSED: lambda: self._refuse(worker, Reason.KNOWN_ANSWER_MISMATCH),
            LoadFate.UNAVAILABLE: lambda: self._refuse(worker, Reason.PROVIDER_UNAVAILABLE),
            LoadFate.DIES: lambda: self.die(worker, "exit 1"),
            LoadFate.NEVER: lambda: self._refuse(worker, Reason.INTERNAL_FAULT),  # the pool's load limit
        }
        self.after(load_s * (20 if fate is LoadFate.NEVER else 1), actions[fate])

    def _ready(self, worker: SimulatedWorker) -> None:
        if worker.alive and not worker.killed:
            worker.ready = True
            provider = worker.order.execution_providers[0]
            report = WorkerReport(
                pid=worker.order.worker,
                execution_provider=provider,
                device=f"device-of-{worker.order.worker}",
                placement_share=1.0,
                known_answer_error=0.0,
                latency_s=((1, 0.002), (4, 0.004)),
            )
            self.ledger.worker_ready(worker, report)
            self.drive(WorkerReady(worker=worker.order.worker, report=report))

    def _refuse(self, worker: SimulatedWorker, reason: Reason) -> None:
        if worker.alive and not worker.killed:
            worker.condemned = True
            self.drive(WorkerRefused(worker=worker.order.worker, reason=reason, detail="simulated"))
            self.after(0.01, lambda: self.die(worker, "refused"))

    def die(self, worker: SimulatedWorker, detail: str) -> None:
        """The process ends; whatever it owed is never sent."""
        if worker.alive:
            worker.alive = False
            worker.slots.clear()
            self.after(self.random.uniform(0, 0.005), lambda: self._exit_seen(worker, detail))

    def _exit_seen(self, worker: SimulatedWorker, detail: str) -> None:
        self.drive(WorkerExited(worker=worker.order.worker, detail=detail))

    def _kill(self, worker: SimulatedWorker) -> None:
        worker.killed = True
        self.after(3.0 if worker.unkillable else 0.002, lambda: self.die(worker, "signal 9"))

    def _occupy(self, worker: SimulatedWorker, slot: int, sequence: int) -> None:
        if not worker.ready:
            raise Violation("work was sent to a worker that never reported ready")
        if worker.condemned or worker.killed:
            raise Violation("work was sent to a worker that had been given up")
        if slot in worker.slots:
            raise Violation("a slot was reused before its reply")
        worker.slots[slot] = sequence

    def _dispatch(self, batch: DispatchBatch) -> None:
        worker = self.workers[batch.worker]
        self._occupy(worker, batch.slot, batch.sequence)
        if batch.kind is BatchKind.LIVE and worker.probes_passed < POLICY.probation_probes:
            raise Violation("a worker served before it passed its probation")
        self._run(worker, batch.slot, batch.sequence, lambda: self._batch_event(worker, batch))

    def _probe(self, probe: DispatchProbe) -> None:
        worker = self.workers[probe.worker]
        self._occupy(worker, probe.slot, probe.sequence)
        self._run(worker, probe.slot, probe.sequence, lambda: self._probe_event(worker, probe))

    def _run(self, worker: SimulatedWorker, slot: int, sequence: int, event: Callable[[], Event]) -> None:
        took_s = self.random.uniform(0.001, 0.006)
        if worker.vice is Vice.SLOW:
            took_s *= self.random.choice((10, 40, 100))
        worker.busy_until_s = max(worker.busy_until_s, self.now_s) + took_s
        self.at(worker.busy_until_s, lambda: self._reply(worker, slot, sequence, event))

    def _reply(self, worker: SimulatedWorker, slot: int, sequence: int, event: Callable[[], Event]) -> None:
        if not worker.alive:
            return
        if worker.vice is Vice.HUNG:
            self.after(0.2, lambda: self._reply(worker, slot, sequence, event))
            return
        if worker.slots.get(slot) == sequence:
            del worker.slots[slot]
        self.drive(event())

    def _batch_event(self, worker: SimulatedWorker, batch: DispatchBatch) -> Event:
        number = worker.order.worker
        if worker.vice in {Vice.RAISES, Vice.STICKY}:
            sticky = worker.vice is Vice.STICKY
            reason = Reason.EXECUTION_FAILED
            worker.condemned = worker.condemned or sticky
            return BatchFailed(worker=number, sequence=batch.sequence, reason=reason, detail="simulated", sticky=sticky)
        results = tuple(self._result(worker, payload) for payload in batch.payloads)
        if worker.vice is Vice.SHORT_REPLY:
            results = results[:-1]
        return BatchCompleted(worker=number, sequence=batch.sequence, results=results, compute_s=0.001)

    def _result(self, worker: SimulatedWorker, payload: TensorRows) -> RowsResult:
        if worker.vice in {Vice.NOT_FINITE, Vice.POISONED}:
            return RowsResult(outputs=None, reason=Reason.OUTPUT_INVALID, detail="not finite")
        return RowsResult(outputs={"echo": bytes(payload.tensors[0]), "worker": str(worker.order.worker).encode()})

    def _probe_event(self, worker: SimulatedWorker, probe: DispatchProbe) -> Event:
        number = worker.order.worker
        if worker.vice in {Vice.RAISES, Vice.STICKY}:
            worker.condemned = True
            reason = Reason.EXECUTION_FAILED
            return BatchFailed(worker=number, sequence=probe.sequence, reason=reason, detail="simulated", sticky=True)
        wrong = worker.vice in {Vice.GARBAGE, Vice.NOT_FINITE}
        worker.condemned = worker.condemned or wrong
        worker.probes_passed += not wrong
        error = "off by 3 tolerances" if wrong else ""
        return ProbeCompleted(worker=number, sequence=probe.sequence, error=error, compute_s=0.001)

    # --- operators -------------------------------------------------------------------------------------------------

    def disable(self, tier: str) -> None:
        """An operator takes a tier out."""
        self.drive(TierDisabled(pathway=PATHWAY, tier=tier, detail="simulated"))

    def enable(self, tier: str) -> None:
        """An operator gives a tier back."""
        self.ledger.operator_enabled(tier)
        self.drive(TierEnabled(pathway=PATHWAY, tier=tier))

    def living(self) -> list[SimulatedWorker]:
        """Workers that have not ended."""
        return [worker for worker in self.workers.values() if worker.alive]
