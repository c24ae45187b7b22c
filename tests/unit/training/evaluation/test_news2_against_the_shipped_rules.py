"""The rules row of the comparison scores simulated hours as the rule set does that the server answers with."""

import numpy as np

from models.training.columns import INDEX
from models.training.evaluation.news2 import STEPS, carried, news2
from models.training.simulation.simulator import simulate
from stepdown.domain.bands import Band
from tests.unit.rules.rule_bundles import given, rule_set

CODES = "ACVPU"
BANDS = {Band.LOW: 0, Band.LOW_MEDIUM: 1, Band.MEDIUM: 2, Band.HIGH: 3}
HOURS = 1_500


def test_totals_bounds_and_bands_agree_hour_by_hour() -> None:
    stays = simulate(300, seed=31).stays
    vectorised = news2(stays, bedside=True)
    values = {name: carried(stays.predictors[:, INDEX[name]].astype(np.float64), stays) for name in STEPS}
    rows = np.random.default_rng(0).choice(len(stays.label), HOURS, replace=False)
    determined = 0
    for row in rows.tolist():
        readings: dict[str, float | str | None] = {
            name: None if np.isnan(value[row]) else round(float(value[row]), 1) for name, value in values.items()
        }
        readings["SupplementalOxygen"] = float(stays.on_oxygen[row])
        readings["Consciousness"] = CODES[stays.consciousness[row]]
        shipped = rule_set("news2").score(given(**readings))
        bounds = (vectorised.lowest[row], vectorised.highest[row])
        assert (shipped.minimum_total, shipped.maximum_total) == bounds, readings
        if shipped.band is not Band.INDETERMINATE and vectorised.determined[row]:
            assert BANDS[shipped.band] == vectorised.lowest_band[row], readings
            determined += 1
    assert determined > HOURS / 2
