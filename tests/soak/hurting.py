"""A seeded sequence of everything that may happen to a server: drills, real signals, operators, new certificates."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from typing import Self

import grpc

from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.client import AssessmentError
from stepdown.client.drills import DrillClient, FaultOrder, TierView
from stepdown.client.encounter import DEMO_PATHWAY
from stepdown.domain.drills import TIER_FAULTS, InjectableFault
from tests.faults.running_server import RunningServer
from tests.soak.surroundings import Surroundings
from tests.soak.tally import Label, Tally

_MODELS = ("full", "distilled")
_SIGNALS = (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGTERM)
_LONGEST_S = 4.0
_PROBE_AND_MORE_S = 6.0
_ENDING_S = 30.0


class Hurting:
    """One thread that hurts the server and lets it be for a while, again and again, until it is told to stop.

    What lasts is taken back before it leaves: stopped workers go on, tiers that were taken out are put back in.
    """

    def __init__(
        self, server: RunningServer, tally: Tally, *, others: Mapping[str, Label], seed: int, pause_s: float
    ) -> None:
        """`others`: by tier, the version it can change to. `pause_s`: between two acts, on average."""
        self.acts: Counter[str] = Counter()
        self._server = server
        self._tally = tally
        self._chance = random.Random(seed)
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hurting", daemon=True)
        self._surroundings = Surroundings(server, tally, others=others, pause=self._stopped.wait)
        self._clients = ExitStack()
        credentials = server.credentials("operator")
        self._drills = self._clients.enter_context(DrillClient(server.ready["grpc"], credentials))
        self._operations = OperationsServiceStub(self._clients.enter_context(credentials.channel(server.ready["grpc"])))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(_ENDING_S)
        self._put_back()
        self._clients.close()

    def tiers(self) -> dict[str, TierView]:
        """Every tier as it is now."""
        return {tier.name: tier for tier in self._drills.tiers(DEMO_PATHWAY)}

    def _run(self) -> None:
        around = self._surroundings
        acts: tuple[tuple[Callable[[], str], int], ...] = (
            (self._inject, 8),
            (self._signal, 4),
            (self._stop_and_continue, 2),
            (self._kill_both, 1),
            (self._take_out_and_in, 2),
            (self._renew_certificate, 1),
            (self._around(around.hurt_the_machine), 4),
            (self._around(around.slow_the_line), 1),
            (self._around(around.crowd), 2),
            (self._around(around.cut_off_the_crowd), 1),
            (self._around(around.change_version), 3),
        )
        kinds, weights = zip(*acts, strict=True)
        while not self._stopped.wait(self._chance.uniform(0.3, 1.7) * self._pause_s):
            (act,) = self._chance.choices(kinds, weights)
            try:
                self.acts[act()] += 1
                self._free_the_quarantined()
            except (AssessmentError, grpc.RpcError) as error:
                self._told_to_come_back(error)

    def _told_to_come_back(self, error: AssessmentError | grpc.RpcError) -> None:
        """In a crowd an operator may be sent back like anybody else, with the time to come again; nothing else."""
        told = error if isinstance(error, AssessmentError) else AssessmentError.of_call(error)
        if told.retry_after_s is None:
            self._tally.problem("operator failed", str(told))
        else:
            self.acts[f"operator sent back: {told.reason}"] += 1

    def _around(self, act: Callable[[DrillClient, random.Random], str]) -> Callable[[], str]:
        return lambda: act(self._drills, self._chance)

    # --- acts ------------------------------------------------------------------------------------------------------

    def _inject(self) -> str:
        fault, tier = self._chance.choice(sorted(TIER_FAULTS)), self._chance.choice(_MODELS)
        duration_s, delay_s = self._chance.uniform(0.5, _LONGEST_S), self._chance.uniform(0.05, 0.6)
        if fault is InjectableFault.OUTPUT_WRONG:
            self._tally.doubt(tier, for_s=duration_s + _PROBE_AND_MORE_S)
        try:
            self._drills.inject(
                FaultOrder(
                    pathway=DEMO_PATHWAY,
                    tier=tier,
                    fault=fault,
                    duration_s=duration_s,
                    delay_s=delay_s if fault is InjectableFault.WORKER_SLOW else 0.0,
                    detail="soak",
                )
            )
        except AssessmentError as refused:
            if refused.reason != "DRILL_NOT_POSSIBLE":
                raise
            return "injection refused: no worker"
        return f"{fault} injected"

    def _signal(self) -> str:
        number = self._chance.choice(_SIGNALS)
        self._send(self._chance.choice(_MODELS), number)
        return f"{number.name} sent"

    def _stop_and_continue(self) -> str:
        pid = self._send(self._chance.choice(_MODELS), signal.SIGSTOP)
        self._stopped.wait(self._chance.uniform(0.1, _LONGEST_S))
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return "SIGSTOP and SIGCONT sent"

    def _kill_both(self) -> str:
        for tier in _MODELS:
            self._send(tier, signal.SIGKILL)
        return "both workers killed"

    def _take_out_and_in(self) -> str:
        tier = self._chance.choice(_MODELS)
        self._operations.DisableTier(
            wire.DisableTierRequest(pathway=DEMO_PATHWAY, tier=tier, detail="soak"), timeout=_ENDING_S
        )
        self._stopped.wait(self._chance.uniform(0.1, _LONGEST_S))
        self._enable(tier)
        return "tier taken out and in"

    def _renew_certificate(self) -> str:
        folder = self._server.folder / "certificates"
        (folder / "server.pem").unlink(missing_ok=True)
        ensure_demo_pki(folder)
        return "certificate renewed"

    # --- and back --------------------------------------------------------------------------------------------------

    def _send(self, tier: str, number: signal.Signals) -> int | None:
        """A worker that this process has just seen; its number cannot have been given away within the moment."""
        pid = self.tiers()[tier].pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def _free_the_quarantined(self) -> None:
        """What the operator at night does, so that faults go on happening to something."""
        for tier in self.tiers().values():
            if tier.state == "QUARANTINED" and tier.name in _MODELS:
                self._enable(tier.name)
                self.acts["tier let out of quarantine"] += 1

    def _enable(self, tier: str) -> None:
        with suppress(grpc.RpcError):
            self._operations.EnableTier(wire.EnableTierRequest(pathway=DEMO_PATHWAY, tier=tier), timeout=_ENDING_S)

    def _put_back(self) -> None:
        deadline_s = time.monotonic() + _ENDING_S
        while time.monotonic() < deadline_s and any(tier.injected_fault for tier in self.tiers().values()):
            time.sleep(0.1)
        for tier in _MODELS:
            self._enable(tier)
