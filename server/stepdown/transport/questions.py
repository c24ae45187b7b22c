"""One encounter on its way through a call, from the message to the answer, or to the status that says why not.

Refuses to be shared: all but `outcome` is touched by the one thread that answers the call.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.rpc.status_pb2 import Status

from stepdown.api.v1 import assessments_pb2
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.intake import InputFlag
from stepdown.domain.reasons import Reason
from stepdown.ports import Receipt
from stepdown.serving.assessment import ClinicalPathway, PreparedAssessment
from stepdown.transport.codec.assessments import EncodedAssessment
from stepdown.transport.deadlines import Allowance
from stepdown.transport.recording import CallerOnRecord

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTerms:
    """What one call holds for all its questions. `waited_s`: how long it waited to be begun.

    `remaining_s`: until the caller's deadline; None if it set none. `is_stream`: the deadline is the stream's, and each
    encounter in it has the pathway's budget.
    """

    caller: str
    trace_id: str
    remaining_s: float | None
    is_stream: bool = False
    waited_s: float = 0.0

    def allowance(self, *, budget_ms: int, encounters: int) -> Allowance:
        """What bounds that many encounters of a pathway, asked at once."""
        return Allowance(
            caller_s=self.remaining_s, budget_s=budget_ms / 1000, encounters=encounters, is_stream=self.is_stream
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What intake let through: its pathway, the rules in hand, and what is flagged beside them."""

    pathway: ClinicalPathway
    assessment: PreparedAssessment
    flags: tuple[InputFlag, ...]

    @property
    def asks(self) -> bool:
        """Whether any tier need be asked: not where an abstention is certain already."""
        return not self.assessment.abstained


@dataclass(slots=True, kw_only=True, eq=False)
class Question:
    """Ends with exactly one of `answer`, the bytes of an `Assessment`, and `failure`.

    `pathway` is empty unless it is a configured one. `claim` names the idempotency claim held. `request` is
    what the chain was asked, None where it need not be; `outcome` is what it said, waited for until `until_s` on the
    chain's time line; `silence` is what it means that it said nothing by then. `request_digest` stands for what was
    asked on the ledger. `unsealed` is the answer while its record is on the way to the disk, waited for until
    `until_s`; `arrived` is told when it is there, as of the outcome before.
    """

    request_id: str
    arrived: "Callable[[Question], None]"
    terms: CallTerms
    begun_s: float = 0.0
    pathway: str = ""
    minimum_tier: str = ""
    claim: str = ""
    prepared: Prepared | None = None
    request: Request | None = None
    outcome: Outcome | None = None
    until_s: float = 0.0
    silence: Reason = Reason.INTERNAL_FAULT
    request_digest: str = ""
    unsealed: EncodedAssessment | None = None
    receipt: Receipt | None = None
    answer: bytes | None = None
    failure: Status | None = None

    @property
    def asked_by(self) -> CallerOnRecord:
        """The same for the ledger."""
        return CallerOnRecord(name=self.terms.caller, trace_id=self.terms.trace_id, request_digest=self.request_digest)

    @property
    def assessment(self) -> assessments_pb2.Assessment | None:
        """The answer as the wire contract's message."""
        return None if self.answer is None else assessments_pb2.Assessment.FromString(self.answer)

    def settle(self, *, answer: bytes | None = None, failure: Status | None = None) -> None:
        """End it, and let go of what points back here, so that it is freed at once and not by the garbage collector."""
        self.answer, self.failure = answer, failure
        self.request = self.receipt = self.unsealed = None

    @property
    def is_settled(self) -> bool:
        """Whether it has ended."""
        return self.answer is not None or self.failure is not None

    @property
    def is_concluded(self) -> bool:
        """Whether the chain is done with it; its record may still be on the way."""
        return self.is_settled or self.unsealed is not None
