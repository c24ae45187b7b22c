"""What the edge puts on the ledger: answers, refusals and inferences, as digests and reasons.

A digest is keyed, so that an auditor who holds a request can show that it is the one, and nobody can guess its values.
Refuses a patient's values, tokens and free text, and what a client calls its own request before intake has judged it.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from struct import pack

from stepdown.domain.assessments import Assessment, Degradation, TierIdentity
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.records import Draft, Fact, RecordKind
from stepdown.ports import Ledger, Receipt

REPORT_WAIT_S = 2.0
"""A report waits for its record at least so long: nobody stands at a bed for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerOnRecord:
    """Who asked, in which trace, and the digest of what was asked."""

    name: str
    trace_id: str
    request_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Puts answers on the ledger; `ledger` None: none is kept.

    `digest` keys a digest, and `seal` hides a content from whoever lacks the key, bound to a second text. An answer
    waits for its record for `wait_s` at most, and goes out without it unless `is_required`.
    """

    ledger: Ledger | None = None
    digest: Callable[[bytes], str] = field(default=lambda _: "")
    seal: Callable[[bytes, str], str] = field(default=lambda _, __: "")
    wall_s: Callable[[], float] = field(default=lambda: 0.0)
    wait_s: float = 0.0
    is_required: bool = False

    def digest_of(self, content: bytes) -> str:
        """The keyed digest of what a client sent; empty, and nothing is computed, where no ledger is kept."""
        return self.digest(content) if self.ledger is not None else ""

    def answer(
        self, assessment: Assessment, content: bytes, by: CallerOnRecord, when_done: Callable[[Receipt], None]
    ) -> Receipt | None:
        """An assessment; `content` is the answer as it goes out, but for its place on the ledger."""
        if self.ledger is None:
            return None
        answer_digest = self.digest(content)
        facts = {
            **_asked(by),
            "request_id": assessment.request_id,
            "pathway": assessment.pathway,
            **_answered(assessment.answered_by, assessment.degradations),
            "band": assessment.band.name,
            "abstention": None if assessment.abstention is None else assessment.abstention.reason.value,
            "rule_set": "" if assessment.rules is None else assessment.rules.answering.rule_set_id,
            "issues": sorted({each.issue.value for each in assessment.dropped + assessment.flags}),
            "answer_hmac": answer_digest,
            "score_sealed": self._sealed_score(assessment, answer_digest),
        }
        return self._submit(RecordKind.ANSWER, facts, when_done)

    def inference(self, outcome: Outcome, content: bytes, by: CallerOnRecord, *, rows: int) -> bool:
        """An answer in tensors. Whether it may go out: waits only where a record is required."""
        if self.ledger is None or outcome.answered_by is None:
            return True
        facts = {
            **_asked(by),
            "pathway": outcome.answered_by.pathway,
            **_answered(outcome.answered_by, outcome.degradations),
            "rows": rows,
            "answer_hmac": self.digest(content),
        }
        draft = Draft(kind=RecordKind.ANSWER, time_s=self.wall_s(), facts=facts)
        if self.is_required:
            return bool(self._written(self.ledger, draft, patience_s=self.wait_s))
        self.ledger.submit(draft)
        return True

    def report(self, kind: RecordKind, facts: Mapping[str, Fact]) -> str:
        """A report on an answer: the id of its record, or nothing if it is not on the disk by now."""
        if self.ledger is None:
            return ""
        draft = Draft(kind=kind, time_s=self.wall_s(), facts=facts)
        return self._written(self.ledger, draft, patience_s=max(self.wait_s, REPORT_WAIT_S))

    @staticmethod
    def _written(ledger: Ledger, draft: Draft, *, patience_s: float) -> str:
        done: SimpleQueue[Receipt] = SimpleQueue()
        receipt = ledger.submit(draft, done.put)
        if not receipt.is_done:
            with suppress(Empty):
                done.get(timeout=patience_s)
        return receipt.record_id

    def _sealed_score(self, assessment: Assessment, answer_digest: str) -> str | None:
        """The probability, for whoever judges tiers by outcomes and holds the key; None where rules answered."""
        return None if assessment.risk is None else self.seal(pack(">d", assessment.risk.probability), answer_digest)

    def refusal(self, reason: str, by: CallerOnRecord, *, pathway: str = "", incident_id: str = "") -> None:
        """A request that got no answer, and why."""
        facts = {**_asked(by), "pathway": pathway, "reason": reason, "incident_id": incident_id}
        self._submit(RecordKind.REFUSAL, facts, None)

    def count_unrecorded(self) -> None:
        """An answer goes out without a record, or may not."""
        if self.ledger is not None:
            self.ledger.count_unrecorded()

    def _submit(
        self, kind: RecordKind, facts: Mapping[str, Fact], when_done: Callable[[Receipt], None] | None
    ) -> Receipt | None:
        if self.ledger is None:
            return None
        return self.ledger.submit(Draft(kind=kind, time_s=self.wall_s(), facts=facts), when_done)


NO_RECORDING = Recording()


def _asked(by: CallerOnRecord) -> dict[str, Fact]:
    return {"caller": by.name, "trace_id": by.trace_id, "request_hmac": by.request_digest}


def _answered(by: TierIdentity | None, degradations: Iterable[Degradation]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"degradations": [f"{each.tier}: {each.reason.value}" for each in degradations]}
    if by is not None:
        facts |= {
            "tier": by.tier,
            "execution_provider": by.execution_provider.value,
            "device": by.device,
            "bundle": f"{by.bundle.name}@{by.bundle.version}",
            "bundle_sha256": by.bundle.sha256,
            "signers": by.bundle.signers,
        }
    return facts
