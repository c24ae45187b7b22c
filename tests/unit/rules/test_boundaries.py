"""Every charted value of every row of every rule set, against the publications as transcribed in `published`."""

from decimal import Decimal

import pytest

from stepdown.domain.scores import ParameterScore
from tests.unit.rules import published
from tests.unit.rules.published import Points
from tests.unit.rules.rule_bundles import given, rule_set

# rule set, channel, charted values per unit, highest value tried, table, and what else must be known
ROWS: tuple[tuple[str, str, int, int, Points, dict[str, float]], ...] = (
    ("news2", "Resp", 1, 120, published.NEWS2_RESP, {}),
    ("news2", "O2Sat", 1, 100, published.NEWS2_SPO2_SCALE_1, {}),
    ("news2", "O2Sat", 1, 100, published.NEWS2_SPO2_SCALE_1, {"SupplementalOxygen": 1.0}),
    ("news2", "O2Sat", 1, 100, published.NEWS2_SPO2_SCALE_2_AIR, {"spo2_scale": 2, "SupplementalOxygen": 0.0}),
    ("news2", "O2Sat", 1, 100, published.NEWS2_SPO2_SCALE_2_OXYGEN, {"spo2_scale": 2, "SupplementalOxygen": 1.0}),
    ("news2", "SBP", 1, 400, published.NEWS2_SBP, {}),
    ("news2", "HR", 1, 350, published.NEWS2_HR, {}),
    ("news2", "Temp", 10, 470, published.NEWS2_TEMP_TENTHS, {}),
    ("news2", "GCS", 1, 15, published.NEWS2_GCS, {}),
    ("qsofa", "Resp", 1, 120, published.QSOFA_RESP, {}),
    ("qsofa", "SBP", 1, 400, published.QSOFA_SBP, {}),
    ("qsofa", "GCS", 1, 15, published.QSOFA_GCS, {}),
    ("sirs", "Temp", 10, 470, published.SIRS_TEMP_TENTHS, {}),
    ("sirs", "HR", 1, 350, published.SIRS_HR, {}),
    ("sirs", "Resp", 1, 120, published.SIRS_RESP, {}),
    ("sirs", "PaCO2", 1, 250, published.SIRS_PACO2, {}),
    ("sirs", "WBC", 10, 2000, published.SIRS_WBC_TENTHS, {}),
    ("sirs", "Bands", 1, 100, published.SIRS_BANDS, {}),
    ("mews", "SBP", 1, 400, published.MEWS_SBP, {}),
    ("mews", "HR", 1, 350, published.MEWS_HR, {}),
    ("mews", "Resp", 1, 120, published.MEWS_RESP, {}),
    ("mews", "Temp", 10, 470, published.MEWS_TEMP_TENTHS, {}),
    ("lactate", "Lactate", 10, 500, published.LACTATE_TENTHS, {}),
)
IDS = [
    f"{name}-{channel}-{'-'.join(f'{key}{value:g}' for key, value in known.items())}"
    for name, channel, _, _, _, known in ROWS
]


def scored(name: str, channel: str, value: float, known: dict[str, float]) -> ParameterScore:
    inputs = given(
        int(known.get("spo2_scale", 1)),
        **{channel: value},
        **{key: reading for key, reading in known.items() if key != "spo2_scale"},
    )
    (row,) = (row for row in rule_set(name).score(inputs).parameters if row.parameter == channel)
    return row


@pytest.mark.parametrize(("name", "channel", "per_unit", "highest", "table", "known"), ROWS, ids=IDS)
def test_every_charted_value_earns_what_the_publication_gives_it(
    name: str, channel: str, per_unit: int, highest: int, table: Points, known: dict[str, float]
) -> None:
    wrong = {
        charted: (row.points, published.points(table, charted))
        for charted in range(highest + 1)
        if (row := scored(name, channel, charted / per_unit, known)).points != published.points(table, charted)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "channel", "per_unit", "highest", "table", "known"),
    [row for row in ROWS if row[1] not in ("PaCO2", "Bands")],
    ids=[name for name, row in zip(IDS, ROWS, strict=True) if row[1] not in ("PaCO2", "Bands")],
)
def test_a_value_between_two_charted_ones_earns_what_rounding_half_up_would_give_it(
    name: str, channel: str, per_unit: int, highest: int, table: Points, known: dict[str, float]
) -> None:
    step = Decimal(1) / per_unit
    for charted in range(1, highest + 1):
        half = float(charted * step - step / 2)
        just_below = float(charted * step - step / 2 - step / 1000)
        assert scored(name, channel, half, known).points == published.points(table, charted), half
        assert scored(name, channel, just_below, known).points == published.points(table, charted - 1), just_below


@pytest.mark.parametrize(("value", "points"), [(31.99, 1), (32.0, 0), (32.25, 0)])
def test_paco2_has_no_charting_resolution_and_its_limit_is_strict(value: float, points: int) -> None:
    assert scored("sirs", "PaCO2", value, {}).points == points


@pytest.mark.parametrize(("value", "points"), [(10.0, 0), (10.01, 1)])
def test_band_forms_have_no_charting_resolution_and_their_limit_is_strict(value: float, points: int) -> None:
    assert scored("sirs", "Bands", value, {}).points == points


@pytest.mark.parametrize("table", [row[4] for row in ROWS], ids=IDS)
def test_the_transcribed_publication_covers_every_value_once(table: Points) -> None:
    assert {published.points(table, charted) for charted in range(4_000)} == set(table)


@pytest.mark.parametrize(("code", "points"), published.NEWS2_CODES.items())
def test_news2_scores_every_state_but_alert_as_three(code: str, points: int) -> None:
    (row,) = (
        row for row in rule_set("news2").score(given(Consciousness=code)).parameters if row.parameter == "Consciousness"
    )
    assert row.points == points


@pytest.mark.parametrize(("code", "points"), published.MEWS_CODES.items())
def test_mews_scores_avpu(code: str, points: int) -> None:
    (row,) = (
        row for row in rule_set("mews").score(given(Consciousness=code)).parameters if row.parameter == "Consciousness"
    )
    assert row.points == points


@pytest.mark.parametrize("code", ["C", "V", "P", "U"])
def test_qsofa_takes_every_state_but_alert_as_altered_mentation(code: str) -> None:
    assert rule_set("qsofa").score(given(Resp=16.0, SBP=120.0, Consciousness=code)).total == 1
    assert rule_set("qsofa").score(given(Resp=16.0, SBP=120.0, Consciousness="A")).total == 0
