from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from stepdown.api.v1.observations_pb2 import ObservationSeries, ObservationStatus, Sex
from stepdown.client import Encounter
from stepdown.clinical.identifiers import token_suspicion
from stepdown.domain.intake import CONSCIOUSNESS_LETTERS
from stepdown.transport.codec.requests import RequestLimits, decode_request
from tests.fakes.clinical_pathways import clinical_pathway

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def test_the_tokens_are_made_up_opaque_and_kept_for_the_encounter() -> None:
    one, other = Encounter(age_years=71), Encounter(age_years=71)
    first, second = one.request(), one.request()
    assert (first.subject_token, first.encounter_token) == (second.subject_token, second.encounter_token)
    tokens = {one.subject_token, one.encounter_token, other.subject_token, other.encounter_token}
    assert len(tokens) == 4
    # Base64 may read like a name once in a long while; a UUID never does.
    assert all(str(UUID(token)) == token for token in tokens)
    assert [token_suspicion(token) for token in tokens] == [None] * 4


def test_tokens_of_the_sender_are_passed_on() -> None:
    tokens = {"subject_token": "hmac-1", "encounter_token": "hmac-2"}
    request = Encounter(age_years=71, pathway="other", **tokens).request()
    assert {name: getattr(request, name) for name in tokens} == tokens
    assert request.pathway == "other"


def test_each_request_has_an_id_of_its_own() -> None:
    encounter = Encounter(age_years=71)
    assert encounter.request().request_id != encounter.request().request_id


@pytest.mark.parametrize(
    ("word", "sex"), [("female", Sex.SEX_FEMALE), ("male", Sex.SEX_MALE), ("unknown", Sex.SEX_UNKNOWN)]
)
def test_sex_is_a_word(word: str, sex: Sex) -> None:
    assert Encounter(age_years=71, sex=word).indication.sex == sex


@pytest.mark.parametrize("word", ["other", "unspecified", ""])
def test_another_word_for_sex_is_refused_with_those_that_are_taken(word: str) -> None:
    with pytest.raises(ValueError, match="female, male or unknown"):
        Encounter(age_years=71, sex=word)


def test_observations_are_final_and_coded_in_loinc_unless_told_otherwise() -> None:
    encounter = Encounter(age_years=71).observe("8867-4", 118, "/min", at=NOW).observe("HR", 1, "", system="urn:x")
    first, second = encounter.request().observations
    assert (first.code_system, first.code, first.value, first.unit) == ("http://loinc.org", "8867-4", 118.0, "/min")
    assert first.effective_time.ToDatetime(UTC) == NOW
    assert first.status == ObservationStatus.OBSERVATION_STATUS_FINAL
    assert second.code_system == "urn:x"


@pytest.mark.parametrize("level", CONSCIOUSNESS_LETTERS)
def test_responsiveness_is_read_by_the_rules(level: str) -> None:
    request = Encounter(age_years=71).responds(level, at=NOW).request(as_of=NOW)
    prepared = clinical_pathway().prepare(
        decode_request(request, limits=RequestLimits()), received_time_s=NOW.timestamp()
    )
    assert prepared.intake.dropped == ()
    assert prepared.intake.rule_inputs.parameters["Consciousness"].value == level


def test_a_time_counts_wherever_it_was_read() -> None:
    vienna = timezone(timedelta(hours=1))
    request = Encounter(age_years=71).request(as_of=NOW.astimezone(vienna))
    assert request.as_of_time.ToDatetime(UTC) == NOW


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Encounter(age_years=71).observe("8867-4", 118, "/min", at=NOW.replace(tzinfo=None))


def test_now_is_meant_where_no_time_is_given() -> None:
    before = datetime.now(UTC)
    request = Encounter(age_years=71).observe("8867-4", 118, "/min").request()
    after = datetime.now(UTC)
    assert before <= request.observations[0].effective_time.ToDatetime(UTC) <= after
    assert before <= request.as_of_time.ToDatetime(UTC) <= after


def test_a_series_is_sent_beside_single_observations_and_contributions_are_asked_for() -> None:
    series = ObservationSeries(code="HR", values=[1.0])
    request = Encounter(age_years=71).series(series).request(want_contributions=True)
    assert list(request.series) == [series]
    assert request.want_contributions


def test_a_request_does_not_change_with_what_is_observed_after_it() -> None:
    encounter = Encounter(age_years=71).observe("8867-4", 118, "/min")
    request = encounter.request()
    encounter.observe("9279-1", 26, "/min")
    encounter.indication.age_years = 72
    assert (len(request.observations), request.indication.age_years) == (1, 71.0)
