"""Whatever a client sends, no text of intake repeats a value or a token, and nothing but a refusal is raised."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.intake import take_in
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.intake import Intake
from stepdown.domain.observations import (
    ClinicalRequest,
    CodeSystem,
    Comparator,
    Indication,
    Observation,
    ObservationSeries,
    ObservationStatus,
)
from tests.unit.clinical.building import AS_OF_S, LOINC, POLICY, request

# Recognisable wherever it turns up: no text of ours holds these letters or digits.
CANARY = "qzxj"
CANARY_DIGITS = "7391"

texts = st.sampled_from(
    (
        "",
        CANARY,
        f"{CANARY}-{CANARY_DIGITS}8",
        f"{CANARY} said so",
        f"{CANARY}@hospital.example",
        f"MRN{CANARY_DIGITS}8264",
        f"{CANARY.title()}-{CANARY.title()}",
        f"\x00{CANARY}",
        f"{CANARY}\u202e",
        CANARY * 200,
        "A",
        "8867-4",
        "/min",
    )
)
values = st.sampled_from((None, 7391.0, 73.91, 37.391, -7391.0, 7391e300, float("nan"), float("inf"), 0.7391, 80.0))
times = st.sampled_from((None, AS_OF_S - 73.91, AS_OF_S + 7391.0, AS_OF_S - 73910000.0, float("nan"), -7391.0))
codes = st.one_of(texts, st.sampled_from([code for code, _ in LOINC.values()]), st.sampled_from(sorted(CHANNELS)))
units = st.one_of(texts, st.sampled_from([unit for _, unit in LOINC.values()]))
systems = st.one_of(texts, st.sampled_from(tuple(CodeSystem)), st.sampled_from(tuple(CodeSystem)))

observation = st.builds(
    Observation,
    field=st.just(""),
    code_system=systems,
    code=codes,
    value=values,
    coded_value=texts,
    unit=units,
    effective_time_s=times,
    issued_time_s=times,
    status=st.sampled_from(ObservationStatus),
    comparator=st.sampled_from(Comparator),
    source=texts,
    encounter_token=st.one_of(st.just(""), texts),
    subject_token=st.one_of(st.just(""), texts),
    absent_reason=st.one_of(st.just(""), st.just(""), texts),
    time_ambiguous=st.booleans(),
)
packed = st.builds(
    ObservationSeries,
    field=st.just("series[0]"),
    code_system=systems,
    code=codes,
    unit=units,
    times_s=st.lists(times.filter(lambda time_s: time_s is not None), max_size=4).map(tuple),
    values=st.lists(values.filter(lambda value: value is not None), max_size=4).map(tuple),
    source=texts,
)
indication = st.builds(
    Indication,
    age_years=st.sampled_from((None, 62.0, 73.91, -7391.0, float("nan"))),
    spo2_scale=st.sampled_from((1, 2, 7391)),
    spinal_cord_injury=st.booleans(),
    treatment_limits=st.booleans(),
    hospital_admission_time_s=times,
    icu_admission_time_s=times,
)
asked = st.builds(
    lambda observations, series, **more: replace(
        request(*(each._replace(field=f"observations[{place}]") for place, each in enumerate(observations))),
        series=tuple(each._replace(field=f"series[{place}]") for place, each in enumerate(series)),
        **more,
    ),
    observations=st.lists(observation, max_size=5),
    series=st.lists(packed, max_size=2),
    indication=indication,
    request_id=texts,
    subject_token=texts,
    encounter_token=texts,
    correlation_id=texts,
    as_of_time_s=st.one_of(st.just(AS_OF_S), st.just(AS_OF_S), times),
    strict=st.booleans(),
    replay=st.booleans(),
)


def _unsaid(*fields: str) -> dict[str, st.SearchStrategy[Any]]:
    """Fields left at their defaults, which Hypothesis would draw by their types."""
    return {field: st.just(Observation._field_defaults[field]) for field in fields}


# Nothing speaks against these but what their observations say, so that most of them get through.
nonsense = st.sampled_from(("", CANARY, f"{CANARY} per minute", f"\x00{CANARY}"))
charted = st.builds(
    Observation,
    field=st.just(""),
    code_system=st.one_of(nonsense, st.sampled_from(tuple(CodeSystem)), st.sampled_from(tuple(CodeSystem))),
    code=st.one_of(nonsense, st.sampled_from([code for code, _ in LOINC.values()]), st.sampled_from(sorted(CHANNELS))),
    value=st.sampled_from((None, 7391.0, 73.91, 37.391, -7391.0, 0.7391)),
    coded_value=st.one_of(nonsense, st.sampled_from(("A", CANARY_DIGITS))),
    unit=st.one_of(nonsense, st.sampled_from([unit for _, unit in LOINC.values()])),
    effective_time_s=st.sampled_from((None, AS_OF_S - 73.91, AS_OF_S + 7391.0, AS_OF_S - 739100.0)),
    status=st.sampled_from(ObservationStatus),
    **_unsaid("issued_time_s", "comparator", "source", "encounter_token", "subject_token", "absent_reason"),
    **_unsaid("time_ambiguous"),
)
accepted = st.builds(
    lambda observations, strict: request(
        *(each._replace(field=f"observations[{place}]") for place, each in enumerate(observations)), strict=strict
    ),
    observations=st.lists(charted, max_size=8),
    strict=st.booleans(),
)


def outcome(sent: ClinicalRequest) -> Intake | RequestRejectedError:
    """What comes of a request; anything but these two is a fault and rises."""
    try:
        return take_in(sent, received_time_s=AS_OF_S, policy=POLICY)
    except RequestRejectedError as error:
        return error


def said(text: str) -> bool:
    """Whether a text gives something away."""
    return CANARY in text.casefold() or CANARY_DIGITS in text.replace(".", "")


@given(st.one_of(asked, accepted))
def test_no_text_that_intake_makes_repeats_a_value_or_a_token(sent: ClinicalRequest) -> None:
    end = outcome(sent)
    if isinstance(end, Intake):
        assert not said(f"{end.dropped} {end.flags} {end.abstention_text}")
    else:
        assert not said(f"{end} {end.args} {end.violations} {end.limits}")
        assert (end.__cause__, end.__context__) == (None, None)


@given(accepted.filter(lambda sent: not sent.strict))
def test_codes_units_and_values_that_mean_nothing_cost_nobody_the_answer(sent: ClinicalRequest) -> None:
    assert isinstance(outcome(sent), Intake)


def test_the_canary_would_be_heard() -> None:
    assert said(f"at {CANARY.upper()}")
    assert said("value 73.91")
    assert not said("observations[3]: 0 to 350 /min")
