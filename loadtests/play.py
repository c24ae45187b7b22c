"""Plays one scenario: the generator in a process of its own, the time line here, every move of the tiers kept."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path

from loadtests.actions import Actions
from loadtests.generator_process import GeneratorProcess
from loadtests.labels import TierLabel
from loadtests.machine import MachineWatch
from loadtests.order import Order
from loadtests.record import PlayedStep, ScenarioRecord, read_outcomes
from loadtests.scenario import Scenario
from loadtests.servers import OwnServer
from loadtests.target import Target
from stepdown.cli.drill.questions import DrillNotPlayedError
from stepdown.cli.drill.watch import TierWatch
from stepdown.client.drills import DrillClient, TierView

_WHOLE_WITHIN_S = 120.0
_POLL_S = 0.1
_LOOK_S = 1.0
_LEAD_S = 0.5
_ENDING_S = 150.0
_SERVING = "SERVING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What all scenarios of a run share. Rates follow `capacity_per_s`, the first tier's on this machine."""

    pathway: str
    stays: Path
    folder: Path
    capacity_per_s: float
    limit_per_s: float
    seed: int


def play(
    name: str,
    scenario: Scenario,
    conditions: Conditions,
    *,
    target: Target,
    servers: Sequence[OwnServer],
    tell: Callable[[str], None],
) -> ScenarioRecord:
    """Play it. Raises: DrillNotPlayedError, GeneratorError, AssessmentError."""
    chain, log = whole_chain(target, conditions.pathway), conditions.folder / f"{name}.log"
    with (
        DrillClient(target.of_server(0).addresses, target.operator) as operations,
        GeneratorProcess(order(name, scenario, conditions, target=target, chain=chain), log=log) as generator,
    ):
        watch = TierWatch(operations, conditions.pathway) if target.is_one else None
        generator.wait_until_ready()
        zero_s = time.time() + _LEAD_S + scenario.warm_s
        generator.begin(zero_s)
        actions = Actions(target, servers, pathway=conditions.pathway, zero_s=zero_s)
        machine = MachineWatch(servers, generator.pid)
        try:
            steps = _time_line(scenario, actions, zero_s=zero_s, look=machine.look, tell=tell)
        finally:
            actions.recover()
        use = machine.use()
        generator.wait(_ENDING_S)
        moves = () if watch is None else watch.moves()
    outcomes, pulses = read_outcomes(_outcomes(conditions, name))
    shifted_s = zero_s + actions.clock_ahead_s
    return ScenarioRecord(
        name=name,
        length_s=scenario.length_s,
        tiers=tuple(tier.name for tier in chain),
        outcomes=outcomes,
        pulses=pulses,
        moves=tuple(with_changes(move, at_s=move.at_s - shifted_s) for move in moves),
        steps=steps,
        surge=surge_of(scenario),
        machine=use if servers else None,
    )


def order(
    name: str, scenario: Scenario | None, conditions: Conditions, *, target: Target, chain: Sequence[TierView]
) -> Order:
    """What the generator is told; without a scenario it measures the capacity."""
    return Order(
        addresses=target.addresses,
        ca=target.assessor.ca,
        certificate=target.assessor.certificate,
        key=target.assessor.key,
        server_name=target.assessor.server_name,
        pathway=conditions.pathway,
        stays=conditions.stays,
        chain=tuple(TierLabel(name=tier.name, sha256=tier.sha256, signers=tier.signers) for tier in chain),
        outcomes=_outcomes(conditions, name),
        scenario=scenario,
        capacity_per_s=conditions.capacity_per_s,
        limit_per_s=conditions.limit_per_s,
        seed=conditions.seed,
    )


def whole_chain(target: Target, pathway: str) -> tuple[TierView, ...]:
    """The tiers of every server, once all of them serve. Raises: DrillNotPlayedError, AssessmentError."""
    chains = []
    for number in range(len(target.addresses.split(","))):
        one = target.of_server(number)
        with DrillClient(one.addresses, one.operator) as operations:
            chains.append(_when_whole(operations, pathway))
    if len({tuple((tier.name, tier.sha256) for tier in chain) for chain in chains}) > 1:
        raise DrillNotPlayedError("the servers do not serve the same bundles")
    return chains[0]


def surge_of(scenario: Scenario) -> tuple[float, float] | None:
    """From when to when a scenario asks for more than can be answered."""
    surges = [(load.from_s, scenario.end_s(load)) for load in scenario.load if load.profile == "surge-10x"]
    return (min(first for first, _ in surges), max(last for _, last in surges)) if surges else None


def _when_whole(operations: DrillClient, pathway: str) -> tuple[TierView, ...]:
    deadline_s = time.monotonic() + _WHOLE_WITHIN_S
    while True:
        tiers = operations.tiers(pathway)
        if all(tier.state == _SERVING and not tier.injected_fault for tier in tiers):
            return tiers
        if time.monotonic() > deadline_s:
            states = ", ".join(f"{tier.name} {tier.state}" for tier in tiers)
            raise DrillNotPlayedError(f"a scenario begins with every tier serving, but {states}")
        time.sleep(_POLL_S)


def _time_line(
    scenario: Scenario,
    actions: Actions,
    *,
    zero_s: float,
    look: Callable[[], None],
    tell: Callable[[str], None],
) -> tuple[PlayedStep, ...]:
    played = []
    for step in sorted(scenario.at, key=lambda each: each.t):
        _sleep_until(zero_s + step.t, look)
        played.append(actions.play(step))
        tell(f"t = {played[-1].at_s:5.1f} s: {played[-1].name}")
    _sleep_until(zero_s + scenario.length_s, look)
    return tuple(played)


def _sleep_until(moment_s: float, look: Callable[[], None]) -> None:
    while (left_s := moment_s - time.time()) > 0:
        if left_s > _LOOK_S:
            look()
        time.sleep(min(max(0.0, moment_s - time.time()), _LOOK_S))


def _outcomes(conditions: Conditions, name: str) -> Path:
    return conditions.folder / f"{name}.outcomes.jsonl"
