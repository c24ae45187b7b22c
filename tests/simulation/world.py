"""A whole server in simulation: the real engine, fake workers and a fake clock, checked after every step.

Nothing here is left to chance: what no step says is drawn from the seed and the number of the thing it is drawn for, so
that leaving out one step of a schedule changes nothing of the others.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING

from stepdown.domain.engine_effects import (
    AnswerRequest,
    DispatchBatch,
    DispatchProbe,
    Effect,
    KillWorker,
    ProveRules,
    SpawnWorker,
    Tell,
)
from stepdown.domain.engine_events import (
    BundleActivated,
    BundleRolledBack,
    DrainStarted,
    Event,
    Request,
    RequestCancelled,
    RequestsArrived,
    TierDisabled,
    TierEnabled,
    TimePassed,
)
from stepdown.domain.notices import ActivationMoved, Notice
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.engine import Engine
from tests.simulation.chain import CHAINS, POLICY, version_of
from tests.simulation.conduct import Conduct
from tests.simulation.fairness import Fairness
from tests.simulation.invariants import Ledger
from tests.simulation.memory import check_emergencies_are_let_in, check_nobody_is_forgotten
from tests.simulation.pool import SimulatedPool
from tests.simulation.rules import SimulatedRules
from tests.simulation.steps import Activate, Ask
from tests.simulation.versions import Versions

if TYPE_CHECKING:
    from tests.simulation.workers import SimulatedWorker

_START_S = 100.0


class World:
    """Runs one engine. Raises Violation at the first broken promise. `now_s` is true time, `clock_s()` the server's."""

    def __init__(self, seed: int, *, chain: str = "plain") -> None:
        self.now_s = _START_S
        self.engine = Engine(pathways=CHAINS[chain], policy=POLICY, now_s=self.now_s)
        workers: dict[int, SimulatedWorker] = {}
        self.conduct = Conduct(self.engine, workers)
        self.rules = SimulatedRules(self, self.engine, lambda: self.ledger.last_number)
        self.ledger = Ledger(CHAINS[chain], self.conduct, self.rules.gave_up)
        self.versions = Versions(self.engine, workers)
        self.fairness = Fairness(self.engine)
        self.pool = SimulatedPool(self, workers)
        self.events = 0
        self._seed = seed
        self._offset_s = 0.0
        self._seen_s = self.now_s
        self._timer_free_s = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._ticket = 0

    # --- time ------------------------------------------------------------------------------------------------------

    def dice(self, kind: int, number: int) -> float:
        """A number in 0..1 that depends on the seed and on what it is drawn for, and on nothing else."""
        return (hash((self._seed, kind, number)) & 0xFFFFFFFF) / 0x100000000

    def at(self, moment_s: float, action: Callable[[], None]) -> None:
        """Let something happen at a time."""
        self._ticket += 1
        heappush(self._agenda, (moment_s, self._ticket, action))

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.at(self.now_s + delay_s, action)

    def clock_s(self) -> float:
        """The latest time that the server's clock has shown."""
        return self._seen_s

    def step_clock(self, jump_s: float) -> None:
        """The server's clock jumps; going back, it stands still for whoever reads it until it has caught up."""
        self._offset_s += jump_s
        self._excuse()

    def starve(self, for_s: float) -> None:
        """The timer thread does not run for a while."""
        self._timer_free_s = max(self._timer_free_s, self.now_s + for_s)
        self._excuse()

    def freeze(self, for_s: float) -> None:
        """The whole server stands still for a while."""
        self.now_s += for_s
        self._excuse()

    def _excuse(self) -> None:
        self.ledger.excuse(max(self.now_s, self._timer_free_s) + self._offset_s)
        self.conduct.all_disturbed()

    def run_until(self, end_s: float) -> None:
        """Live through everything due before `end_s`, waking the engine whenever it asked to be."""
        while True:
            due_s = max(self.engine.next_due_s() - self._offset_s, self._timer_free_s)
            next_s = self._agenda[0][0] if self._agenda else inf
            if due_s > end_s and next_s > end_s:
                self.now_s = max(self.now_s, end_s)
                return
            if due_s <= next_s:
                self.now_s = max(self.now_s, due_s)
                self.drive(TimePassed())
                for name, pathway in self.engine.pathways.items():
                    self.fairness.check_extra_work(pathway, self.engine._cascades[name]._open.values())  # noqa: SLF001
                self.conduct.woken(self._seen_s, self.engine.next_due_s())
            else:
                moment_s, _, action = heappop(self._agenda)
                self.now_s = max(self.now_s, moment_s)
                action()

    # --- driving ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the chain up."""
        effects = self.engine.start(self.now_s)
        self.conduct.look(self.now_s)
        self._carry_out(effects)

    def drive(self, event: Event) -> None:
        """Hand the engine one event, carry out what it wants and check every promise."""
        self.events += 1
        clock_s = self.now_s + self._offset_s
        seen_s = self._seen_s = max(self._seen_s, clock_s)
        effects = self.engine.handle(event, clock_s)
        self.conduct.look(seen_s)
        self._carry_out(effects)
        self.conduct.check(seen_s, self.ledger.excused_until_s)
        self.rules.check(seen_s, self.ledger.excused_until_s)
        self.versions.check(seen_s)
        self.fairness.check(seen_s)
        check_nobody_is_forgotten(self.engine, seen_s)
        self.ledger.check_deadlines(seen_s)

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Tell():
                    self._hear(effect.notice)
                case AnswerRequest():
                    since_s = self.ledger.answered(effect, self._seen_s)
                    self.versions.answered(effect, since_s)
                case ProveRules():
                    self.rules.prove(effect)
                case _:
                    self._order(effect)

    def _order(self, effect: DispatchBatch | DispatchProbe | SpawnWorker | KillWorker) -> None:
        match effect:
            case DispatchBatch():
                self.pool.dispatch(effect)
            case DispatchProbe():
                self.pool.probe(effect)
            case SpawnWorker():
                self.pool.spawn(effect)
            case KillWorker():
                self.pool.kill(self.pool.workers[effect.worker])

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, ActivationMoved):
            self.versions.told(notice, self._seen_s)
        else:
            self.conduct.told(notice, self._seen_s)

    # --- callers and operators -------------------------------------------------------------------------------------

    def ask(self, wish: Ask) -> None:
        """Send requests that arrive in one wake-up, and again as often as wished."""
        self._ask_once(wish)
        for time in range(1, wish.times):
            self.after(time * wish.every_s, lambda: self._ask_once(wish))

    def _ask_once(self, wish: Ask) -> None:
        clock_s = self.now_s + self._offset_s
        self._seen_s = max(self._seen_s, clock_s)
        requests = tuple(self._request(wish, clock_s + wish.budget_s) for _ in range(wish.count))
        for request in requests:
            self.ledger.accepted(request, self._seen_s)
            self.versions.accepted(request)
            self.fairness.accepted(request)
        self.drive(RequestsArrived(requests=requests))
        if wish.urgency is Urgency.EMERGENCY:
            check_emergencies_are_let_in(self.engine, requests)
        if wish.cancel_after_s is not None:
            self.after(wish.cancel_after_s, lambda: self.cancel(requests[0]))

    def _request(self, wish: Ask, deadline_s: float) -> Request:
        number = self.ledger.next_number()
        payload = TensorRows(rows=wish.rows, tensors=(number.to_bytes(8, "little"),))
        return Request(
            pathway=wish.pathway,
            payload=payload if wish.is_suitable else None,
            deadline_s=deadline_s,
            reply_to=number,
            rules_in_hand=wish.has_rules,
            minimum_tier=wish.minimum_tier,
            only_tier=wish.only_tier,
            urgency=wish.urgency,
            client=wish.client,
            vetted=wish.is_vetted,
            models_spared=wish.is_spared,
        )

    def cancel(self, request: Request) -> None:
        """The caller goes away, answered or not."""
        self.ledger.cancelled(request)
        self.drive(RequestCancelled(request=request))

    def disable(self, pathway: str, tier: str) -> None:
        """An operator takes a tier out."""
        self.conduct.disabled((pathway, tier))
        self.drive(TierDisabled(pathway=pathway, tier=tier, detail="simulated"))

    def enable(self, pathway: str, tier: str) -> None:
        """An operator gives a tier back."""
        self.conduct.freed((pathway, tier))
        self.drive(TierEnabled(pathway=pathway, tier=tier))

    def activate(self, wish: Activate) -> None:
        """An operator brings in another version."""
        bundle = version_of(wish.pathway, wish.tier, wish.version)
        event = BundleActivated(
            pathway=wish.pathway,
            tier=wish.tier,
            bundle=bundle,
            canary_share=wish.share,
            observation_s=wish.observation_s,
        )
        self.conduct.freed((wish.pathway, wish.tier))
        self.drive(event)

    def roll_back(self, pathway: str, tier: str) -> None:
        """An operator takes a version back."""
        self.versions.going_back((pathway, tier))
        self.conduct.freed((pathway, tier))
        self.drive(BundleRolledBack(pathway=pathway, tier=tier, detail="simulated"))
        self.versions.went_back((pathway, tier), is_draining=self.conduct.is_draining)

    def drain(self) -> None:
        """The server is asked to end."""
        self.conduct.drained()
        self.drive(DrainStarted())
