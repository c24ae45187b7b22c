"""Of readings that contradict one another intake picks the one that the signed charts weigh most.

Intake holds steps of its own, because it may not read a bundle; here they are held to the bundles' own points.
"""

from collections.abc import Callable
from itertools import product

import pytest

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.severity import worst
from stepdown.domain.intake import CONSCIOUSNESS_LETTERS, RuleInput, RuleInputs
from stepdown.rules.rule_set import RuleSet
from tests.known_answer.test_rule_bundles import BUNDLES, compiled

Points = Callable[[float], int]

RULE_SETS = {bundle.parent.name: compiled(bundle) for bundle in BUNDLES}
CHARTS = [
    *(("news2", name) for name in ("Resp", "SBP", "HR", "Temp", "Consciousness")),
    *(("sirs", name) for name in ("WBC", "PaCO2", "Bands")),
    ("qsofa", "GCS"),
    ("lactate", "Lactate"),
]


def points(rule_set: RuleSet, channel: str, *, spo2_scale: int = 1, on_oxygen: bool = False) -> Points:
    """What a chart gives for one value of a channel."""

    def of(value: float) -> int:
        read = CONSCIOUSNESS_LETTERS[int(value)] if channel == "Consciousness" else value
        parameters = {
            channel: RuleInput(value=read, observed_time_s=0.0),
            "SupplementalOxygen": RuleInput(value=float(on_oxygen), observed_time_s=0.0),
        }
        result = rule_set.score(RuleInputs(parameters=parameters, spo2_scale=spo2_scale))
        earned = next(one.points for one in result.parameters if one.parameter == channel)
        assert earned is not None
        return earned

    return of


def edges(channel: str, of: Points) -> list[float]:
    """Charted values on both sides of every change of points, and the ends of what is possible."""
    limits, step = CHANNELS[channel].hard, float(CHANNELS[channel].resolution or 1)
    count = round((limits.high - limits.low) / step)
    charted = [round(limits.low + index * step, 1) for index in range(count + 1)]
    given = [of(value) for value in charted]
    changes = {index for index in range(1, len(charted)) if given[index] != given[index - 1]}
    kept = {0, len(charted) - 1} | changes | {index - 1 for index in changes}
    return [charted[index] for index in sorted(kept)]


def assert_never_milder(channel: str, of: Points, *, spo2_scale: int = 1, on_oxygen: bool = False) -> None:
    values = edges(channel, of)
    assert len({of(value) for value in values}) > 1
    for one, other in product(values, repeat=2):
        chosen = worst(CHANNELS[channel], (one, other), spo2_scale=spo2_scale, on_oxygen=on_oxygen)
        assert of(chosen) == max(of(one), of(other)), (one, other)


@pytest.mark.parametrize(("chart", "channel"), CHARTS)
def test_the_reading_that_is_picked_earns_the_most_points(chart: str, channel: str) -> None:
    assert_never_milder(channel, points(RULE_SETS[chart], channel))


@pytest.mark.parametrize("spo2_scale", [1, 2])
@pytest.mark.parametrize("on_oxygen", [False, True])
def test_the_saturation_that_is_picked_earns_the_most_points_on_each_scale(spo2_scale: int, *, on_oxygen: bool) -> None:
    of = points(RULE_SETS["news2"], "O2Sat", spo2_scale=spo2_scale, on_oxygen=on_oxygen)
    assert_never_milder("O2Sat", of, spo2_scale=spo2_scale, on_oxygen=on_oxygen)
