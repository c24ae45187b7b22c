"""Writes the replies down anew: `python -m tests.known_answer.replies`. Only for a change of answers that is meant."""

import gzip
import sys

from stepdown.api.v1.assessment_service_pb2 import BatchAssessRiskRequest, BatchAssessRiskResponse
from tests.known_answer.replies.asking import Asked
from tests.known_answer.replies.bad_requests import bad_requests
from tests.known_answer.replies.kept import LEDGER, REPLIES, REQUESTS
from tests.known_answer.replies.mixed_requests import mixed_requests, stay_requests

requests = [*bad_requests(), *stay_requests(each=9), *mixed_requests(150, seed=1)]
asked = Asked()
replies = BatchAssessRiskResponse(results=asked.results(requests))
for path, message in ((REQUESTS, BatchAssessRiskRequest(requests=requests)), (REPLIES, replies)):
    path.write_bytes(gzip.compress(message.SerializeToString(deterministic=True), mtime=0))
LEDGER.write_text(f"{asked.ledger_digest()}\n", "utf-8")
sys.stdout.write(f"{len(requests)} replies\n")
