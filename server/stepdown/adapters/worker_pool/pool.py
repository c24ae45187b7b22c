"""Child processes that run models: `ports.WorkerPool` on real processes.

Three threads: whoever drives the engine sends; the starter prepares and starts processes, so that no spawn ever holds
the engine up, and lives as long as the pool because the kernel ends a worker with the thread that started it; the
listener hears every worker. Refuses to run a model in this process, and to wait for a worker.
"""

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue

from stepdown.adapters.worker_pool.drills import WorkerPoolDrills
from stepdown.adapters.worker_pool.folder import EmptyFolder
from stepdown.adapters.worker_pool.life import WorkerLife
from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.domain.drills import FaultInjection, InjectedFault
from stepdown.domain.engine_effects import DispatchBatch, DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.engine_events import BatchFailed
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.ports import EventSink

_JOIN_S = 5.0


class ProcessWorkerPool:
    """Meets `ports.WorkerPool` and `ports.Drills`.

    Events come on the listener's thread, those of one wake-up in one call of the sink.
    """

    def __init__(self, sink: EventSink, options: WorkerPoolOptions | None = None) -> None:
        """Start the two threads. Raises: OSError when there is no room for the workers' empty folder."""
        self._options = options or WorkerPoolOptions()
        self._lives: dict[int, WorkerLife] = {}
        self._orders: SimpleQueue[WorkerLife | None] = SimpleQueue()
        self._loop = ListeningLoop(sink, self._options.log)
        self._drills = WorkerPoolDrills(self._options, loop=self._loop, lives=lambda: tuple(self._lives.values()))
        self._closing = threading.Event()
        self._folder = EmptyFolder()
        self._listener = threading.Thread(target=self._loop.run, name="worker-listener", daemon=True)
        self._starter = threading.Thread(target=self._start_ordered, name="worker-starter", daemon=True)
        self._listener.start()
        self._starter.start()

    def spawn(self, order: SpawnWorker) -> None:
        """Start a process. `WorkerReady` or `WorkerRefused` follows, and in the end `WorkerExited`.

        Raises:
            ValueError: a worker of this number exists.
        """
        if self._closing.is_set():
            return
        if order.worker in self._lives:
            raise ValueError(f"worker {order.worker} exists already")
        life = WorkerLife(
            order,
            options=self._options,
            loop=self._loop,
            working_directory=self._folder.path,
            drills=self._drills.terms,
            start=self._orders.put,
            forget=self._forget,
        )
        self._lives[order.worker] = life
        self._orders.put(life)

    def kill(self, order: KillWorker) -> None:
        """SIGKILL, without waiting. `WorkerExited` follows when the process is gone."""
        life = self._lives.get(order.worker)
        if life is not None:
            life.kill(order.detail)

    def dispatch(self, batch: DispatchBatch) -> None:
        """Copy the batch into its slot and ring the doorbell.

        Unknown workers are ignored. A batch that does not fit, or whose worker is on its way out, fails as an event.
        """
        life = self._lives.get(batch.worker)
        if life is None:
            return
        try:
            slots = life.slots
            if slots is None:
                raise _not_serving()
            slots.put_batch(batch)
        except WorkerError as error:
            self._fail(batch.worker, batch.sequence, error)

    def probe(self, probe: DispatchProbe) -> None:
        """Send a known answer's input the same way; `ProbeCompleted` or `BatchFailed` follows."""
        life = self._lives.get(probe.worker)
        if life is None:
            return
        try:
            slots = life.slots
            if slots is None:
                raise _not_serving()
            slots.put_probe(probe)
        except WorkerError as error:
            self._fail(probe.worker, probe.sequence, error)

    def inject(self, injection: FaultInjection) -> InjectedFault:
        """Put a fault into a tier's worker. Raises: DrillRefusedError, and nothing happened."""
        return self._drills.inject(injection)

    def injected(self) -> tuple[InjectedFault, ...]:
        """The faults that are in workers now."""
        return self._drills.active()

    def withdraw(self, lacking: Callable[[str], str]) -> None:
        """End every worker whose bundle lacks something, by the words in which `lacking` says what. Any thread."""
        for life in tuple(self._lives.values()):
            detail = lacking(life.bundle)
            if detail:
                life.withdraw(detail)

    def process_ids(self) -> tuple[int, ...]:
        """The processes there are now, those that are still loading included."""
        found = (life.process_id for life in tuple(self._lives.values()))
        return tuple(process for process in found if process is not None)

    def close(self) -> None:
        """End every worker and release every slot, descriptor and thread.

        Takes as long as the workers need to die, at most `ending_s`; what the kernel cannot end by then is disowned.
        """
        if not self._closing.is_set():
            self._closing.set()
            self._orders.put(None)
            self._loop.call_soon(self._end_all)
        if threading.current_thread() is self._listener:
            return
        self._starter.join(_JOIN_S)
        self._listener.join(self._options.ending_s + _JOIN_S)
        for life in tuple(self._lives.values()):
            life.disown()
        self._lives.clear()
        self._folder.close()

    # --- the starter's thread --------------------------------------------------------------------------------------

    def _start_ordered(self) -> None:
        while (life := self._orders.get()) is not None:
            life.start_next()

    # --- the listener's thread -------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        """After the starter ended nothing new can appear; until then, whatever does is killed as it is adopted."""
        for life in tuple(self._lives.values()):
            life.kill("the server is closing")
        if self._lives:
            self._loop.call_in(self._options.ending_s, self._loop.stop, key=self)
        else:
            self._loop.stop()

    def _forget(self, life: WorkerLife) -> None:
        self._lives.pop(life.number, None)
        self._drills.worker_gone(life)
        if self._closing.is_set() and not self._lives:
            self._loop.stop()

    def _fail(self, worker: int, sequence: int, error: WorkerError) -> None:
        event = BatchFailed(
            worker=worker,
            sequence=sequence,
            reason=error.reason,
            detail=error.detail,
            sticky=error.reason is Reason.WORKER_LOST,
        )
        self._loop.call_soon(partial(self._loop.emit, event))


def _not_serving() -> WorkerError:
    return WorkerError(reason=Reason.WORKER_LOST, detail="the worker is on its way out")
