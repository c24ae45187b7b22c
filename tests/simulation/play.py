"""Lives through a schedule: load and faults, then quiet, in which everything must come back."""

from functools import partial
from typing import TYPE_CHECKING

from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.tier import Tier
from tests.simulation.invariants import Violation
from tests.simulation.memory import check_nothing_is_kept
from tests.simulation.steps import (
    Activate,
    Ask,
    Die,
    Drain,
    Freeze,
    Infect,
    NextStart,
    Operate,
    RollBack,
    Schedule,
    Spoil,
    Starve,
    Step,
    StepClock,
)
from tests.simulation.workers import Start, Vice
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

RECOVERY_S = 12.0
"""The longest of: a process that a kill does not end at once, the fullest back-off, a look at a device, probation."""
_LOOK_S = 0.25
_REST_S = 1.3
_STUCK = frozenset({TierState.QUARANTINED, TierState.DISABLED})


def play(schedule: Schedule) -> World:
    """Live through a schedule. Raises Violation, or whatever the engine raises."""
    world = World(schedule.seed, chain=schedule.chain)
    start_s = world.now_s
    world.start()
    for step in schedule.steps:
        world.at(start_s + step.at_s, partial(_take, world, step))
    world.run_until(start_s + schedule.trouble_s)
    _end_faults(world)
    if not world.conduct.is_draining:
        _recover(world)
    _rest(world)
    return world


def _take(world: World, step: Step) -> None:
    match step:
        case Ask():
            world.ask(step)
        case Infect():
            _infect(world, step)
        case Spoil():
            world.rules.spoil(step.pathway, relapses=step.relapses)
        case Die():
            _die(world, step.pathway, step.tier)
        case NextStart():
            start = Start(fate=step.fate, reason=step.reason, load_s=step.load_s)
            world.pool.starts.setdefault((step.pathway, step.tier), []).append(start)
            _die(world, step.pathway, step.tier)
        case Freeze() | StepClock() | Starve():
            _take_time(world, step)
        case _:
            _operate(world, step)


def _operate(world: World, step: Operate | Activate | RollBack | Drain) -> None:
    match step:
        case Operate():
            (world.enable if step.is_enabling else world.disable)(step.pathway, step.tier)
        case Activate():
            world.activate(step)
        case RollBack():
            world.roll_back(step.pathway, step.tier)
        case Drain():
            world.drain()


def _take_time(world: World, step: Freeze | StepClock | Starve) -> None:
    match step:
        case Freeze():
            world.freeze(step.for_s)
        case StepClock():
            world.step_clock(step.jump_s)
        case Starve():
            world.starve(step.for_s)


def _infect(world: World, step: Infect) -> None:
    for worker in world.pool.living(step.pathway, step.tier):
        worker.vice, worker.reason = step.vice, step.reason
        worker.is_unkillable = worker.is_unkillable or step.is_unkillable
    world.conduct.disturbed((step.pathway, step.tier))


def _die(world: World, pathway: str, tier: str) -> None:
    for worker in world.pool.living(pathway, tier):
        world.pool.die(worker, "signal 9")


def _end_faults(world: World) -> None:
    world.pool.starts.clear()
    world.rules.relent()
    for worker in world.pool.living():
        worker.vice = Vice.NONE
        world.conduct.disturbed((worker.order.pathway, worker.order.tier))


def _recover(world: World) -> None:
    """Wait for full capability; an operator frees what waits for one."""
    end_s = world.now_s + RECOVERY_S
    while not _is_whole(world):
        if world.now_s >= end_s:
            states = [f"{tier.name} {tier.state} {tier.reason}" for tier in _verified(world)]
            raise Violation(f"full capability did not come back: {states}")
        _operator_frees(world)
        world.run_until(world.now_s + _LOOK_S)


def _is_whole(world: World) -> bool:
    paths = world.engine.pathways.values()
    complete = [path for path in paths if path.models[0].spec.bundle is not None]
    serving = all(tier.state is TierState.SERVING for tier in _verified(world))
    settled = not any(path.aside for path in paths)
    return settled and serving and all(path.capability is Capability.FULL for path in complete)


def _verified(world: World) -> list[Tier]:
    pathways = world.engine.pathways.values()
    return [tier for pathway in pathways for tier in pathway.tiers if tier.spec.bundle is not None]


def _operator_frees(world: World) -> None:
    for tier in _verified(world):
        if tier.state is TierState.REFUSED:
            world.disable(tier.pathway, tier.name)
        if tier.state in _STUCK:
            world.enable(tier.pathway, tier.name)


def _rest(world: World) -> None:
    """A last question to everybody, and quiet."""
    asks: list[Callable[[], None]] = [
        partial(world.ask, Ask(at_s=0.0, budget_s=0.3, count=3, pathway=pathway)) for pathway in world.engine.pathways
    ]
    for ask in asks:
        ask()
    world.run_until(world.now_s + _REST_S)
    world.ledger.check_nobody_waits()
    if not world.conduct.is_draining:
        world.versions.check_at_rest()
    world.conduct.check_moves(world.clock_s())
    check_nothing_is_kept(world.engine, world.pool.workers.values())
