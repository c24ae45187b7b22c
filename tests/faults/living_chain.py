"""The real engine, driver and worker pool over real processes on a stood-in accelerator, without gRPC in front.

A test breaks devices, sends signals and asks; every answer is checked to be the asker's own, given once and in order.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np

from stepdown.adapters.admission import Admission
from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.rules_prover import ThreadedRulesProver
from stepdown.adapters.system_clock import SystemClock
from stepdown.adapters.worker_pool.options import WORKER_PROGRAM, WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.engine_events import Request
from stepdown.domain.notices import CapabilityChanged, TierFault, TierMoved
from stepdown.domain.status import TierStatus
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState, Urgency
from stepdown.ports import EventSink
from stepdown.resilience.backoff import BackoffPolicy
from stepdown.resilience.circuit_breaker import BreakerPolicy
from stepdown.serving.activation import proven_rules
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec, TierSpec
from stepdown.worker.order import WorkerResources
from tests.fakes.bundles import ECHO, bundle
from tests.faults.witnesses import PATIENCE_S, Device, Diary, Kind, Question
from tests.simulation.chain import CHAIN as SIMULATED

STAND_IN = Path(__file__).with_name("stand_in_accelerator.py")
WARD = "ward"
_POLL_S = 0.005
CUDA, MIGRAPHX, CPU = ExecutionProvider.CUDA, ExecutionProvider.MIGRAPHX, ExecutionProvider.CPU

# Shorter than the product's, so that a test need not wait; long enough for a machine with many times its load.
POLICY = EnginePolicy(
    watchdog_s=2.5,
    stall_s=0.5,
    steady_s=0.1,
    probe_period_s=0.2,
    probation_dwell_s=0.02,
    maximum_dwell_s=0.2,
    abandon_s=0.3,
    unavailable_retry_s=0.4,
    maximum_queue_rows=64,
    backoff=BackoffPolicy(initial_s=0.05, maximum_s=0.4),
    breaker=BreakerPolicy(open_duration_s=0.2, maximum_open_duration_s=0.4),
)

RULES = SIMULATED.tiers[-1]


def model_tier(
    name: str,
    *providers: ExecutionProvider,
    loads: VerifiedBundle | None = None,
    maximum_batch: int = 8,
    device_id: int = 0,
) -> TierSpec:
    """A tier of the echoing model."""
    loaded = loads or bundle(ECHO, maximum_batch=maximum_batch)
    return TierSpec(name=name, bundle=loaded, execution_providers=providers, device_id=device_id)


def pathway(name: str, *models: TierSpec) -> PathwaySpec:
    """A chain of these models over the rules; none given: full on CUDA, distilled on the CPU."""
    return PathwaySpec(name=name, tiers=(*(models or (model_tier("full", CUDA), model_tier("distilled", CPU))), RULES))


class RecordingPool(ProcessWorkerPool):
    """The pool, which remembers when it was told to start what."""

    def __init__(self, sink: EventSink, options: WorkerPoolOptions) -> None:
        super().__init__(sink, options)
        self.spawned: list[tuple[float, SpawnWorker]] = []

    def spawn(self, order: SpawnWorker) -> None:
        self.spawned.append((time.monotonic(), order))
        super().spawn(order)


class LivingChain:
    """Starts on entry; on exit everything is ended, and nothing of the driver's own may have failed."""

    def __init__(
        self,
        folder: Path,
        *pathways: PathwaySpec,
        policy: EnginePolicy = POLICY,
        load_timeout_s: float = 60.0,
        real: bool = False,
        resources: WorkerResources | None = None,
        rules: ClinicalPathway | None = None,
        admit: Admission | None = None,
    ) -> None:
        """`real` workers use the ONNX Runtime that is installed. `rules` are those that the ward's chain proves.

        `admit` is asked before each start; by default nothing is asked for.
        """
        self.folder = folder
        self.diary = Diary()
        self.log: list[str] = []
        self.errors: list[Exception] = []
        clock = SystemClock()
        self.board = NoticeBoard(observers=(self.diary,), on_error=self.errors.append)
        self.engine = Engine(pathways=pathways or (pathway(WARD),), policy=policy, now_s=clock.monotonic_s())
        self.driver = EngineDriver(engine=self.engine, clock=clock, board=self.board, on_error=self.errors.append)
        options = WorkerPoolOptions(
            resources=resources or WorkerResources(threads=1),
            warm_up_s=0.01,
            load_timeout_s=load_timeout_s,
            log=self.log.append,
            admit=admit or Admission(),
            program=WORKER_PROGRAM if real else (sys.executable, "-P", str(STAND_IN), str(folder)),
        )
        self.pool = RecordingPool(self.driver.take, options)
        self._prover = self._proves(rules) if rules is not None else None
        self._values = count(1)

    def _proves(self, rules: ClinicalPathway) -> ThreadedRulesProver:
        return ThreadedRulesProver(
            {WARD: rules}, compose=lambda _, answering: proven_rules(answering, None, ()), sink=self.driver.take
        )

    def __enter__(self) -> Self:
        self.driver.start(self.pool, self._prover)
        return self

    def __exit__(self, *_: object) -> None:
        if self._prover is not None:
            self._prover.close()
        self.driver.close()
        self.pool.close()
        self.board.close()
        assert self.errors == []

    # --- asking ----------------------------------------------------------------------------------------------------

    def begin(self, *, of: str = WARD, budget_s: float = PATIENCE_S, rules: bool = True, **wish: Any) -> Question:  # noqa: ANN401
        """Send one question. Its answer is its own number."""
        return self.send(1, of=of, budget_s=budget_s, rules=rules, **wish)[0]

    def send(
        self,
        number: int,
        *,
        of: str = WARD,
        budget_s: float = PATIENCE_S,
        rules: bool = True,
        **wish: Any,  # noqa: ANN401
    ) -> tuple[Question, ...]:
        """Send questions that arrive together."""
        urgency = Urgency(wish.pop("urgency", "routine"))
        questions = tuple(Question(next(self._values) % 8191 / 8192) for _ in range(number))
        deadline_s = self.driver.now_s() + budget_s
        for question in questions:
            payload = np.array([[question.value, 0, 0]], np.float32).tobytes()
            question.request = Request(
                pathway=of,
                payload=TensorRows(rows=1, tensors=(payload,)),
                deadline_s=deadline_s,
                reply_to=question,
                rules_in_hand=rules,
                rules_identity=None,
                urgency=urgency,
                **wish,
            )
        self.driver.submit([question.request for question in questions])
        return questions

    def ask(self, *, of: str = WARD, budget_s: float = PATIENCE_S, **wish: Any) -> Question:  # noqa: ANN401
        """Send one question and wait for its answer."""
        question = self.begin(of=of, budget_s=budget_s, **wish)
        question.wait()
        return question

    # --- looking ---------------------------------------------------------------------------------------------------

    def device(self, tier: str, *, of: str = WARD) -> Device:
        """What a tier runs on."""
        return Device(self.folder, f"{of}.{tier}")

    def status(self, tier: str, *, of: str = WARD) -> TierStatus:
        """The tier now."""
        (chosen,) = (each for each in self.driver.status() if each.name == of)
        return next(each for each in chosen.tiers if each.name == tier)

    def capability(self, *, of: str = WARD) -> str:
        """What a pathway can do now."""
        return next(each.capability for each in self.driver.status() if each.name == of)

    def until(self, condition: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
        """Wait for a condition, and fail with the story so far if it does not come true."""
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, (self.driver.status(), self.log[-20:])
            time.sleep(_POLL_S)

    def until_capable(self, capability: str = "FULL", *, of: str = WARD) -> None:
        """Wait until the pathway can do this."""
        self.until(lambda: self.capability(of=of) == capability)

    def until_answered_by(self, tier: str, *, of: str = WARD) -> Question:
        """Ask again and again until this tier answers."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (question := self.ask(of=of)).tier() != tier:
            assert time.monotonic() < deadline_s, self.driver.status()
            time.sleep(_POLL_S)
        return question

    def until_whole(self) -> None:
        """Wait until every tier of every pathway serves: full capability asks no more than the first."""

        def serving() -> bool:
            return all(tier.state is TierState.SERVING for each in self.driver.status() for tier in each.tiers)

        self.until(serving)
        self.until(lambda: all(each.capability is Capability.FULL for each in self.driver.status()))

    def told(self, kind: type[Kind], **fields: object) -> list[Kind]:
        """The notices of a kind, up to this moment: what the engine has already said is waited for."""
        self.driver.open_requests()  # The engine says everything of a step before it lets go of its lock.
        self.diary.reads_up_to_now(self.board)
        return self.diary.of(kind, **fields)

    def moves(self, tier: str, *, of: str = WARD) -> list[TierState]:
        """The states a tier has moved to, in order."""
        return [move.state for move in self.told(TierMoved, tier=tier, pathway=of) if move.state is not move.previous]

    def capabilities(self, *, of: str = WARD) -> list[str]:
        """What the pathway could do, in order."""
        return [change.capability for change in self.told(CapabilityChanged, pathway=of)]

    def spawns(self, tier: str) -> list[float]:
        """When a worker of this tier was ordered."""
        return [moment for moment, order in tuple(self.pool.spawned) if order.tier == tier]

    def faults(self, tier: str, *, of: str = WARD) -> list[TierFault]:
        """What a tier's faults were, in order."""
        return self.told(TierFault, tier=tier, pathway=of)

    # --- hurting ---------------------------------------------------------------------------------------------------

    def signal(self, tier: str, number: signal.Signals, *, of: str = WARD) -> int:
        """Send a signal to a tier's worker; returns its pid."""
        pid = self.status(tier, of=of).worker_pid
        assert pid is not None
        os.kill(pid, number)
        return pid


def in_order(found: Sequence[object], wanted: Sequence[object]) -> bool:
    """Whether everything wanted was found in this order, with anything else in between."""
    rest = iter(found)
    return all(any(each == one for each in rest) for one in wanted)
