"""The rules in simulation: tables in memory that may be spoiled, and the prover that asks them their known answers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from stepdown.domain.engine_effects import ProveRules
from stepdown.domain.engine_events import Event, RulesProved
from stepdown.domain.tiers import TierState
from stepdown.serving.engine.engine import Engine
from tests.simulation.chain import POLICY
from tests.simulation.invariants import Violation

_PROOF = 11
_SLOWEST_PROOF_S = 0.02
_LATE_S = POLICY.probe_period_s + 2 * _SLOWEST_PROOF_S

Key = tuple[str, str]


class Stage(Protocol):
    """What the rules need of the world they are in."""

    now_s: float

    def at(self, moment_s: float, action: Callable[[], None]) -> None: ...
    def drive(self, event: Event) -> None: ...
    def dice(self, kind: int, number: int) -> float: ...
    def clock_s(self) -> float: ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Tables:
    """Of one tier. `spoiled_s`: since when they are not what was verified; `relapses`: loads that will not mend them.

    `found`: the last request that had come when that was last found; `proved_s`: when they were last asked.
    """

    spoiled_s: float = inf
    relapses: int = 0
    found: int = 0
    proved_s: float = 0.0
    served_s: float = inf


class SimulatedRules:
    """Carries out the engine's proofs. Times are the engine's own."""

    def __init__(self, stage: Stage, engine: Engine, last_number: Callable[[], int]) -> None:
        self._stage = stage
        self._engine = engine
        self._last_number = last_number
        self._tables = {name: _Tables() for name, pathway in engine.pathways.items() if pathway.rules is not None}

    def spoil(self, pathway: str, *, relapses: int) -> None:
        """The tables in memory change."""
        tables = self._tables.get(pathway)
        if tables is not None:
            tables.spoiled_s = min(tables.spoiled_s, self._stage.clock_s())
            tables.relapses = relapses

    def relent(self) -> None:
        """Whatever is loaded from now on is whole."""
        for tables in self._tables.values():
            tables.relapses = 0

    def prove(self, order: ProveRules) -> None:
        """A proof is ordered."""
        took_s = _SLOWEST_PROOF_S * self._stage.dice(_PROOF, order.sequence)
        self._stage.at(self._stage.now_s + took_s, lambda: self._proved(order))

    def _proved(self, order: ProveRules) -> None:
        tables = self._tables[order.pathway]
        if order.anew:
            tables.spoiled_s = tables.spoiled_s if tables.relapses else inf
            tables.relapses = max(0, tables.relapses - 1)
        error = "the total differs" if tables.spoiled_s < inf else ""
        tables.proved_s = self._stage.clock_s()
        if error and order.bundle is self._engine.pathways[order.pathway].tier(order.tier).spec.bundle:
            tables.found = self._last_number()
        event = RulesProved(pathway=order.pathway, tier=order.tier, sequence=order.sequence, error=error)
        self._stage.drive(event)

    def gave_up(self, pathway: str) -> int:
        """The last request that had come when its rules were last found spoiled; what they had said is void."""
        tables = self._tables.get(pathway)
        return tables.found if tables is not None else 0

    def check(self, now_s: float, excused_until_s: float) -> None:
        """Rules that serve are proven, and spoiled ones do not serve for longer than that takes."""
        for name, tables in self._tables.items():
            rules = self._engine.pathways[name].rules
            if rules is None or rules.state is not TierState.SERVING:
                tables.served_s = inf
                continue
            tables.served_s = min(tables.served_s, now_s)
            since_s = max(tables.proved_s, tables.served_s, excused_until_s)
            if now_s > since_s + _LATE_S:
                raise Violation("serving rules are not proven any more")
            if now_s > max(tables.spoiled_s, tables.served_s, excused_until_s) + _LATE_S:
                raise Violation("rules that no longer give their known answers still serve")
