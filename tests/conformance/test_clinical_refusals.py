"""Bad input at a real server: refused by code and reason, put on record, and never repeated to anyone."""

import math
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from tests.conformance.callers import TRUST_DOMAIN, channel_as, issued, open_channel
from tests.fakes.assess_requests import assess_request
from tests.faults.running_server import RunningServer
from tests.unit.transport.failures import failure_of, read_failure

Change = Callable[[wire.AssessRiskRequest], None]
INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
YEAR_S = 365 * 86_400
HIDDEN = "4f1c2a9e-must-not-be-logged"
# A fixed instant, so that only the value changes.
NOON_S = time.time() // 3600 * 3600 - 3600


@pytest.fixture(scope="module")
def assessor(demo: RunningServer) -> Iterator[AssessmentServiceStub]:
    with channel_as(demo) as channel:
        yield AssessmentServiceStub(channel)


@pytest.fixture(scope="module")
def operator(demo: RunningServer) -> Iterator[OperationsServiceStub]:
    with channel_as(demo, "operator") as channel:
        yield OperationsServiceStub(channel)


def unique(name: str) -> str:
    """An encounter of this test alone, so that no test spends another's rate."""
    return f"enc-4711-{name}"


def with_value(value: float) -> Change:
    def change(request: wire.AssessRiskRequest) -> None:
        request.observations[0].value = value

    return change


def as_of(seconds: float) -> Change:
    """Relative to now."""

    def change(request: wire.AssessRiskRequest) -> None:
        request.as_of_time.seconds += round(seconds)

    return change


def at_year_one(request: wire.AssessRiskRequest) -> None:
    request.as_of_time.seconds = -62_135_596_800


def without_instant(request: wire.AssessRiskRequest) -> None:
    request.ClearField("as_of_time")


def of_another(field: str) -> Change:
    def change(request: wire.AssessRiskRequest) -> None:
        setattr(request.observations[1], field, "somebody-else-4f1c2a9e")

    return change


def named(field: str, value: str) -> Change:
    def change(request: wire.AssessRiskRequest) -> None:
        setattr(request, field, value)

    return change


def strict_with_a_bad_unit(request: wire.AssessRiskRequest) -> None:
    request.strict = True
    request.observations[0].unit = "mm[Hg]"


def crowded(request: wire.AssessRiskRequest) -> None:
    request.observations.extend([request.observations[0]] * 10_000)


REFUSED: tuple[tuple[str, Change, grpc.StatusCode, str], ...] = (
    ("4 not a number", with_value(math.nan), INVALID, "VALUE_NOT_FINITE"),
    ("4 infinite", with_value(math.inf), INVALID, "VALUE_NOT_FINITE"),
    ("4 beyond measure", with_value(1e308), INVALID, "VALUE_NOT_FINITE"),
    ("4 denormal", with_value(5e-324), INVALID, "VALUE_NOT_FINITE"),
    ("5 as of the future", as_of(600), INVALID, "AS_OF_IN_FUTURE"),
    ("6 as of never", without_instant, INVALID, "AS_OF_REQUIRED"),
    ("6 as of the year 1", at_year_one, INVALID, "AS_OF_REQUIRED"),
    ("6 as of long ago", as_of(-2 * YEAR_S), INVALID, "AS_OF_TOO_OLD"),
    ("22 another encounter", of_another("encounter_token"), INVALID, "SUBJECT_MISMATCH"),
    ("22 another subject", of_another("subject_token"), INVALID, "SUBJECT_MISMATCH"),
    ("23 a national identifier", named("subject_token", "943-476-5919"), INVALID, "PHI_SUSPECTED"),
    ("23 an address", named("encounter_token", "jane.doe@hospital.example"), INVALID, "PHI_SUSPECTED"),
    ("24 a unit that fails strict", strict_with_a_bad_unit, INVALID, "STRICT_INPUT"),
    ("26 too many observations", crowded, EXHAUSTED, "TOO_LARGE"),
    ("33 control characters", named("request_id", "order\n17"), INVALID, "ID_FORMAT"),
    ("33 too long", named("correlation_id", "x" * 200), INVALID, "ID_FORMAT"),
    ("no pathway of ours", named("pathway", "unheard-of"), grpc.StatusCode.NOT_FOUND, "PATHWAY_UNKNOWN"),
    ("no tier of ours", named("minimum_tier", "unheard-of"), grpc.StatusCode.NOT_FOUND, "TIER_UNKNOWN"),
)


@pytest.mark.parametrize(("change", "code", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_input_is_refused_by_code_and_reason_and_never_repeated(
    assessor: AssessmentServiceStub, change: Change, code: grpc.StatusCode, reason: str
) -> None:
    request = assess_request(encounter_token=unique("refusals"))
    change(request)
    failed = failure_of(lambda: assessor.AssessRisk(request, timeout=10))
    assert (failed.code, failed.reason) == (code, reason)
    told = f"{failed.text} {failed.metadata} {failed.fields}"
    for secret in ("943-476-5919", "jane.doe", "somebody-else", "order\n17", request.subject_token):
        assert secret not in told


def test_a_large_message_is_refused_with_the_limit_and_the_server_goes_on(assessor: AssessmentServiceStub) -> None:
    """Row 26."""
    huge = assess_request()
    huge.observations[0].source = "x" * (5 * 1024 * 1024)
    failed = failure_of(lambda: assessor.AssessRisk(huge, timeout=30))
    assert (failed.code, failed.reason) == (EXHAUSTED, "TOO_LARGE")
    assert failed.metadata == {"maximum_request_bytes": str(4 * 1024 * 1024)}
    huge.observations[0].source = "x" * 50_000_000
    assert failure_of(lambda: assessor.AssessRisk(huge, timeout=30)).code is EXHAUSTED
    assert assessor.AssessRisk(assess_request(), timeout=10).assessment.request_id


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        (f"spiffe://{TRUST_DOMAIN}/viewer/x", grpc.StatusCode.PERMISSION_DENIED),
        (f"spiffe://{TRUST_DOMAIN}/nobody/x", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://another.example/assessor/x", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_who_may_not_is_told_nothing_and_is_on_record(
    demo: RunningServer, identity: str, code: grpc.StatusCode
) -> None:
    """Row 30."""
    with open_channel(demo, issued(demo, identity)) as channel:
        failed = failure_of(lambda: AssessmentServiceStub(channel).AssessRisk(assess_request(), timeout=10))
    assert (failed.code, failed.text, failed.metadata) == (code, code.name, {})
    demo.until(lambda: any(line["event"] == "call_denied" and line["code"] == code.name for line in demo.log()))


def test_a_drip_of_changed_values_for_one_patient_is_stopped_and_others_go_on(assessor: AssessmentServiceStub) -> None:
    """Row 34."""
    endings = []
    for step in range(30):
        request = assess_request(now_s=NOON_S, encounter_token=unique("a-drip"))
        request.observations[0].value = 12.0 + step / 10
        try:
            assessor.AssessRisk(request, timeout=10)
        except grpc.RpcError as error:
            endings.append((step, read_failure(error)))
    assert [step for step, _ in endings] == list(range(20, 30))
    assert {(each.code, each.reason) for _, each in endings} == {(EXHAUSTED, "ENCOUNTER_RATE_LIMITED")}
    assert all(each.retry_after_s is not None for _, each in endings)
    assert assessor.AssessRisk(assess_request(encounter_token=unique("another")), timeout=10).assessment.request_id
