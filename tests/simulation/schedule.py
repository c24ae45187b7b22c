"""Seeds to schedules: load, faults of every kind, operators, then quiet, in which everything must come back."""

from collections.abc import Callable

from stepdown.domain.tiers import TierState
from stepdown.serving.engine.engine import Engine
from tests.simulation.invariants import check_recovered
from tests.simulation.workers import LoadFate, Vice
from tests.simulation.world import World

TROUBLE_S = 1.5
CALM_S = 12.0


def run_schedule(seed: int, *, engine_type: Callable[..., Engine] = Engine) -> World:
    """Live through the schedule of a seed. Raises Violation, or whatever the engine raises."""
    world = World(seed, engine_type=engine_type)
    draw = world.random
    world.start()
    start_s = world.now_s
    _load(world, start_s)
    for _ in range(draw.randint(1, 6)):
        fault = draw.choice(_FAULTS)
        world.at(start_s + draw.uniform(0.0, TROUBLE_S), lambda fault=fault: fault(world))  # type: ignore[misc]
    world.at(start_s + TROUBLE_S, lambda: _end_faults(world))
    world.run_until(start_s + TROUBLE_S + CALM_S)
    _operator_frees_quarantine(world)
    world.ask(3, budget_s=0.5)
    world.run_until(world.now_s + 5.0)
    world.ledger.check_nobody_waits()
    check_recovered(world.engine)
    return world


def _load(world: World, start_s: float) -> None:
    draw = world.random
    for _ in range(draw.randint(5, 25)):
        count = draw.choice((1, 1, 1, 2, 5, 12))
        budget_s = draw.choice((0.005, 0.02, 0.05, 0.2, 0.5, 0.5))
        moment_s = start_s + draw.uniform(0.0, TROUBLE_S + 0.5)
        world.at(moment_s, lambda count=count, budget_s=budget_s: _ask(world, count, budget_s))  # type: ignore[misc]


def _ask(world: World, count: int, budget_s: float) -> None:
    requests = world.ask(count, budget_s=budget_s)
    if world.random.random() < 0.1:
        victim = world.random.choice(requests)
        world.after(world.random.uniform(0.0, budget_s), lambda: world.cancel(victim))


def _infect(vice: Vice) -> Callable[[World], None]:
    def strike(world: World) -> None:
        workers = world.living()
        if workers:
            victim = world.random.choice(workers)
            victim.vice = vice
            victim.unkillable = vice is Vice.HUNG and world.random.random() < 0.2

    return strike


def _kill(world: World) -> None:
    workers = world.living()
    if workers:
        world.die(world.random.choice(workers), "signal 9")


def _kill_all(world: World) -> None:
    for worker in world.living():
        world.die(worker, "signal 9")


def _bad_start(fate: LoadFate) -> Callable[[World], None]:
    def strike(world: World) -> None:
        tier = world.random.choice(("full", "distilled"))
        world.fates[tier].append(fate)
        for worker in world.living():
            if worker.order.tier == tier:
                world.die(worker, "exit 139")

    return strike


def _slow_over_liar(world: World) -> None:
    """Lower answers are held back for a slow tier while the lower tier has begun to lie."""
    for worker in world.living():
        worker.vice = Vice.SLOW if worker.order.tier == "full" else Vice.GARBAGE
    for _ in range(12):
        world.after(world.random.uniform(0.0, 0.6), lambda: _ask(world, 1, world.random.uniform(0.03, 0.06)))


def _operate(world: World) -> None:
    tier = world.random.choice(("full", "distilled"))
    world.disable(tier)
    world.after(world.random.uniform(0.0, 0.5), lambda: world.enable(tier))


def _pause(world: World) -> None:
    """The machine stands still: everything that was due comes late, all at once."""
    world.now_s += world.random.uniform(0.001, 0.004)


_FAULTS: tuple[Callable[[World], None], ...] = (
    *(_infect(vice) for vice in Vice if vice is not Vice.NONE),
    _kill,
    _kill,
    _kill_all,
    *(_bad_start(fate) for fate in LoadFate if fate is not LoadFate.READY),
    _slow_over_liar,
    _operate,
    _pause,
)


def _end_faults(world: World) -> None:
    for fates in world.fates.values():
        fates.clear()
    for worker in world.living():
        worker.vice = Vice.NONE


def _operator_frees_quarantine(world: World) -> None:
    for pathway in world.engine.pathways.values():
        for tier in pathway.models:
            if tier.state is TierState.QUARANTINED:
                world.enable(tier.name)
                world.run_until(world.now_s + 5.0)
