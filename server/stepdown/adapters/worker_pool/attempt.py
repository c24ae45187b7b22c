"""One process on one execution provider: what it says, what it complains of, and how it ends.

Everything runs on the loop's thread, except `kill`. Whatever a process says out of turn, out of form or out of bounds
is a breach and its end. Refuses to wait for it, and to decide what comes after it: its owner does.
"""

import signal
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Protocol

import stepdown
from stepdown.adapters.worker_pool.endings import cause_of_death
from stepdown.adapters.worker_pool.limits import oom_kills
from stepdown.adapters.worker_pool.log import WorkerLines
from stepdown.adapters.worker_pool.loop import ListeningLoop
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.preparation import Preparation
from stepdown.adapters.worker_pool.process import WorkerProcess
from stepdown.adapters.worker_pool.reports import Refusal, read_providers, read_refusal, read_report
from stepdown.adapters.worker_pool.slots import Slots
from stepdown.domain.drills import FaultInjection, InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.frames import RECEIVE_BYTES, Frame, Operation, json_frame, parse_frame
from stepdown.worker.mailbox import SLOTS
from stepdown.worker.order import release_mismatch

# A process closes its doorbell a moment before it is gone. If the moment is longer, its callers need not wait for it;
# it has a little more time itself, to end by its own hand: how it does says more than SIGKILL.
_PARTING_S = 0.01
_FAREWELL_S = 0.5
_CHATTER_PAUSE_S = 0.05
# A lost device is seen when the process that had it open has died and the next one looks for it.
_BY_SIGNAL: Mapping[InjectableFault, signal.Signals] = {
    InjectableFault.WORKER_KILLED: signal.SIGKILL,
    InjectableFault.WORKER_STOPPED: signal.SIGSTOP,
    InjectableFault.PLACEMENT_LOST: signal.SIGKILL,
    InjectableFault.PROVIDER_LOST: signal.SIGKILL,
}


class Stage(Enum):
    """Where a process is. ENDING: it was refused, broke a rule or closed its doorbell; nothing it says counts."""

    LOADING = auto()
    READY = auto()
    ENDING = auto()


class Owner(Protocol):
    """Who is told what becomes of a process. `gone` is the last call, `refused` comes at most once and before it."""

    def ready(self, report: WorkerReport, passed_over: tuple[Refusal, ...]) -> None:
        """It proved itself and serves."""

    def refused(self, *refusals: Refusal) -> None:
        """It cannot serve and is being killed; what it passed over comes first, what it tried last."""

    def lingering(self) -> None:
        """It was killed and does not end."""

    def reaped(self, attempt: "Attempt") -> None:
        """One that was left behind has ended after all."""

    def gone(self, how: str, *, reason: Reason = Reason.WORKER_LOST) -> None:
        """The process is reaped and everything of it closed. `reason`: OUT_OF_MEMORY if its end shows that."""


class Attempt:
    """A started process that is being listened to. `slots` is set while batches may be sent."""

    def __init__(  # noqa: PLR0913 - one value for each thing that differs between attempts
        self,
        process: WorkerProcess,
        *,
        worker: int,
        providers: tuple[ExecutionProvider, ...],
        prepared: Preparation,
        options: WorkerPoolOptions,
        loop: ListeningLoop,
        owner: Owner,
        name: str,
    ) -> None:
        """Listen to a process that was just started; `name` says in the log whose it is."""
        self.slots: Slots | None = None
        self._process = process
        self._worker = worker
        self._providers = providers
        self._prepared = prepared
        self._options = options
        self._loop = loop
        self._owner = owner
        self._stage = Stage.LOADING
        self._killed = False
        self._note = ""
        self._received = bytearray(RECEIVE_BYTES)
        self._lines = WorkerLines(f"{name} pid {process.pid}", options.log)
        for shortfall in process.unconfined:
            options.log(f"{name} pid {process.pid}: {shortfall}")
        self._kills_before = oom_kills()
        self._doorbell = process.doorbell.fileno()
        loop.watch(self._doorbell, self._hear)
        self._listen_to_errors()
        loop.watch(process.pidfd, self._look_after)
        loop.call_in(options.load_timeout_s, self._load_took_too_long, key=self)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def kill(self) -> None:
        """Any thread: end it, whatever it does; nothing more it says is passed on."""
        self._killed = True
        self._process.kill()

    def suffer(self, injection: FaultInjection) -> bool:
        """Any thread: put a fault into it that looks as if it had come by itself. False: it cannot be reached."""
        if self.slots is None:
            return False
        if injection.fault in _BY_SIGNAL:
            self._process.signal(_BY_SIGNAL[injection.fault])
            return True
        return self._process.send(json_frame(Operation.DRILL, {"fault": injection.fault, "delay_s": injection.delay_s}))

    def recover(self, injection: FaultInjection) -> None:
        """Any thread: take the fault back, as far as that is possible."""
        if injection.fault is InjectableFault.WORKER_STOPPED:
            self._process.signal(signal.SIGCONT)
        elif injection.fault not in _BY_SIGNAL:
            self._process.send(json_frame(Operation.DRILL, {"fault": None}))

    def leave(self) -> None:
        """Hear nothing more of it, and only reap it, should it ever end."""
        self._stop_listening()
        self._process.hang_up()
        self._loop.watch(self._process.pidfd, self._reap)

    def disown(self) -> None:
        """Give it up for good, descriptors and all."""
        self._stop_listening()
        self._process.disown()

    # --- what it says ----------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        """Read what it may owe in one wake-up: a reply per slot, or the end."""
        for _ in range(SLOTS + 1):
            try:
                length = self._process.doorbell.recv_into(self._received)
            except BlockingIOError:
                return
            except OSError:
                length = 0
            if length == 0:
                self._part()
                return
            self._take(memoryview(self._received)[:length])
            if self.slots is None or not self.slots.in_use:
                return

    def _take(self, received: memoryview) -> None:
        if self._killed or self._stage is Stage.ENDING:
            return
        try:
            self._act_on(parse_frame(received))
        except WorkerError as error:
            self._breach(error.detail)
        except Exception as error:  # noqa: BLE001 - whatever its words upset here, it is they that were out of form
            self._breach(f"{type(error).__name__} while reading a frame")

    def _act_on(self, frame: Frame) -> None:
        match self._stage, frame.operation:
            case Stage.READY, Operation.DONE | Operation.FAILED if self.slots is not None:
                self._loop.emit(self.slots.land(frame))
            case Stage.LOADING, Operation.READY:
                self._become_ready(frame)
            case Stage.LOADING, Operation.REFUSED:
                self._read_errors()
                tried, passed_over = read_providers(frame.body, self._providers)
                self._refuse(*passed_over, read_refusal(frame.body, provider=tried, telling=self._lines.telling()))
            case _:
                detail = f"{frame.operation.name} frame while {self._stage.name}"
                raise WorkerError(reason=Reason.INTERNAL_FAULT, detail=detail)

    def _become_ready(self, frame: Frame) -> None:
        if mismatch := release_mismatch(worker=frame.body.get("release"), server=stepdown.__version__):
            self._refuse(self._refusal(Reason.INTERNAL_FAULT, mismatch))
            return
        tried, passed_over = read_providers(frame.body, self._providers)
        said = read_report(frame.body, pid=self._process.pid, provider=tried, model=self._prepared.model)
        report = replace(said, share=self._prepared.share)
        self._loop.cancel(self)
        self._stage = Stage.READY
        self.slots = Slots(self._worker, self._prepared, self._process)
        self._owner.ready(report, passed_over)

    def _breach(self, detail: str) -> None:
        """It said what no worker says. Nothing of it can be believed any more."""
        self._note = f"broke the protocol: {detail}"
        if self._stage is Stage.LOADING:
            self._refuse(self._refusal(Reason.INTERNAL_FAULT, self._note))
        else:
            self._give_up_owed(Reason.INTERNAL_FAULT, self._note)
            self._end_soon()

    # --- how it ends -----------------------------------------------------------------------------------------------

    def _load_took_too_long(self) -> None:
        detail = f"not ready within {self._options.load_timeout_s:g} s"
        self._refuse(self._refusal(Reason.WORKER_HUNG, detail))

    def _refusal(self, reason: Reason, detail: str) -> Refusal:
        """A refusal on its behalf. It never said which provider it tried: probably the first."""
        return Refusal(provider=self._providers[0], reason=reason, detail=detail)

    def _refuse(self, *refusals: Refusal) -> None:
        self._end_soon()
        self._loop.call_in(self._options.ending_s, self._owner.lingering, key=self)
        if not self._killed:
            self._owner.refused(*refusals)

    def _end_soon(self) -> None:
        self._stage = Stage.ENDING
        self.slots = None
        self._loop.unwatch(self._doorbell)
        self._process.kill()

    def _part(self) -> None:
        """It closed its doorbell: it is dying, or of no more use. A crash while loading is told when it is gone."""
        self._loop.unwatch(self._doorbell)
        self._loop.call_in(_PARTING_S, self._not_gone_yet, key=self)

    def _not_gone_yet(self) -> None:
        self._give_up_owed(Reason.WORKER_LOST, "the worker closed its doorbell")
        self._loop.call_in(_FAREWELL_S, self._process.kill, key=self)

    def _give_up_owed(self, reason: Reason, detail: str) -> None:
        if self.slots is not None and not self._killed:
            for event in self.slots.give_up(reason=reason, detail=detail):
                self._loop.emit(event)

    def _look_after(self) -> None:
        """The process ended: hear its last words, then let everything go."""
        how = self._process.ending()
        if how is None:
            return
        self._hear()
        self._read_errors()
        self._lines.finish()
        reason = Reason.WORKER_LOST
        if not self._killed and self._stage is not Stage.ENDING:
            reason, how = cause_of_death(how, lines=self._lines, kills_before=self._kills_before)
        if self._stage is Stage.LOADING and not self._killed:
            telling = self._lines.telling()
            detail = f"{how} while loading" + (f": {telling}" if telling else "")
            self._owner.refused(self._refusal(reason, detail))
        self._stage = Stage.ENDING
        self._stop_listening()
        self._process.release()
        self._owner.gone(f"{how}; {self._note}" if self._note else how, reason=reason)

    def _reap(self) -> None:
        if self._process.ending() is not None:
            self._loop.unwatch(self._process.pidfd)
            self._process.release()
            self._owner.reaped(self)

    def _read_errors(self) -> None:
        received = self._process.read_errors()
        if received is None:
            return
        if not received:
            self._loop.unwatch(self._process.errors)
            return
        self._lines.feed(received)
        if self._lines.exhausted:
            # It may go on for as long as it likes; this thread has others to listen to.
            self._loop.unwatch(self._process.errors)
            self._loop.call_in(_CHATTER_PAUSE_S, self._listen_to_errors, key=self._lines)

    def _listen_to_errors(self) -> None:
        self._loop.watch(self._process.errors, self._read_errors)

    def _stop_listening(self) -> None:
        self.slots = None
        self._loop.cancel(self)
        self._loop.cancel(self._lines)
        for descriptor in (self._doorbell, self._process.errors, self._process.pidfd):
            self._loop.unwatch(descriptor)
