import pytest

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest, BatchAssessRiskRequest
from stepdown.api.v1.outcomes_pb2 import RecordOutcomeRequest
from stepdown.client import urgency as clients
from stepdown.domain.tiers import Urgency
from stepdown.transport.completion_queue.urgency import URGENCY_KEY, declared_urgency, lesser


@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_urgency_that_the_metadata_name_is_taken(urgency: Urgency) -> None:
    assert declared_urgency((("traceparent", "x"), (URGENCY_KEY, urgency.value))) is urgency


@pytest.mark.parametrize("values", [(), ("sudden",), ("routine", "emergency"), (b"emergency",)])
def test_who_names_none_or_several_or_an_unknown_one_has_named_none(values: tuple[str, ...]) -> None:
    assert declared_urgency(tuple((URGENCY_KEY, value) for value in values)) is None


def test_of_two_the_less_urgent_is_believed() -> None:
    assert lesser(Urgency.EMERGENCY, Urgency.URGENT) is Urgency.URGENT
    assert lesser(Urgency.ROUTINE, Urgency.URGENT) is Urgency.ROUTINE


@pytest.mark.parametrize(
    ("number", "name"), [(0, "routine"), (1, "routine"), (2, "urgent"), (3, "emergency"), (99, "routine")]
)
def test_our_client_names_the_urgency_of_its_request_in_the_words_that_the_server_knows(number: int, name: str) -> None:
    metadata = clients.urgency_metadata(AssessRiskRequest(urgency=number))  # type: ignore[arg-type]
    assert metadata == ((URGENCY_KEY, name),)
    assert declared_urgency(metadata) is Urgency(name)


def test_and_that_of_the_most_urgent_in_a_batch() -> None:
    batch = BatchAssessRiskRequest(requests=[AssessRiskRequest(urgency=each) for each in (1, 3, 2)])  # type: ignore[arg-type]
    assert clients.urgency_metadata(batch) == ((URGENCY_KEY, "emergency"),)
    assert clients.urgency_metadata(RecordOutcomeRequest()) == ()
    assert clients.urgency_metadata(BatchAssessRiskRequest()) == ((URGENCY_KEY, "routine"),)
