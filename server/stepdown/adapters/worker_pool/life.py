"""The life of one worker, from its order to the end of its last process: what is tried, what is reported, and when.

One process per provider, one after the other; the engine sees one worker that becomes ready or is refused once, and
exits once. Refuses to start a second process beside a first that may still end.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from stepdown.adapters.worker_pool.attempt import Attempt
from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.preparation import Preparation, prepare, process_plan
from stepdown.adapters.worker_pool.process import WorkerProcess, start_process
from stepdown.adapters.worker_pool.reports import Refusal, combined
from stepdown.adapters.worker_pool.slots import Slots
from stepdown.domain.drills import FaultInjection
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.engine_events import WorkerExited, WorkerReady, WorkerRefused
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import DrillTerms

_LOOKED_AFTER_S = 0.05


class WorkerLife:
    """One worker of the pool. Meets `Owner` towards each of its processes, on the loop's thread."""

    def __init__(
        self,
        order: SpawnWorker,
        *,
        options: WorkerPoolOptions,
        loop: ListeningLoop,
        working_directory: Path,
        drills: Callable[[str, str], DrillTerms],
        start: Callable[["WorkerLife"], None],
        forget: Callable[["WorkerLife"], None],
    ) -> None:
        """A worker that is ordered.

        `drills` gives a tier's terms at each start. `start` has the starter's thread call `start_next`; `forget` is
        told at the end.
        """
        self.number = order.worker
        self._order = order
        self._options = options
        self._loop = loop
        self._working_directory = working_directory
        self._drills = drills
        self._start = start
        self._forget = forget
        self._name = f"worker {order.worker} {order.pathway}/{order.tier}"
        self._providers = order.execution_providers
        self._prepared: Preparation | None = None
        self._attempt: Attempt | None = None
        self._left: list[Attempt] = []
        self._unheard: WorkerProcess | None = None
        self._refusals: list[Refusal] = []
        self._kill_detail: str | None = None
        self._withdrawn = False

    @property
    def slots(self) -> Slots | None:
        """Where batches go; None unless a process serves."""
        attempt = self._attempt
        return None if attempt is None else attempt.slots

    @property
    def process_id(self) -> int | None:
        """The process that is tried or serves; None between two of them."""
        attempt = self._attempt
        return None if attempt is None else attempt.pid

    def kill(self, detail: str) -> None:
        """Any thread: end it. No other provider is tried; one being started is killed once it is there."""
        self._kill_detail = detail
        attempt = self._attempt
        if attempt is not None:
            attempt.kill()

    @property
    def bundle(self) -> str:
        """The name of what it loads."""
        return self._order.bundle.manifest.name

    def withdraw(self, detail: str) -> None:
        """Any thread: end it, because the machine no longer gives the evidence that its bundle asks for."""
        self._withdrawn = True
        self.kill(detail)

    def serves(self, pathway: str, tier: str) -> bool:
        """Whether a process of it takes batches for this tier."""
        return (self._order.pathway, self._order.tier) == (pathway, tier) and self.slots is not None

    def suffer(self, injection: FaultInjection) -> bool:
        """Any thread: put a fault into the process that serves. False: there is none."""
        attempt = self._attempt
        return attempt is not None and attempt.suffer(injection)

    def recover(self, injection: FaultInjection) -> None:
        """Any thread: take it back."""
        attempt = self._attempt
        if attempt is not None:
            attempt.recover(injection)

    def disown(self) -> None:
        """The loop has ended: give up whatever SIGKILL did not end."""
        for process in (*self._left, self._attempt, self._unheard):
            if process is not None:
                process.disown()

    # --- the starter's thread --------------------------------------------------------------------------------------

    def start_next(self) -> None:
        """Start a process on the next provider and hand it to the loop."""
        if self._kill_detail is not None or not self._providers:
            self._loop.call_soon(partial(self.gone, "never started"))
            return
        providers = self._providers
        try:
            if self._prepared is None:
                self._prepared = prepare(self._order, self._options)
            opened = self._options.admit(self._order)
            plan = process_plan(
                self._prepared,
                self._order,
                providers,
                options=self._options,
                drills=self._drills(self._order.pathway, self._order.tier),
                working_directory=self._working_directory,
                opened=opened,
            )
            process = start_process(plan)
        except WorkerError as error:
            self._loop.call_soon(partial(self._not_loadable, _refusal(providers[-1], error)))
        except Exception as error:  # noqa: BLE001 - if this thread ended, the kernel would end every worker
            self._loop.call_soon(partial(self._not_startable, f"could not be started: {error}"))
        else:
            self._loop.call_soon(partial(self._begin, process, providers, self._prepared))

    # --- the loop's thread -----------------------------------------------------------------------------------------

    def _begin(self, process: WorkerProcess, providers: tuple[ExecutionProvider, ...], prepared: Preparation) -> None:
        try:
            self._attempt = Attempt(
                process,
                worker=self.number,
                providers=providers,
                prepared=prepared,
                options=self._options,
                loop=self._loop,
                owner=self,
                name=self._name,
            )
        except OSError as error:
            self._unheard = process
            process.kill()
            self._await_end(process, f"could not be listened to: {error}")
            return
        if self._kill_detail is not None:
            self._attempt.kill()

    def _await_end(self, process: WorkerProcess, how: str) -> None:
        """Look again and again: nothing tells of the end of a process that could not be watched."""
        if process.ending() is None:
            self._loop.call_in(_LOOKED_AFTER_S, partial(self._await_end, process, how), key=self)
            return
        process.release()
        self._unheard = None
        self._not_startable(how)

    def _not_loadable(self, refusal: Refusal) -> None:
        """No provider could load this bundle."""
        self.refused(refusal)
        self.gone("never started")

    def _not_startable(self, how: str) -> None:
        self._providers = ()
        self.gone(how)

    def ready(self, report: WorkerReport, passed_over: tuple[Refusal, ...]) -> None:
        """A process proved itself: the worker is ready, and the providers after it are not needed."""
        self._providers = ()
        for refusal in (*self._refusals, *passed_over):
            self._options.log(f"{self._name}: passed over {refusal.provider}: {refusal.reason}, {refusal.detail}")
        self._loop.emit(WorkerReady(worker=self.number, report=report))

    def refused(self, *refusals: Refusal) -> None:
        """A process cannot serve. The engine hears of it once, when no provider is left."""
        self._refusals += refusals
        self._providers = self._providers[self._providers.index(refusals[-1].provider) + 1 :]
        if not self._providers and self._kill_detail is None:
            reason, detail = combined(self._refusals)
            self._loop.emit(WorkerRefused(worker=self.number, reason=reason, detail=detail))

    def lingering(self) -> None:
        """A refused process does not end. If another provider is left, it is tried beside it."""
        if self._attempt is not None and self._providers and self._kill_detail is None:
            self._options.log(f"{self._name}: a killed process does not end and is left behind")
            self._attempt.leave()
            self._left.append(self._attempt)
            self._attempt = None
            self._start(self)

    def reaped(self, attempt: Attempt) -> None:
        """One that was left behind has ended: its memory goes now, and not when somebody happens to collect it."""
        self._left.remove(attempt)

    def gone(self, how: str, *, reason: Reason = Reason.WORKER_LOST) -> None:
        """No process any more: the next provider's turn, or the end of the worker."""
        self._attempt = None
        if self._providers and self._kill_detail is None:
            self._start(self)
            return
        detail = how if not self._kill_detail else f"{how}; {self._kill_detail}"
        why = Reason.EVIDENCE_MISSING if self._withdrawn else reason
        self._loop.emit(WorkerExited(worker=self.number, detail=detail, reason=why))
        self._forget(self)


def _refusal(provider: ExecutionProvider, error: WorkerError) -> Refusal:
    return Refusal(provider=provider, reason=error.reason, detail=error.detail)
