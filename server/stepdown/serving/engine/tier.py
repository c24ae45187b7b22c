"""One tier at run time: its state, its worker, its two slots, its queue and its memory of speed and faults."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stepdown.domain.assessments import TierIdentity
from stepdown.domain.engine_effects import BatchKind
from stepdown.domain.errors import IllegalMoveError
from stepdown.domain.notices import TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider, TierState
from stepdown.resilience.backoff import FaultBudget
from stepdown.resilience.circuit_breaker import CircuitBreaker
from stepdown.resilience.latency import LatencyTrack
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy, TierSpec
from stepdown.serving.engine.queueing import CaseQueue
from stepdown.serving.tier_plan import TierView
from stepdown.serving.tier_states import check_move

if TYPE_CHECKING:
    from stepdown.domain.activations import ActivationStatus

SLOTS = (0, 1)


@dataclass(slots=True, kw_only=True, eq=False)
class Flight:
    """A batch or a probe that a worker has not answered. `running_s`: since when it is the worker's turn to run it."""

    sequence: int
    slot: int
    kind: BatchKind | None
    cases: tuple[Case, ...]
    rows: int
    sent_s: float
    running_s: float
    stalled: bool = False


class Tier:
    """Mutable state of one tier; only supervision, the cascade and activation change it.

    `aside`: not the tier itself but a version of it, on trial or on its way out, whose moves activation tells;
    `blemish` is the first thing that went wrong with it. `activation`, on the tier itself, is the last that ended, and
    `previous` the version that served before.
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
        self.row_s = 0.0
        self.unsteady_until_s = 0.0
        self.breaker = CircuitBreaker(policy.breaker)
        self.faults = FaultBudget(limit=policy.fault_limit, window_s=policy.fault_window_s)
        self.dying: dict[int, float] = {}
        self.start_due_s: float | None = None
        self.attempt = 0
        self.probe_due_s: float | None = None
        self.probe_case = 0
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
    def maximum_rows(self) -> int:
        """Largest batch the bundle allows."""
        bundle = self.spec.bundle
        return bundle.manifest.model.maximum_batch if bundle is not None and bundle.manifest.model is not None else 1

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
        for rows, seconds in report.latency_s:
            self.latency.observe(seconds, weight=0.5)
            self.row_s = seconds / rows

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
        return max(warm_s, rows * self.row_s, self.latency.quantile_s(0.99) or 0.0)

    def cases(self) -> tuple[Case, ...]:
        """Every case that waits for this tier, sent or queued."""
        return tuple(case for flight in self.flights.values() for case in flight.cases) + self.queue.cases()

    def stalled(self) -> bool:
        """Whether the running flight has been silent for suspiciously long."""
        head = self.head()
        return head is not None and head.stalled

    def view(self) -> TierView:
        """The tier as planning sees it."""
        unfit, detail = self._unfit()
        if unfit is None and self.queue.rows >= self.policy.maximum_queue_rows:
            unfit, detail = Reason.QUEUE_FULL, "the queue is at its bound"
        ahead = self.queue.rows + sum(flight.rows for flight in self.flights.values())
        return TierView(
            name=self.name,
            unfit=unfit,
            detail=detail,
            service_s=self.latency.quantile_s(0.5),
            wait_s=ahead * self.row_s,
        )

    def _unfit(self) -> tuple[Reason | None, str]:
        if self.state is TierState.SERVING:
            return (Reason.WORKER_HUNG, "the worker is silent for too long") if self.stalled() else (None, "")
        if self.state is TierState.PROBATION:
            return self.reason or Reason.PROBATION, self.detail
        if self.state is TierState.DISABLED:
            # What the operator wrote is for the status and the log, not for every patient's answer.
            return Reason.OPERATOR_DISABLED, "disabled by an operator"
        return self.reason or Reason.STARTING, self.detail
