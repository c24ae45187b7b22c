"""A stamp behind a serialised message reads like a message that was made so."""

from hypothesis import given
from hypothesis import strategies as st

from loadtests.frames import batch_frame, request_frame, stream_frame
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest, BatchAssessRiskRequest, StreamAssessRiskRequest
from stepdown.api.v1.observations_pb2 import Urgency


@given(st.text("abcdef0123456789-", min_size=1, max_size=300), st.integers(0, 3))
def test_a_stamped_request_holds_its_id_and_urgency_and_all_that_was_there(request_id: str, urgency: int) -> None:
    template = AssessRiskRequest(request_id="old", pathway="p", urgency=Urgency.URGENCY_URGENT, strict=True)
    read = AssessRiskRequest.FromString(
        request_frame(template.SerializeToString(), request_id=request_id, urgency=urgency)
    )
    template.request_id = request_id
    template.urgency = urgency  # type: ignore[assignment] # the stub knows names alone, the wire numbers
    assert read == template


def test_frames_of_batches_and_streams_are_read_as_such() -> None:
    requests = [AssessRiskRequest(request_id=f"r{number}", pathway="p" * 200) for number in range(3)]
    frames = [request.SerializeToString() for request in requests]
    assert list(BatchAssessRiskRequest.FromString(batch_frame(frames)).requests) == requests
    assert StreamAssessRiskRequest.FromString(stream_frame(frames[1])).request == requests[1]
