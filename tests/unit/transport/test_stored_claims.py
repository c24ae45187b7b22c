import pytest

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.clinical.intake import take_in
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.transport.codec.requests import RequestLimits, decode_request
from stepdown.transport.stored_claims import HOURS_OF_ROOM, StoredClaims
from tests.fakes.assess_requests import ENCOUNTER, SUBJECT, assess_request, observation

NOON_S = 1_795_435_200.0
CALLER = "spiffe://stepdown.demo/assessor/ehr"
RATE = RatePolicy(per_second=0.5, burst=3)


class HandClock:
    """Both time lines, as the test moves them."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return NOON_S + self.now_s


class Desk:
    """Claims with a clock in hand."""

    def __init__(self, rate: RatePolicy = RATE) -> None:
        self.clock = HandClock()
        self.claims = StoredClaims(self.clock, rate=rate, kept_for_s=60.0)

    def claim(self, message: AssessRiskRequest, *, caller: str = CALLER) -> tuple[str, bytes | None]:
        return self.claims.claim(caller, message, content=message.SerializeToString(deterministic=True))

    def permit(self, *, heart_rate: float, as_of_s: float = NOON_S, encounter: str = ENCOUNTER) -> str:
        """Assess at an instant with this heart rate; the reason of a refusal, or nothing."""
        message = assess_request(now_s=as_of_s, encounter_token=encounter)
        message.observations.append(observation("8867-4", heart_rate, "/min", at_s=as_of_s - 1))
        request = decode_request(message, limits=RequestLimits())
        grid = take_in(request, received_time_s=as_of_s, policy=IntakePolicy()).grid
        try:
            self.claims.permit(request, grid)
        except RequestRejectedError as error:
            return error.reason if error.retry_after_s is not None else "no time to retry"
        return ""


def test_the_same_request_gets_the_same_answer() -> None:
    """Row 27."""
    desk, message = Desk(), assess_request()
    key, stored = desk.claim(message)
    assert (bool(key), stored) == (True, None)
    desk.claims.settle(key, b"the answer")
    assert desk.claim(message) == ("", b"the answer")


def test_other_content_under_the_same_name_is_refused() -> None:
    """Row 27."""
    desk, message = Desk(), assess_request()
    desk.claims.settle(desk.claim(message)[0], b"the answer")
    message.strict = True
    with pytest.raises(RequestRejectedError) as caught:
        desk.claim(message)
    assert caught.value.reason is RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH


def test_a_repetition_while_the_first_is_under_way_is_told_to_come_back() -> None:
    """Row 27."""
    desk, message = Desk(), assess_request()
    desk.claim(message)
    with pytest.raises(RequestRejectedError) as caught:
        desk.claim(message)
    assert caught.value.reason is RejectReason.REQUEST_IN_PROGRESS
    assert caught.value.retry_after_s is not None


def test_two_callers_share_no_names() -> None:
    desk, message = Desk(), assess_request()
    desk.claims.settle(desk.claim(message)[0], b"the answer")
    assert desk.claim(message, caller="spiffe://stepdown.demo/assessor/other")[1] is None


def test_a_claim_that_was_given_back_can_be_made_again() -> None:
    desk, message = Desk(), assess_request()
    desk.claims.release(desk.claim(message)[0])
    message.strict = True
    assert desk.claim(message)[1] is None


def test_a_request_without_a_name_claims_nothing_and_giving_nothing_back_is_harmless() -> None:
    desk = Desk()
    assert desk.claim(assess_request(request_id="")) == ("", None)
    desk.claims.settle("", b"x")
    desk.claims.release("")
    assert desk.claim(assess_request(request_id="")) == ("", None)


def test_an_answer_is_kept_for_its_time() -> None:
    desk, message = Desk(), assess_request()
    desk.claims.settle(desk.claim(message)[0], b"the answer")
    desk.clock.now_s += 59.0
    assert desk.claim(message)[1] == b"the answer"
    desk.clock.now_s += 1.0
    assert desk.claim(message)[1] is None


def test_answers_that_rest_on_another_patients_data_are_forgotten() -> None:
    desk, message, other = Desk(), assess_request(), assess_request(encounter_token=SUBJECT)
    for each in (message, other):
        desk.claims.settle(desk.claim(each)[0], b"the answer")
    desk.claims.retract(ENCOUNTER)
    assert desk.claim(message)[1] is None
    assert desk.claim(other)[1] == b"the answer"


def test_a_drip_of_changed_values_is_stopped_after_the_burst_and_goes_on_at_the_rate() -> None:
    """Row 34: one changed value per second for one patient."""
    desk = Desk()
    refused_at = []
    for second in range(10):
        if desk.permit(heart_rate=70.0 + second):
            refused_at.append(second)
        desk.clock.now_s += 1.0
    assert refused_at == [5, 7, 9]


def test_unchanged_values_are_not_counted_whenever_they_are_sent() -> None:
    desk = Desk()
    assert {desk.permit(heart_rate=75.0, as_of_s=NOON_S + minute * 60) for minute in range(50)} == {""}


def test_encounters_do_not_share_a_rate() -> None:
    desk = Desk()
    reasons = [desk.permit(heart_rate=70.0 + number, encounter=f"encounter-{number}") for number in range(20)]
    assert set(reasons) == {""}


def test_a_stay_is_replayed_hour_by_hour_as_fast_as_it_can_be_sent() -> None:
    desk = Desk()
    hours = RATE.burst * HOURS_OF_ROOM
    reasons = [desk.permit(heart_rate=60.0 + hour % 90, as_of_s=NOON_S + hour * 3600) for hour in range(hours)]
    assert set(reasons) == {""}
    assert desk.permit(heart_rate=60.0, as_of_s=NOON_S + hours * 3600) == "ENCOUNTER_RATE_LIMITED"


def test_what_was_assessed_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepdown.transport.stored_claims.REMEMBERED_CONTENTS", 2)
    desk = Desk(RatePolicy(per_second=0.001, burst=4))
    assert [desk.permit(heart_rate=each) for each in (70.0, 71.0, 72.0)] == ["", "", ""]
    assert desk.permit(heart_rate=72.0) == ""
    assert desk.permit(heart_rate=70.0) == "", "forgotten, so it counts once more"
    assert desk.permit(heart_rate=71.0) == "ENCOUNTER_RATE_LIMITED"
