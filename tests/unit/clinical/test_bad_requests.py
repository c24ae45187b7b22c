"""Requests that cannot be trusted or that no score was made for: rows 4, 6, 14-17, 25 and 26 of the table.

`test_bad_units_and_times.py` lists where the other rows are.
"""

from dataclasses import replace

import pytest

from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.observations import Indication, Observation, ObservationSeries, Pregnancy, Sex
from stepdown.domain.reasons import AbstentionReason, InputIssue, RejectReason
from tests.unit.clinical.building import (
    ADULT,
    AS_OF_S,
    column,
    flagged,
    known_cells,
    packed,
    reasons,
    refusal,
    seen,
    taken,
    taken_under,
    vitals,
)

YEAR_S = 365 * 86_400.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, -1e39, 5e-324, 1e-40])
def test_row_04_a_number_that_is_none_refuses_the_request(value: float) -> None:
    single = seen("HR", value)
    error = refusal(*vitals(), single, series=(packed("Temp", (60.0, 36.5), (30.0, value)),))
    assert error.reason is RejectReason.VALUE_NOT_FINITE
    assert reasons(error) == {
        f"{single.field}.value": RejectReason.VALUE_NOT_FINITE,
        "series[0].values[1]": RejectReason.VALUE_NOT_FINITE,
    }


@pytest.mark.parametrize("channel", ["Resp", "BaseExcess"])
def test_row_04_minus_zero_is_zero(channel: str) -> None:
    for intake in (taken(seen(channel, -0.0)), taken(series=(packed(channel, (60.0, -0.0)),))):
        assert str(known_cells(intake, channel)[0]) == "0.0"
        assert str(intake.used[0].value) == "0.0"


@pytest.mark.parametrize(
    "observation",
    [seen("HR", 80.0, effective_time_s=float("nan")), seen("HR", 80.0, issued_time_s=float("inf"))],
)
def test_row_04_nor_is_a_time_that_is_no_number(observation: Observation) -> None:
    assert refusal(observation).reason is RejectReason.VALUE_NOT_FINITE


def test_row_04_in_the_indication_and_packed_times_too() -> None:
    broken = packed("HR", (60.0, 80.0))._replace(times_s=(float("nan"),))
    indication = Indication(age_years=float("nan"), icu_admission_time_s=float("inf"))
    assert reasons(refusal(series=(broken,), indication=indication)) == {
        "indication.age_years": RejectReason.VALUE_NOT_FINITE,
        "indication.icu_admission_time": RejectReason.VALUE_NOT_FINITE,
        "series[0].times": RejectReason.VALUE_NOT_FINITE,
    }


@pytest.mark.parametrize(
    ("as_of_s", "reason"),
    [
        (None, RejectReason.AS_OF_REQUIRED),
        (float("nan"), RejectReason.AS_OF_REQUIRED),
        (0.0, RejectReason.AS_OF_REQUIRED),
        (YEAR_S, RejectReason.AS_OF_REQUIRED),
        (-62_135_596_800.0, RejectReason.AS_OF_REQUIRED),
        (AS_OF_S - YEAR_S - 1, RejectReason.AS_OF_TOO_OLD),
        (AS_OF_S + 301, RejectReason.AS_OF_IN_FUTURE),
        (float("inf"), RejectReason.AS_OF_IN_FUTURE),
    ],
)
def test_row_06_an_instant_that_cannot_be_meant_refuses_the_request(
    as_of_s: float | None, reason: RejectReason
) -> None:
    assert reasons(refusal(*vitals(), as_of_time_s=as_of_s)) == {"as_of_time": reason}


@pytest.mark.parametrize("replayed", [AS_OF_S - YEAR_S - 1, YEAR_S + 1])
def test_row_06_a_replay_may_be_of_any_age(replayed: float) -> None:
    taken(seen("HR", 80.0, effective_time_s=replayed - 60), as_of_time_s=replayed, replay=True)


def test_row_06_the_limits_themselves_are_fine() -> None:
    taken(*vitals(), as_of_time_s=AS_OF_S + 300)
    taken(*vitals(), as_of_time_s=AS_OF_S - YEAR_S)


@pytest.mark.parametrize(
    ("age", "abstains", "models"),
    [(9.0, True, False), (15.99, True, False), (16.0, False, False), (17.99, False, False), (18.0, False, True)],
)
def test_row_14_below_16_nothing_answers_and_below_18_the_rules_alone(
    age: float, *, abstains: bool, models: bool
) -> None:
    intake = taken(*vitals(), indication=Indication(age_years=age))
    assert (intake.abstention is AbstentionReason.OUT_OF_INDICATION_AGE) is abstains
    assert intake.models_in_indication is models
    assert (("Age", InputIssue.MODEL_OUT_OF_INDICATION) in flagged(intake)) is not models


@pytest.mark.parametrize("age", [None, -1.0, 125.5, 4000.0])
def test_row_14_an_age_is_required(age: float | None) -> None:
    error = refusal(*vitals(), indication=Indication(age_years=age))
    assert reasons(error) == {"indication.age_years": RejectReason.AGE_REQUIRED}


def test_row_14_an_age_among_the_observations_serves() -> None:
    assert taken(*vitals(), column("Age", 9.0), indication=Indication()).abstention is not None
    age = ObservationSeries(
        field="series[0]",
        code_system="https://physionet.org/content/challenge-2019",
        code="Age",
        unit="",
        times_s=(AS_OF_S - 100 * 3600,),
        values=(62.0,),
    )
    assert set(known_cells(taken(*vitals(), series=(age,), indication=Indication()), "Age").values()) == {62.0}


def test_row_14_but_not_one_that_had_to_be_dropped() -> None:
    error = refusal(*vitals(), column("Age", 620.0), indication=Indication())
    assert reasons(error) == {"indication.age_years": RejectReason.AGE_REQUIRED}


def test_row_15_in_pregnancy_the_answer_is_an_abstention_that_names_the_right_score() -> None:
    intake = taken(*vitals(), indication=replace(ADULT, pregnancy=Pregnancy.YES))
    assert intake.abstention is AbstentionReason.OUT_OF_INDICATION_PREGNANCY
    assert "maternity early warning score" in intake.abstention_text


@pytest.mark.parametrize(
    ("sex", "age", "pregnancy", "flag"),
    [
        (Sex.FEMALE, 30.0, Pregnancy.UNKNOWN, True),
        (Sex.FEMALE, 55.0, Pregnancy.UNKNOWN, True),
        (Sex.FEMALE, 56.0, Pregnancy.UNKNOWN, False),
        (Sex.FEMALE, 30.0, Pregnancy.NO, False),
        (Sex.MALE, 30.0, Pregnancy.UNKNOWN, False),
        (Sex.FEMALE, 11.0, Pregnancy.UNKNOWN, False),
    ],
)
def test_row_15_a_possible_pregnancy_that_nobody_ruled_out_is_flagged(
    sex: Sex, age: float, pregnancy: Pregnancy, *, flag: bool
) -> None:
    intake = taken(*vitals(), indication=Indication(age_years=age, sex=sex, pregnancy=pregnancy))
    assert (("", InputIssue.PREGNANCY_UNKNOWN) in flagged(intake)) is flag


@pytest.mark.parametrize(
    ("indication", "switch"),
    [
        (replace(ADULT, spinal_cord_injury=True), IntakePolicy(spinal_cord_injury_abstains=True)),
        (replace(ADULT, treatment_limits=True), IntakePolicy(treatment_limits_abstain=True)),
    ],
)
def test_row_16_limited_validity_is_flagged_and_a_site_may_choose_to_abstain(
    indication: Indication, switch: IntakePolicy
) -> None:
    usual, chosen = (taken_under(policy, *vitals(), indication=indication) for policy in (IntakePolicy(), switch))
    assert flagged(usual) == flagged(chosen) == [("", InputIssue.LIMITED_VALIDITY)]
    assert usual.abstention is None
    assert chosen.abstention is AbstentionReason.LIMITED_VALIDITY


def test_row_17_scale_2_without_confirmation_is_scale_1_and_both_are_wanted() -> None:
    intake = taken(*vitals(), indication=replace(ADULT, spo2_scale=2))
    assert flagged(intake) == [("O2Sat", InputIssue.SCALE2_NOT_CONFIRMED)]
    assert (intake.rule_inputs.spo2_scale, intake.rule_inputs.want_alternate_scale) == (1, True)


def test_row_17_confirmed_it_is_scale_2() -> None:
    intake = taken(*vitals(), indication=replace(ADULT, spo2_scale=2, spo2_scale_2_confirmed=True))
    assert flagged(intake) == []
    assert (intake.rule_inputs.spo2_scale, intake.rule_inputs.want_alternate_scale) == (2, False)


def test_row_17_there_is_no_third_scale() -> None:
    error = refusal(*vitals(), indication=replace(ADULT, spo2_scale=3))
    assert reasons(error) == {"indication.spo2_scale": RejectReason.ENUM_UNKNOWN}


def test_row_25_nothing_or_demographics_alone_is_an_abstention_and_not_a_low_risk() -> None:
    for intake in (taken(), taken(column("Age", 62.0), column("Gender", 1.0)), taken(seen("HR", 80.0, unit="bpm"))):
        assert intake.abstention is AbstentionReason.NO_CLINICAL_DATA
        assert "no score" in intake.abstention_text


def test_row_26_more_observations_than_the_limit_are_refused_before_any_is_looked_at() -> None:
    policy = IntakePolicy(maximum_observations=2, maximum_series=1, maximum_series_values=3)
    single = seen("HR", float("nan"))
    series = packed("HR", (60.0, 80.0), (30.0, 80.0))
    with pytest.raises(RequestRejectedError) as caught:
        taken_under(policy, single, single, single, series=(series, series))
    assert caught.value.reason is RejectReason.TOO_LARGE
    assert caught.value.limits == {"observations": 2, "series": 1, "series.values": 3, "series.times": 3}


def test_a_series_with_fewer_times_than_values_is_malformed() -> None:
    broken = packed("HR", (60.0, 80.0))._replace(times_s=())
    assert reasons(refusal(series=(broken,))) == {"series[0]": RejectReason.SERIES_MALFORMED}
