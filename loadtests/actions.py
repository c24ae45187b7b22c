"""Does what a time line says, and remembers how to undo it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from loadtests.record import PlayedStep
from loadtests.scenario import Step
from loadtests.servers import OwnServer
from loadtests.target import Target
from stepdown.cli.drill.questions import DrillNotPlayedError
from stepdown.client.drills import DrillClient, FaultOrder
from stepdown.domain.drills import CLIENT_FAULTS, LOAD_FAULTS, SERVER_FAULTS, TIER_FAULTS, InjectableFault

_HURT_FROM_AFAR_S = 60.0
_WORKER_WITHIN_S = 30.0
_POLL_S = 0.05
_AS_FAULT = {"kill": "WORKER_KILLED", "stop": "WORKER_STOPPED", "halve": "CPU_HALVED"}
_LASTING = LOAD_FAULTS | CLIENT_FAULTS | SERVER_FAULTS | {InjectableFault.WORKER_SLOW, InjectableFault.SIGNATURE_BROKEN}
"""Faults that are over when they are taken back; the others, when the process that suffers them is."""
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class Actions:
    """Acts on servers of our own, or, where `servers` is empty, on others' through their drills alone."""

    def __init__(self, target: Target, servers: Sequence[OwnServer], *, pathway: str, zero_s: float) -> None:
        """`zero_s`: the Unix time of t = 0."""
        self._target = target
        self._servers = servers
        self._pathway = pathway
        self._zero_s = zero_s
        self._undo: list[Callable[[], None]] = []
        self.clock_ahead_s = 0.0
        """How far the server's clock is ahead of this one, as far as an injection has told."""

    def play(self, step: Step) -> PlayedStep:
        """Do it. Raises: AssessmentError, DrillNotPlayedError, OSError."""
        verbs: dict[str, Callable[[Step], PlayedStep]] = {
            "inject": self._inject,
            "kill": self._signal if self._servers else self._inject,
            "stop": self._signal if self._servers else self._inject,
            "halve": self._inject,
            "recover": self._recover,
            "restart": self._restart,
            "run": self._run,
        }
        return verbs[step.do](step)

    def recover(self) -> None:
        """Undo whatever can be undone."""
        while self._undo:
            self._undo.pop()()

    def _now_s(self) -> float:
        return time.time() - self._zero_s

    def _inject(self, step: Step) -> PlayedStep:
        """Times come back on the server's clock; half way through the call is off by half a round trip at most."""
        fault = step.fault or _AS_FAULT[step.do]
        with self._operations(step) as operations:
            of_tier = fault in TIER_FAULTS
            tier = (step.tier or operations.tiers(self._pathway)[0].name) if of_tier else ""
            asked_s = time.time()
            order = FaultOrder(
                pathway=self._pathway if of_tier else "",
                tier=tier,
                client=step.client,
                fault=fault,
                duration_s=step.for_s or _HURT_FROM_AFAR_S,
                delay_s=step.delay_ms / 1e3,
                clock_step_s=step.clock_step_s,
                days_left=step.days_left,
                detail="load test",
            )
            start_s, end_s = operations.inject(order)
        self.clock_ahead_s = start_s - (asked_s + time.time()) / 2
        zero_s = self._zero_s + self.clock_ahead_s
        return PlayedStep(
            at_s=start_s - zero_s,
            name=f"{fault} in {tier}" if of_tier else fault,
            tiers=(tier,) if of_tier else (),
            until_s=end_s - zero_s if fault in _LASTING else None,
        )

    def _signal(self, step: Step) -> PlayedStep:
        number = _SIGNALS[step.do]
        with self._operations(step) as operations:
            tier, pid = self._serving_worker(operations, step)
        at_s = self._now_s()
        os.kill(pid, number)
        if number is signal.SIGSTOP:
            self._undo.append(lambda: _wake(pid))
        return PlayedStep(at_s=at_s, name=f"{number.name} to {tier}", tiers=(tier,))

    def _serving_worker(self, operations: DrillClient, step: Step) -> tuple[str, int]:
        """The tier and its worker, as soon as it serves: what is not yet back cannot fail again."""
        deadline_s = time.monotonic() + _WORKER_WITHIN_S
        while time.monotonic() < deadline_s:
            tiers = operations.tiers(self._pathway)
            view = next((tier for tier in tiers if tier.name == (step.tier or tiers[0].name)), None)
            if view is not None and view.pid is not None and view.state == "SERVING":
                return view.name, view.pid
            time.sleep(_POLL_S)
        raise DrillNotPlayedError(f"{step.tier or 'the first tier'} has no worker that serves, to {step.do}")

    def _recover(self, _step: Step) -> PlayedStep:
        self.recover()
        return PlayedStep(at_s=self._now_s(), name="recovered")

    def _restart(self, step: Step) -> PlayedStep:
        server, begun_s = self._servers[step.server], self._now_s()
        server.stop()
        server.start()
        return PlayedStep(at_s=begun_s, name=f"server {step.server} restarted", until_s=self._now_s())

    def _run(self, step: Step) -> PlayedStep:
        begun_s = self._now_s()
        subprocess.run(step.command, check=True)
        return PlayedStep(at_s=begun_s, name=" ".join(step.command), until_s=self._now_s())

    def _operations(self, step: Step) -> DrillClient:
        target = self._target.of_server(step.server)
        return DrillClient(target.addresses, target.operator)


def _wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
