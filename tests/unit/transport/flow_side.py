"""A flow over a fake chain: one encounter asked, and what came of it."""

from dataclasses import dataclass, field

from google.rpc.error_details_pb2 import ErrorInfo

from stepdown.adapters.system_clock import SystemClock
from stepdown.api.v1 import assessments_pb2
from stepdown.domain.engine_events import Request
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.questions import CallTerms, Question
from tests.fakes.assess_requests import assess_request
from tests.fakes.chain import FakeChain
from tests.fakes.claims import FakeClaims
from tests.fakes.clinical_pathways import clinical_pathway
from tests.fakes.statuses import PATHWAY
from tests.unit.transport.grpc_side import Recorded

TERMS = CallTerms(caller="spiffe://stepdown.demo/assessor/test", trace_id="4b" * 16, remaining_s=2.0)


@dataclass
class Side:
    """A flow and what stands around it."""

    chain: FakeChain = field(default_factory=FakeChain)
    claims: FakeClaims = field(default_factory=FakeClaims)
    recorded: Recorded = field(default_factory=Recorded)
    with_rules: bool = True

    def __post_init__(self) -> None:
        self.pathway = clinical_pathway(with_rules=self.with_rules)
        self.flow = AssessmentFlow(
            chain=self.chain,
            pathways=ClinicalPathways(clinical={PATHWAY: self.pathway}, others=frozenset({"tensors-only"})),
            claims=self.claims,
            clock=SystemClock(),
            record=self.recorded.as_record,
            limits=RequestLimits(),
        )

    def ask(self, terms: CallTerms = TERMS, **changes: object) -> Question:
        """One question, begun and concluded."""
        arrived: list[Question] = []
        (question,) = self.flow.begin((assess_request(**changes),), terms, arrived.append)  # type: ignore[arg-type]
        assert arrived in ([question], [])
        self.flow.conclude(question, terms)
        return question

    @property
    def asked(self) -> Request:
        """What the chain was asked."""
        ((request,),) = self.chain.submitted
        return request


def answered(question: Question) -> assessments_pb2.Assessment:
    assert question.failure is None
    assert question.assessment is not None
    return question.assessment


def refused(question: Question) -> tuple[int, str]:
    """The code and the reason of a failure."""
    assert question.answer is None
    assert question.failure is not None
    info = ErrorInfo()
    assert question.failure.details[0].Unpack(info)
    return question.failure.code, info.reason


def refusal(reason: RejectReason) -> RequestRejectedError:
    return RequestRejectedError(reason=reason, violations=(), retry_after_s=0.5)
