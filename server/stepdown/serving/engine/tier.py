"""One tier at run time: its state, its worker, its two slots, its queue and its memory of speed and faults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stepdown.domain.assessments import TierIdentity
from stepdown.domain.bundles import ModelSpec
from stepdown.domain.engine_effects import BatchKind
from stepdown.domain.errors import IllegalMoveError
from stepdown.domain.notices import TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider, TierState, Urgency
from stepdown.resilience.backoff import FaultBudget
from stepdown.resilience.circuit_breaker import CircuitBreaker
from stepdown.resilience.latency import LatencyTrack
from stepdown.resilience.run_time import RunTime
from stepdown.resilience.suspicion import ConstancyWatch, DisagreementWatch
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy, TierSpec
from stepdown.serving.engine.queueing import CaseQueue
from stepdown.serving.tier_plan import TierView
from stepdown.serving.tier_states import check_move

if TYPE_CHECKING:
    from stepdown.domain.activations import ActivationStatus

SLOTS = (0, 1)

# Times what one row took at warm-up.
_POOR = 2.0
_FULL = "all of the queue that requests of this urgency may fill is taken"


@dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """A batch or a probe that a worker has not answered.

    `running_s`: since when it is the worker's turn to run it; `expected_s`: how long that should take.
    """

    sequence: int
    slot: int
    kind: BatchKind | None
    cases: tuple[Case, ...]
    rows: int
    sent_s: float
    running_s: float
    expected_s: float = 0.0
    stalled: bool = False

    @property
    def vetted(self) -> bool:
        """Whether intake has checked the input. No batch mixes what it has with what it has not."""
        return not self.cases or self.cases[0].request.vetted


class Tier:
    """Mutable state of one tier; only supervision, the cascade and activation change it.

    `aside`: not the tier itself but a version of it, on trial or on its way out, whose moves activation tells;
    `blemish` is the first thing that went wrong with it. `activation`, on the tier itself, is the last that ended, and
    `previous` the version that served before. `probe_sequence` is the proof that rules have not given yet.
    """

    def __init__(self, *, spec: TierSpec, pathway: str, rank: int, policy: EnginePolicy, now_s: float) -> None:
        """Stand ready to be started; a rules tier serves from the first moment, a refused bundle never does."""
        self.spec = spec
        self.pathway = pathway
        self.rank = rank
        self.policy = policy
        self.state = TierState.STARTING
        self.reason: Reason | None = Reason.STARTING
        self.detail = ""
        self.since_s = now_s
        self.worker: int | None = None
        self.report: WorkerReport | None = None
        self.identity: TierIdentity | None = None
        self.flights: dict[int, Flight] = {}
        self.queue = CaseQueue(rank)
        self.latency = LatencyTrack()
        self.run_time = RunTime()
        self.constancy = ConstancyWatch()
        self.disagreement = DisagreementWatch()
        self.unsteady_until_s = 0.0
        self.breaker = CircuitBreaker(policy.breaker)
        self.faults = FaultBudget(limit=policy.fault_limit, window_s=policy.fault_window_s)
        self.dying: dict[int, float] = {}
        self.start_due_s: float | None = None
        self.wanted_back = False
        self.attempt = 0
        self.probe_due_s: float | None = None
        self.probe_case = 0
        self.probe_sequence: int | None = None
        self.last_probe_s: float | None = None
        self.probe_error = ""
        self.probation_until_s = 0.0
        self.probes_passed = 0
        self.shadow_due_s = 0.0
        self.restarts = 0
        self.answers = 0
        self.aside = False
        self.blemish: tuple[Reason, str] | None = None
        self.activation: ActivationStatus | None = None
        self.previous = spec.previous

    @property
    def name(self) -> str:
        """The tier's name in its pathway."""
        return self.spec.name

    @property
    def model(self) -> ModelSpec | None:
        """What the verified bundle says of its model, if it holds one."""
        return self.spec.bundle.manifest.model if self.spec.bundle is not None else None

    @property
    def maximum_rows(self) -> int:
        """Largest batch the bundle allows."""
        return self.model.maximum_batch if self.model is not None else 1

    def move(self, state: TierState, *, reason: Reason | None, detail: str, now_s: float, outbox: Outbox) -> None:
        """Make a legal move and tell it; staying put with a new reason is told too."""
        previous = self.state
        if state is not previous:
            check_move(previous, state)
            self.since_s = now_s
        self.state, self.reason, self.detail = state, reason, detail
        if not self.aside:
            outbox.tell(
                TierMoved(
                    pathway=self.pathway, tier=self.name, previous=previous, state=state, reason=reason, detail=detail
                )
            )

    def adopt(self, worker: int, report: WorkerReport) -> None:
        """Take a ready worker as the one that answers for this tier from now on."""
        if self.spec.bundle is None or worker != self.worker:
            message = "only the tier's own worker over a verified bundle can be adopted"
            raise IllegalMoveError(message)
        self.report = report
        self.identity = self.identity_on(report.execution_provider, report.device)
        self.latency = LatencyTrack()
        for _, seconds in report.latency_s:
            self.latency.observe(seconds, weight=0.5)
        self.run_time = RunTime(report.latency_s)

    def identity_on(self, provider: ExecutionProvider, device: str) -> TierIdentity | None:
        """How an answer of this tier names itself; None while its bundle is not verified."""
        if self.spec.bundle is None:
            return None
        return TierIdentity(
            pathway=self.pathway,
            tier=self.name,
            execution_provider=provider,
            device=device,
            bundle=self.spec.bundle.identity,
        )

    def free_slot(self) -> int | None:
        """A slot that no unanswered batch occupies; None when both are taken."""
        taken = {flight.slot for flight in self.flights.values()}
        return next((slot for slot in SLOTS if slot not in taken), None)

    def head(self) -> Flight | None:
        """The flight whose turn it is."""
        return next(iter(self.flights.values()), None)

    def normal_run_s(self, rows: int) -> float:
        """How long a run of so many rows normally takes at worst: as warming up, or as recent runs, have shown."""
        measured = self.report.latency_s if self.report is not None else ()
        warm_s = next((seconds for size, seconds in measured if size >= rows), 0.0)
        return max(warm_s, self.run_time.estimate_s(rows), self.latency.quantile_s(0.99) or 0.0)

    def cases(self) -> tuple[Case, ...]:
        """Every case that waits for this tier, sent or queued."""
        return tuple(case for flight in self.flights.values() for case in flight.cases) + self.queue.cases()

    def stalled(self) -> bool:
        """Whether the running flight has been silent for suspiciously long."""
        head = self.head()
        return head is not None and head.stalled

    def withdraw(self, case: Case) -> None:
        """A case that may wait here wants no answer any more."""
        self.queue.ended(case)

    def view(self, urgency: Urgency = Urgency.ROUTINE, client: str = "", *, rows: int = 1) -> TierView:
        """The tier as planning sees it for a request of so many rows, of that urgency and client."""
        unfit, detail = self._unfit()
        if unfit is None and self.is_full(urgency) and not self.queue.can_displace(urgency, client, rows=rows):
            unfit, detail = Reason.QUEUE_FULL, _FULL
        return TierView(
            name=self.name,
            unfit=unfit,
            detail=detail,
            service_s=self.latency.quantile_s(0.5),
            wait_s=self.wait_s(urgency, client),
        )

    def is_full(self, urgency: Urgency) -> bool:
        """Whether what waits takes up all that requests of this urgency may fill. One batch always has the time."""
        rows = self.queue.rows
        if not rows:
            return False
        share = self.policy.queue_share(urgency)
        if rows >= share * self.policy.maximum_queue_rows:
            return True
        batch = self.maximum_rows
        return rows > batch and self.run_time.drain_s(rows, batch=batch) >= share * self.policy.maximum_queue_s

    def wait_s(self, urgency: Urgency, client: str) -> float:
        """How long a new request would wait for its turn, as far as can be told."""
        waiting_s = 0.0
        for flight in self.flights.values():
            waiting_s += flight.expected_s
        if self.queue.rows:
            waiting_s += self.run_time.drain_s(self.queue.rows_before(urgency, client), batch=self.maximum_rows)
        return waiting_s

    def seems_slow(self) -> bool:
        """Whether it rests although it serves, and what is known of its speed is poor: it may be better by now."""
        typical_s = self.latency.quantile_s(0.5)
        resting = self.state is TierState.SERVING and not self.flights
        return resting and typical_s is not None and typical_s > _POOR * self.run_time.measured_s(1)

    def _unfit(self) -> tuple[Reason | None, str]:
        if self.state is TierState.SERVING:
            return (Reason.WORKER_HUNG, "the worker is silent for too long") if self.stalled() else (None, "")
        if self.state is TierState.PROBATION:
            return self.reason or Reason.PROBATION, self.detail
        if self.state is TierState.DISABLED:
            # What the operator wrote is for the status and the log, not for every patient's answer.
            return Reason.OPERATOR_DISABLED, "disabled by an operator"
        return self.reason or Reason.STARTING, self.detail
