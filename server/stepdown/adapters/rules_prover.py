"""Rules asked their known answers again and again, on a thread of its own, in the very objects that answer patients.

A few questions at a time, so that no request waits for them. What fails is condemned before anybody is told of it.
Refuses to mend tables in memory: rules that failed are compiled afresh from the bytes that were verified.
"""

import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import ProveRules
from stepdown.domain.engine_events import RulesProved
from stepdown.domain.errors import RuleSetError
from stepdown.ports import EventSink
from stepdown.rules.golden import ProvenRules
from stepdown.serving.assessment import ClinicalPathway

_AT_ONCE = 4
_BREATH_S = 0.005
_JOIN_S = 5.0


class ThreadedRulesProver:
    """Meets `ports.RulesProver`."""

    def __init__(
        self,
        clinical: Mapping[str, ClinicalPathway],
        *,
        compose: Callable[[str, VerifiedBundle], ProvenRules],
        sink: EventSink,
    ) -> None:
        """`compose` makes a pathway's rules from verified bytes (raises RuleSetError); proofs go to `sink`."""
        self._clinical = clinical
        self._compose = compose
        self._sink = sink
        self._orders: SimpleQueue[ProveRules | None] = SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules-prover", daemon=True)
        self._thread.start()

    def prove(self, order: ProveRules) -> None:
        """Begin, and return at once."""
        self._orders.put(order)

    def close(self) -> None:
        """End the thread; what it has not proved is not told any more."""
        self._closing.set()
        self._orders.put(None)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while (order := self._orders.get()) is not None and not self._closing.is_set():
            error = self._proof(order)
            proved = RulesProved(pathway=order.pathway, tier=order.tier, sequence=order.sequence, error=error)
            self._sink((proved,))

    def _proof(self, order: ProveRules) -> str:
        """Empty, or why these rules must not answer."""
        pathway, sha256 = self._clinical[order.pathway], order.bundle.sha256
        try:
            if order.anew:
                pathway.learn_rules(sha256, self._compose(order.pathway, order.bundle))
            error = self._reviewed(pathway.rules(sha256))
        except RuleSetError as refusal:
            error = f"cannot be loaded afresh: {refusal}"
        except Exception as fault:  # noqa: BLE001 - whatever damaged tables raise, they must not answer
            error = f"{type(fault).__name__} when asked a known answer"
        if error:
            pathway.condemn(sha256)
        return error

    def _reviewed(self, rules: ProvenRules | None) -> str:
        if rules is None:
            return "not loaded"
        for number, error in enumerate(rules.review(), start=1):
            if error:
                return error
            if number % _AT_ONCE == 0:
                self._closing.wait(_BREATH_S)
        return ""
