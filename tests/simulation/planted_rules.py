# ruff: noqa: ANN401 - a planted bug passes on whatever it was given
"""Bugs in how rules prove themselves and how held devices are left alone, each of which the simulation must find."""

from dataclasses import replace
from typing import Any

from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.devices import Devices
from stepdown.serving.engine.rules_watch import RulesWatch
from stepdown.serving.engine.tier import Tier

_PROVED = RulesWatch.proved


def _failed_rules_stay(self: RulesWatch, tier: Tier, event: Any, cascade: Cascade, now_s: float) -> None:
    _PROVED(self, tier, replace(event, error=""), cascade, now_s)


def _nothing(*_: Any, **__: Any) -> None:
    return None


def never_s(*_: Any, **__: Any) -> float:
    """A moment that never comes."""
    return float("inf")


PLANTED_IN_RULES: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "held device used": ((Devices, "free", lambda _devices, spec, _now_s: spec.execution_providers),),
    "device never let go of": ((Devices, "ended", _nothing),),
    "rules never proven": ((RulesWatch, "tick", _nothing), (RulesWatch, "due_s", never_s)),
    "failed rules stay": ((RulesWatch, "proved", _failed_rules_stay),),
    "what failed rules said is given": ((Cascade, "distrust_rules", _nothing),),
    "failed rules never loaded afresh": ((RulesWatch, "_load_afresh", _nothing),),
}
