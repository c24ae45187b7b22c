"""Hypothesis strategies for the domain's values, as far as the wire can hold them exactly."""

from dataclasses import replace
from typing import Any, TypeVar

from hypothesis import strategies as st

from stepdown.domain.assessments import Abstention, Assessment, Contribution, Degradation, Risk, TierAttempt
from stepdown.domain.bundles import ScoreSemantics
from stepdown.domain.intake import DroppedInput, InputFlag, UsedInput
from stepdown.domain.observations import ClinicalRequest, Indication, Observation, ObservationSeries
from stepdown.domain.reasons import Reason
from stepdown.domain.scores import ParameterScore, RulesAssessment, ScoreResult
from tests.fakes.statuses import tier_identity

Value = TypeVar("Value")

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False)
COUNTS = st.integers(0, 100)
# Whole milliseconds from 1990 to 2100.
TIMES = st.integers(631_152_000_000, 4_102_444_800_000).map(lambda ms: ms / 1000)
MAYBE_TIMES = st.none() | TIMES


@st.composite
def series(draw: st.DrawFn) -> ObservationSeries:
    """As many times as values, whole milliseconds apart."""
    base_s = draw(st.integers(631_152_000, 4_102_444_800))
    points = draw(st.lists(st.tuples(st.integers(-(10**9), 10**9), NUMBERS), max_size=5))
    times_s = (float(base_s), *(base_s + offset_ms / 1000 for offset_ms, _ in points))
    return ObservationSeries(
        field="",
        code_system=draw(WORDS),
        code=draw(WORDS),
        unit=draw(WORDS),
        times_s=times_s,
        values=(0.0, *(value for _, value in points)),
        source=draw(WORDS),
    )


def _by_type(*fields: str) -> dict[str, Any]:
    """Draw these by their types, although they have defaults: any member of an enum, either truth value."""
    return dict.fromkeys(fields, ...)


def observations() -> st.SearchStrategy[Observation]:
    """Measured, coded or neither: the wire holds at most one."""
    number_or_code = st.sampled_from(("number", "code", "neither"))
    return st.builds(
        _observation,
        number_or_code,
        NUMBERS,
        WORDS.filter(bool),
        plain=st.builds(
            Observation,
            field=st.just(""),
            code_system=WORDS,
            code=WORDS,
            value=st.none(),
            coded_value=st.just(""),
            unit=WORDS,
            effective_time_s=MAYBE_TIMES,
            issued_time_s=MAYBE_TIMES,
            source=WORDS,
            encounter_token=WORDS,
            subject_token=WORDS,
            absent_reason=WORDS,
            **_by_type("status", "comparator", "time_ambiguous"),
        ),
    )


def requests() -> st.SearchStrategy[ClinicalRequest]:
    """Whole requests; fields are numbered by place, as the codec does."""
    indication = st.builds(
        Indication,
        age_years=st.none() | NUMBERS,
        spo2_scale=st.sampled_from((1, 2)),
        hospital_admission_time_s=MAYBE_TIMES,
        icu_admission_time_s=MAYBE_TIMES,
        **_by_type("sex", "pregnancy", "care_setting", "icu_unit", "spo2_scale_2_confirmed"),
        **_by_type("suspected_infection", "spinal_cord_injury", "treatment_limits"),
    )
    return st.builds(
        _request,
        st.lists(observations(), max_size=4),
        st.lists(series(), max_size=3),
        plain=st.builds(
            ClinicalRequest,
            request_id=WORDS,
            pathway=WORDS,
            subject_token=WORDS,
            encounter_token=WORDS,
            as_of_time_s=MAYBE_TIMES,
            indication=indication,
            observations=st.just(()),
            series=st.just(()),
            minimum_tier=WORDS,
            correlation_id=WORDS,
            **_by_type("urgency", "strict", "replay", "want_contributions"),
        ),
    )


def assessments() -> st.SearchStrategy[Assessment]:
    """Whole answers: at most one of risk and abstention, as the domain says."""
    identity = st.sampled_from([tier_identity(tier) for tier in ("full", "distilled", "rules")])
    plain = st.builds(
        Assessment,
        request_id=WORDS,
        correlation_id=WORDS,
        pathway=WORDS,
        answered_by=st.none() | identity,
        risk=st.none(),
        abstention=st.none(),
        degradations=_some(st.builds(Degradation, tier=WORDS, detail=WORDS)),
        attempts=_some(
            st.builds(
                TierAttempt,
                tier=WORDS,
                outcome=st.none() | st.sampled_from(Reason),
                elapsed_ms=st.integers(0, 10**7).map(float),
            )
        ),
        rules=st.none() | rules(),
        used=_some(
            st.builds(
                UsedInput,
                field=WORDS,
                channel=WORDS,
                value=NUMBERS,
                unit=WORDS,
                observed_time_s=TIMES,
                readings=COUNTS,
            )
        ),
        dropped=_some(st.builds(DroppedInput, field=WORDS, channel=WORDS, hint=WORDS, count=COUNTS)),
        flags=_some(st.builds(InputFlag, channel=WORDS, field=WORDS, detail=WORDS)),
        as_of_time_s=TIMES,
        generated_time_s=TIMES,
        valid_until_time_s=TIMES,
    )
    with_outcome = st.tuples(plain, st.none() | risks() | st.builds(Abstention, text=WORDS))
    return with_outcome.map(_with_outcome)


def risks() -> st.SearchStrategy[Risk]:
    """A model's probability."""
    semantics = st.builds(
        ScoreSemantics,
        output=WORDS,
        outcome=WORDS,
        horizon_h=st.integers(0, 1000).map(float),
        population=WORDS,
        calibration=WORDS,
    )
    contributions = _some(st.builds(Contribution, channel=WORDS, value=NUMBERS))
    return st.builds(Risk, probability=NUMBERS, semantics=semantics, contributions=contributions)


def rules() -> st.SearchStrategy[RulesAssessment]:
    """What the rules said."""
    return st.builds(
        RulesAssessment,
        answering=scores(),
        lactate=scores(),
        supporting=_some(scores()),
        response=WORDS,
        alternate_scale=st.none() | scores(),
    )


def scores() -> st.SearchStrategy[ScoreResult]:
    """One rule set's result."""
    parameter = st.builds(
        ParameterScore,
        parameter=WORDS,
        value=st.none() | NUMBERS | WORDS,
        unit=WORDS,
        points=st.none() | COUNTS,
        minimum_points=COUNTS,
        maximum_points=COUNTS,
        observed_time_s=MAYBE_TIMES,
    )
    return st.builds(
        ScoreResult,
        rule_set_id=WORDS,
        total=st.none() | COUNTS,
        minimum_total=COUNTS,
        maximum_total=COUNTS,
        maximum_possible=COUNTS,
        classification=WORDS,
        parameters=_some(parameter),
        missing=_some(WORDS),
        ratio=st.none() | NUMBERS,
    )


def _some(strategy: st.SearchStrategy[Value]) -> st.SearchStrategy[tuple[Value, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def _observation(kind: str, number: float, code: str, *, plain: Observation) -> Observation:
    if kind == "neither":
        return plain
    return plain._replace(value=number) if kind == "number" else plain._replace(coded_value=code)


def _request(
    observed: list[Observation], packed: list[ObservationSeries], *, plain: ClinicalRequest
) -> ClinicalRequest:
    return replace(
        plain,
        observations=tuple(each._replace(field=f"observations[{place}]") for place, each in enumerate(observed)),
        series=tuple(each._replace(field=f"series[{place}]") for place, each in enumerate(packed)),
    )


def _with_outcome(drawn: tuple[Assessment, Risk | Abstention | None]) -> Assessment:
    plain, outcome = drawn
    if isinstance(outcome, Risk):
        return replace(plain, risk=outcome)
    return replace(plain, abstention=outcome)
