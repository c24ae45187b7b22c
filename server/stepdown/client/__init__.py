"""The Python client: what an integration needs to ask a server and to read its answers.

Imports the generated contract, and gRPC's own of health.

    from stepdown.client import AssessmentClient, Encounter

Refuses to judge an answer, to cache one, or to fall back to anything of its own: stepping down is the server's
business.
"""

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.client.assessments import AssessmentClient
from stepdown.client.connection import AddressError, Credentials
from stepdown.client.encounter import Encounter
from stepdown.client.failures import AssessmentError
from stepdown.client.latch import HeldBand, hold
from stepdown.client.summary import AnswerSummary, summarise

__all__ = [
    "AddressError",
    "AnswerSummary",
    "AssessRiskRequest",
    "Assessment",
    "AssessmentClient",
    "AssessmentError",
    "Credentials",
    "Encounter",
    "HeldBand",
    "hold",
    "summarise",
]
