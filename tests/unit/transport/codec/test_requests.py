import math

import pytest
from hypothesis import given, settings

from stepdown.api.v1 import observations_pb2
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.observations import (
    CareSetting,
    ClinicalRequest,
    Comparator,
    ObservationStatus,
    Pregnancy,
    Sex,
)
from stepdown.domain.reasons import RejectReason
from stepdown.domain.tiers import Urgency
from stepdown.transport.codec.requests import RequestLimits, decode_request
from tests.unit.transport.codec.mirror import write_request
from tests.unit.transport.codec.strategies import requests

LIMITS = RequestLimits()


@given(requests())
@settings(max_examples=60)
def test_what_is_written_by_the_contract_is_read_as_it_was_meant(request_: ClinicalRequest) -> None:
    wire = AssessRiskRequest.FromString(write_request(request_).SerializeToString())
    assert decode_request(wire, limits=LIMITS) == request_


def test_what_is_not_said_counts_as_the_contract_says() -> None:
    message = AssessRiskRequest(observations=[observations_pb2.Observation(code="HR")])
    request = decode_request(message, limits=LIMITS)
    assert request.as_of_time_s is None
    assert request.urgency is Urgency.ROUTINE
    assert request.indication.age_years is None
    assert (request.indication.sex, request.indication.pregnancy) == (Sex.UNKNOWN, Pregnancy.UNKNOWN)
    assert (request.indication.care_setting, request.indication.spo2_scale) == (CareSetting.WARD, 1)
    (observation,) = request.observations
    assert (observation.value, observation.coded_value, observation.effective_time_s) == (None, "", None)
    assert (observation.status, observation.comparator) == (ObservationStatus.FINAL, Comparator.NONE)


def test_a_value_of_zero_is_a_value() -> None:
    message = AssessRiskRequest(observations=[observations_pb2.Observation(value=0.0)])
    assert decode_request(message, limits=LIMITS).observations[0].value == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_carried_over_for_intake_to_refuse(value: float) -> None:
    """Row 4 of the bad inputs begins here: the codec must neither hide nor repair it."""
    series = observations_pb2.ObservationSeries(offsets_ms=[0], values=[value])
    message = AssessRiskRequest(observations=[observations_pb2.Observation(value=value)], series=[series])
    request = decode_request(message, limits=LIMITS)
    assert repr(request.observations[0].value) == repr(value)
    assert repr(request.series[0].values[0]) == repr(value)


def test_a_series_without_a_base_time_has_no_times() -> None:
    series = observations_pb2.ObservationSeries(offsets_ms=[0, 60_000], values=[80.0, 81.0])
    (decoded,) = decode_request(AssessRiskRequest(series=[series]), limits=LIMITS).series
    assert (decoded.times_s, decoded.values) == ((), (80.0, 81.0))


def test_every_enum_number_that_the_contract_does_not_name_is_reported_at_once() -> None:
    message = AssessRiskRequest(observations=[observations_pb2.Observation()])
    for holder, fields in (
        (message, ("urgency",)),
        (message.indication, ("sex", "pregnancy", "care_setting", "spo2_scale", "icu_unit")),
        (message.observations[0], ("status", "comparator")),
    ):
        for field in fields:
            setattr(holder, field, 99)
    with pytest.raises(RequestRejectedError) as caught:
        decode_request(message, limits=LIMITS)
    assert caught.value.reason is RejectReason.ENUM_UNKNOWN
    assert {violation.field for violation in caught.value.violations} == {
        "urgency",
        "indication.sex",
        "indication.pregnancy",
        "indication.care_setting",
        "indication.spo2_scale",
        "indication.icu_unit",
        "observations[0].status",
        "observations[0].comparator",
    }


def test_as_much_as_the_limits_allow_is_read_and_one_more_is_refused_with_each_limit() -> None:
    limits = RequestLimits(observations=2, series=2, series_values=3)
    message = AssessRiskRequest(
        observations=[observations_pb2.Observation()] * 2,
        series=[
            observations_pb2.ObservationSeries(values=[1.0, 2.0]),
            observations_pb2.ObservationSeries(offsets_ms=[1]),
        ],
    )
    assert len(decode_request(message, limits=limits).observations) == 2
    message.observations.add()
    message.series.add().offsets_ms.append(1)
    with pytest.raises(RequestRejectedError) as caught:
        decode_request(message, limits=limits)
    assert caught.value.reason is RejectReason.TOO_LARGE
    assert dict(caught.value.limits) == {
        "maximum_observations": 2,
        "maximum_series": 2,
        "maximum_series_values": 3,
    }
