"""Asks a whole flow, from the message to the sealed reply, over a chain that answers by what the model is given.

Everything is at rest: the clock stands still and the ledger numbers its records, so that a reply is the same byte for
byte whenever it is given.
"""

import hmac
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256
from zlib import crc32

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.assessments import Degradation, TierAttempt
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.rules.composite import Composite
from stepdown.rules.golden import ProvenRules
from stepdown.serving.assessment import ClinicalPathway
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.calls import CallRecord
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.item_failures import encode_failure
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.questions import CallTerms, Question
from stepdown.transport.recording import Recording
from stepdown.transport.stored_claims import StoredClaims
from tests.fakes.chain import FakeChain
from tests.fakes.clinical_pathways import by_model, pathway, rule_set
from tests.fakes.clock import START_S, FakeClock
from tests.fakes.ledger import FakeLedger
from tests.fakes.statuses import PATHWAY, tier_identity

_TERMS = CallTerms(caller="spiffe://stepdown.demo/assessor/replies", trace_id="4b" * 16, remaining_s=2.0)
_SUPPORTING = ("qsofa", "sirs", "mews", "shock-index")
_LATE = Degradation(tier="full", reason=Reason.DEADLINE_TOO_SHORT, detail="18 ms left")


def _answer(request: Request) -> Outcome:
    """A probability made of every byte of the grid, from one tier or the other; the rules where no model may answer."""
    if request.payload is None:
        return Outcome(answered_by=tier_identity("rules"), result=None, degradations=(_LATE,), attempts=())
    check = crc32(request.payload.tensors[0])
    if check % 5 == 0:
        attempts = (TierAttempt(tier="full", outcome=Reason.WORKER_LOST, elapsed_ms=12.625),)
        return Outcome(answered_by=tier_identity("rules"), result=None, degradations=(_LATE,), attempts=attempts)
    if check % 5 == 1:
        return by_model(check / 2**32, _LATE, tier="distilled")
    return by_model(check / 2**32)


def _pathway() -> ClinicalPathway:
    supporting = tuple(rule_set(name) for name in _SUPPORTING)
    composite = Composite(answering=rule_set("news2"), lactate=rule_set("lactate"), supporting=supporting)
    return ClinicalPathway(
        pathway=pathway(), rules=ProvenRules(composite=composite), policy=IntakePolicy(), valid_for_s=3600.0
    )


class Asked:
    """A flow, its ledger, and what was noticed beside the replies."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.events: list[str] = []
        clock = FakeClock()
        digest = partial(_hmac, b"replies")
        self._flow = AssessmentFlow(
            chain=FakeChain(answer=_answer),
            pathways=ClinicalPathways(clinical={PATHWAY: _pathway()}),
            claims=StoredClaims(clock, rate=RatePolicy(per_second=10.0, burst=100_000)),
            clock=clock,
            record=CallRecord(
                notice=lambda _: None,
                event=lambda name, /, **_: self.events.append(name),
                incident=_fail,
                recording=Recording(ledger=self.ledger, digest=digest, wall_s=lambda: START_S),
            ),
            limits=RequestLimits(),
        )

    def results(self, requests: Iterable[wire.AssessRiskRequest]) -> Iterator[wire.BatchAssessRiskResult]:
        """What each request comes to, asked alone."""
        for request in requests:
            (question,) = self._flow.begin((request,), _TERMS, _ignore)
            self._flow.conclude(question, _TERMS)
            failure = None if question.failure is None else encode_failure(question.failure)
            yield wire.BatchAssessRiskResult(
                request_id=request.request_id, assessment=question.assessment, failure=failure
            )

    def ledger_digest(self) -> str:
        """One digest over every fact that was put on the ledger."""
        facts = [(draft.kind.value, draft.time_s, sorted(draft.facts.items(), key=str)) for draft in self.ledger.drafts]
        return sha256(repr((facts, self.events)).encode()).hexdigest()


def _hmac(key: bytes, content: bytes) -> str:
    return hmac.digest(key, content, "sha256").hex()


def _ignore(_: Question) -> None:
    """The chain answers at once."""


def _fail(error: BaseException) -> str:
    raise AssertionError from error
