"""How processes may be started: one at a time for each version of a tier, never in a storm."""

from weakref import WeakKeyDictionary

from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.tiers import maker_of
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.tier import Tier
from tests.simulation.chain import POLICY
from tests.simulation.invariants import Violation
from tests.simulation.workers import SimulatedWorker


class Starts:
    """Every process that was ordered. Times are the engine's own."""

    def __init__(self, engine: Engine, workers: dict[int, SimulatedWorker]) -> None:
        self._tier_of_worker = engine._supervision.tier_of_worker  # noqa: SLF001 - a simulation looks inside
        self._workers = workers
        self._in_a_row_s: WeakKeyDictionary[Tier, list[float]] = WeakKeyDictionary()
        self.is_draining = False

    def _check_device(self, order: SpawnWorker, tier: Tier, now_s: float) -> None:
        """No process is started on an accelerator that one which does not end may still be using."""
        for worker in self._workers.values():
            given_up_s = worker.given_up_s
            if worker.gone or given_up_s is None or now_s < given_up_s + POLICY.abandon_s:
                continue
            other = self._tier_of_worker[worker.order.worker]
            makers = {maker_of(provider) for provider in worker.order.execution_providers} - {""}
            same = makers & {maker_of(provider) for provider in order.execution_providers}
            if same and other.spec.device_id == tier.spec.device_id:
                raise Violation("a worker was started on a device that another process does not let go of")

    def granted(self, tier: Tier) -> None:
        """The tier has been steady for long, or an operator gave it back: it need not wait any more."""
        self._in_a_row_s.pop(tier, None)

    def check(self, order: SpawnWorker, now_s: float, *, recent: int, acts: int) -> Tier:
        """One more; `recent` were started within the window of the fault budget. Returns the tier it is for."""
        if self.is_draining:
            raise Violation("a worker was started while the server drains")
        tier = self._tier_of_worker[order.worker]
        siblings = (number for number, other in self._tier_of_worker.items() if other is tier)
        if any(number in self._workers and not self._workers[number].gone for number in siblings):
            raise Violation("a worker was started while another of its tier had not ended")
        self._check_device(order, tier, now_s)
        moments_s = self._in_a_row_s.setdefault(tier, [])
        if moments_s:
            least_s = min(POLICY.backoff.initial_s * 2 ** (len(moments_s) - 1), POLICY.backoff.maximum_s)
            if now_s < moments_s[-1] + least_s - 1e-9:
                raise Violation("a worker was started again without the wait that its failures call for")
        moments_s.append(now_s)
        looks = POLICY.fault_window_s / POLICY.unavailable_retry_s
        if recent > (POLICY.fault_limit + looks) * (1 + acts) + 1:
            raise Violation("a tier's workers are started in a storm")
        return tier
