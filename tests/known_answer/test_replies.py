"""Replies kept from an earlier build: simulated stays, mixtures and every bad input, from the message to the ledger."""

import gzip

from google.protobuf.json_format import MessageToDict

from stepdown.api.v1.assessment_service_pb2 import BatchAssessRiskRequest, BatchAssessRiskResponse
from tests.known_answer.replies.asking import Asked
from tests.known_answer.replies.bad_requests import CHANGES
from tests.known_answer.replies.kept import LEDGER, REPLIES, REQUESTS


def test_every_kept_request_gets_the_reply_it_once_got_byte_for_byte() -> None:
    asked = Asked()
    requests = BatchAssessRiskRequest.FromString(gzip.decompress(REQUESTS.read_bytes())).requests
    kept = BatchAssessRiskResponse.FromString(gzip.decompress(REPLIES.read_bytes())).results
    assert {f"case-{name}" for name in CHANGES} - {request.request_id for request in requests} == {
        "case-control-characters",
        "case-overlong",
    }
    for expected, result in zip(kept, asked.results(requests), strict=True):
        given, once_given = (each.SerializeToString(deterministic=True) for each in (result, expected))
        assert given == once_given, (MessageToDict(result), MessageToDict(expected))
    assert f"{asked.ledger_digest()}\n" == LEDGER.read_text("utf-8")
