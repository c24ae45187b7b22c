"""The laws of intake: order, repetition, packing and units change nothing, and the future is not seen."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.clinical.channels import CHANNELS, find
from stepdown.clinical.intake import take_in
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.intake import InputStatus, Intake
from stepdown.domain.observations import (
    CareSetting,
    ClinicalRequest,
    CodeSystem,
    Indication,
    Observation,
    ObservationSeries,
    ObservationStatus,
)
from stepdown.domain.reasons import InputIssue
from tests.unit.clinical.building import AS_OF_S, LOINC, POLICY, known_cells, request

HOUR_S = 3600.0

# Values to one decimal around every limit of the channel, possible ones and others.
_RANGES = {
    "HR": (-10, 360),
    "O2Sat": (60, 105),
    "Temp": (28, 48),
    "SBP": (10, 260),
    "DBP": (0, 200),
    "MAP": (0, 220),
    "Resp": (0, 130),
    "Lactate": (0, 55),
    "FiO2": (15, 105),
    "PaCO2": (0, 160),
    "WBC": (0, 200),
    "GCS": (2, 16),
    "Creatinine": (0, 30),
}
_STATUSES = (
    ObservationStatus.FINAL,
    ObservationStatus.FINAL,
    ObservationStatus.FINAL,
    ObservationStatus.CORRECTED,
    ObservationStatus.PRELIMINARY,
    ObservationStatus.ENTERED_IN_ERROR,
)


@st.composite
def observation(draw: st.DrawFn) -> Observation:
    """One observation; few times and values, so that they meet."""
    channel = draw(st.sampled_from(sorted(_RANGES)))
    low, high = _RANGES[channel]
    code, unit = LOINC[channel]
    return Observation(
        field="",
        code_system=CodeSystem.LOINC,
        code=code,
        value=draw(st.integers(low * 10, high * 10)) / 10
        if draw(st.booleans())
        else float(draw(st.integers(low, high))),
        unit=draw(st.sampled_from((unit, unit, unit, unit, "", "mg/dL"))),
        effective_time_s=AS_OF_S - draw(st.sampled_from((-300, -60, 0, 60, 60, 60, 1800, 3600, 7200, 30_000, 180_000))),
        issued_time_s=draw(st.sampled_from((None, AS_OF_S - 30.0, AS_OF_S - 20.0))),
        status=draw(st.sampled_from(_STATUSES)),
        source=draw(st.sampled_from(("", "monitor-1", "monitor-2"))),
    )


def placed(observations: Sequence[Observation]) -> tuple[Observation, ...]:
    return tuple(each._replace(field=f"observations[{index}]") for index, each in enumerate(observations))


observations = st.lists(observation(), max_size=25).map(placed)
settings_of_care = st.sampled_from(CareSetting)


def intake_of(asked: ClinicalRequest) -> Intake:
    return take_in(asked, received_time_s=AS_OF_S, policy=POLICY)


@given(observations, settings_of_care, st.randoms(use_true_random=False))
def test_the_order_of_observations_changes_nothing(
    given_order: tuple[Observation, ...], setting: CareSetting, chance: Random
) -> None:
    other_order = list(given_order)
    chance.shuffle(other_order)
    indication = Indication(age_years=62.0, care_setting=setting)
    assert intake_of(request(*other_order, indication=indication)) == intake_of(
        request(*given_order, indication=indication)
    )


@given(observations, st.data())
def test_a_repetition_changes_nothing_but_is_flagged(once: tuple[Observation, ...], data: st.DataObject) -> None:
    usable = [each for each in once if each.status is ObservationStatus.FINAL]
    again = data.draw(st.lists(st.sampled_from(usable), max_size=5)) if usable else []
    repeated = tuple(each._replace(field=f"observations[{len(once) + index}]") for index, each in enumerate(again))
    plain, doubled = intake_of(request(*once)), intake_of(request(*once, *repeated))
    assert doubled.grid == plain.grid
    assert doubled.rule_inputs == plain.rule_inputs
    assert doubled.abstention is plain.abstention
    assert [(used.channel, used.value, used.observed_time_s) for used in doubled.used] == [
        (used.channel, used.value, used.observed_time_s) for used in plain.used
    ]
    of_repetition = {InputIssue.DUPLICATE}
    assert {flag.issue for flag in doubled.flags} - of_repetition == {
        flag.issue for flag in plain.flags
    } - of_repetition


@given(observations)
def test_packed_and_single_observations_are_the_same(singles: tuple[Observation, ...]) -> None:
    singles = tuple(
        each._replace(status=ObservationStatus.FINAL, issued_time_s=None)
        for each in singles
        if each.value is not None and each.effective_time_s is not None
    )
    groups: dict[tuple[str, str, str], list[Observation]] = {}
    for each in singles:
        groups.setdefault((each.code, each.unit, each.source), []).append(each)
    series = tuple(
        ObservationSeries(
            field=f"series[{index}]",
            code_system=CodeSystem.LOINC,
            code=code,
            unit=unit,
            times_s=tuple(each.effective_time_s or 0.0 for each in members),
            values=tuple(each.value or 0.0 for each in members),
            source=source,
        )
        for index, ((code, unit, source), members) in enumerate(groups.items())
    )
    packed, single = intake_of(request(series=series)), intake_of(request(*singles))
    assert packed.grid == single.grid
    assert packed.rule_inputs == single.rule_inputs
    assert packed.abstention is single.abstention
    assert sum(used.readings for used in packed.used) == sum(used.readings for used in single.used)
    assert {flag.issue for flag in packed.flags} == {flag.issue for flag in single.flags}
    totals = [
        sum(entry.count for entry in each.dropped if entry.issue is not InputIssue.STALE) for each in (packed, single)
    ]
    assert totals[0] == totals[1]


@given(st.data())
def test_the_unit_in_which_a_value_is_sent_changes_nothing(data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from(("Temp", "SBP", "Lactate", "PaCO2", "WBC", "FiO2", "O2Sat", "Creatinine", "Glucose"))
    )
    channel = CHANNELS[name]
    unit = data.draw(st.sampled_from([unit for unit in channel.units if unit != channel.unit]))
    low, high = max(channel.hard.low, channel.soft.low), min(channel.hard.high, channel.soft.high)
    sent = data.draw(st.floats(low, high).map(lambda value: round(value, 2)).filter(lambda value: low < value < high))
    other = channel.units[unit].conversion.inverse(Decimal(repr(sent)))
    code = LOINC[name][0]
    one, same = (
        Observation(
            field="observations[0]",
            code_system=CodeSystem.LOINC,
            code=code,
            value=value,
            unit=unit_sent,
            effective_time_s=AS_OF_S - 60,
        )
        for value, unit_sent in ((sent, channel.unit), (float(other), unit))
    )
    assert intake_of(request(same)).grid == intake_of(request(one)).grid
    assert intake_of(request(same)).rule_inputs == intake_of(request(one)).rule_inputs
    assert intake_of(request(same)).used == intake_of(request(one)).used


@given(observations, st.lists(observation(), max_size=5))
def test_nothing_observed_later_has_a_part_in_the_answer(
    known: tuple[Observation, ...], later: list[Observation]
) -> None:
    future = tuple(
        each._replace(field=f"observations[{len(known) + index}]", effective_time_s=AS_OF_S + 121.0 + index)
        for index, each in enumerate(later)
    )
    then, now = intake_of(request(*known)), intake_of(request(*known, *future))
    assert (now.grid, now.rule_inputs, now.used, now.flags) == (then.grid, then.rule_inputs, then.used, then.flags)


@given(observations, st.floats(AS_OF_S, AS_OF_S + 300 * 86_400))
def test_the_same_request_is_read_the_same_whenever_it_is_replayed(
    known: tuple[Observation, ...], received_time_s: float
) -> None:
    asked = request(*known)
    assert take_in(asked, received_time_s=received_time_s, policy=POLICY) == intake_of(asked)


@given(observations)
def test_every_cell_is_missing_or_possible_and_every_parameter_is_there(known: tuple[Observation, ...]) -> None:
    intake = intake_of(request(*known))
    for name in _RANGES:
        channel = CHANNELS[name]
        for value in known_cells(intake, name).values() if name != "GCS" else ():
            assert channel.hard.low - 1e-4 <= value <= channel.hard.high + 1e-4
    for parameter in intake.rule_inputs.parameters.values():
        assert (parameter.value is None) is (parameter.status is not InputStatus.PRESENT)


@given(observations)
def test_each_observation_is_used_dropped_repeated_or_superseded_and_never_lost(
    known: tuple[Observation, ...],
) -> None:
    intake = intake_of(request(*known))
    told = {used.field for used in intake.used} | {entry.field for entry in intake.dropped}
    silent = [each for each in known if each.field not in told]
    settled = {flag.channel for flag in intake.flags if flag.issue in {InputIssue.DUPLICATE, InputIssue.CONFLICT}}
    for each in silent:
        coded = find(each.code_system, each.code)
        assert coded is not None
        assert coded.channel.name in settled


@given(observations)
def test_strict_refuses_exactly_what_would_have_been_dropped(known: tuple[Observation, ...]) -> None:
    lenient = intake_of(request(*known))
    if not lenient.dropped:
        assert intake_of(request(*known, strict=True)) == lenient
        return
    with pytest.raises(RequestRejectedError) as caught:
        intake_of(request(*known, strict=True))
    assert [violation.field for violation in caught.value.violations] == [entry.field for entry in lenient.dropped]
