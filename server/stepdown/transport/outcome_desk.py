"""Takes reports on answers: checks that the answer is on the ledger, and puts the report there, once.

What a report says of a patient or of a colleague is sealed, and no text of it stands in clear. Refuses a report that
cannot be put on record: unlike an answer, it can be sent again.
"""

import json
from collections.abc import Callable, Mapping
from struct import unpack
from threading import Lock

from stepdown.api.v1 import outcomes_pb2 as wire
from stepdown.domain.outcomes import AnswerReport, Feedback, JudgedAnswer, OutcomeLabel, Report
from stepdown.domain.reasons import RejectReason
from stepdown.domain.records import Fact, LedgerError, LedgerUnavailableError, ListedRecord, RecordKind
from stepdown.ledger.encoding import decode
from stepdown.ports import Clock, LedgerArchive, OutcomeWatch
from stepdown.resilience.idempotency import IdempotencyStore, Replay
from stepdown.transport.calls import caller_now
from stepdown.transport.codec.outcomes import decode_report
from stepdown.transport.recording import Recording
from stepdown.transport.refusals import ledger_unreadable, refused, report_unrecorded

REMEMBERED = 10_000
"""How many of the newest reports are known again when they are sent twice, a restart between or not."""
_LONGEST_PLACE = 18
_NEVER_S = float("inf")
_US = 1_000_000


class OutcomeDesk:
    """One ledger's reports. Any thread may call. `unseal` opens what the recording sealed."""

    def __init__(
        self,
        *,
        archive: LedgerArchive,
        recording: Recording,
        ledger: str,
        clock: Clock,
        unseal: Callable[[str, str], bytes],
        watch: OutcomeWatch | None = None,
    ) -> None:
        """`ledger` is its name; `watch` hears of each report that is on it, None where nobody does."""
        self._archive = archive
        self._recording = recording
        self._name = ledger
        self._clock = clock
        self._unseal = unseal
        self._watch = watch
        self._lock = Lock()
        self._known: IdempotencyStore[str] | None = None

    def take(self, message: wire.RecordOutcomeRequest) -> str:
        """The id of the report's record, once that is on the disk. Raises: RequestRejectedError."""
        report = decode_report(message, now_s=self._clock.wall_s())
        try:
            answer = self._answer(message.record_id)
            by = caller_now(self._recording.digest_of(message.SerializeToString(deterministic=True)))
            key = self._recording.digest(f"{by.name}\0{message.report_id}".encode())
            known = self._claim(key, by.request_digest)
        except LedgerUnavailableError as error:
            raise ledger_unreadable() from error
        if known:
            return known
        facts: dict[str, Fact] = {
            "caller": by.name,
            "trace_id": by.trace_id,
            "answer": answer.record_id,
            "pathway": answer.pathway,
            "tier": answer.tier,
            "report": key,
            "report_hmac": by.request_digest,
            **_said(report),
            "sealed": self._recording.seal(json.dumps(_sealed(report)).encode(), key),
        }
        record_id = self._put(key, report, facts)
        if self._watch is not None:
            self._watch.reported(AnswerReport(report_id=key, answer=answer, report=report))
        return record_id

    def _put(self, key: str, report: Report, facts: Mapping[str, Fact]) -> str:
        record_id = ""
        try:
            kind = RecordKind.OUTCOME if isinstance(report, OutcomeLabel) else RecordKind.FEEDBACK
            record_id = self._recording.report(kind, facts)
        finally:
            self._settle(key, record_id)
        if not record_id:
            raise report_unrecorded()
        return record_id

    # --- the answer ------------------------------------------------------------------------------------------------

    def _answer(self, record_id: str) -> JudgedAnswer:
        name, _, place = record_id.rpartition("/")
        known = name == self._name and place.isascii() and place.isdecimal() and len(place) <= _LONGEST_PLACE
        record = self._archive.record(int(place)) if known else None
        if record is None or record.kind != RecordKind.ANSWER or record.body is None:
            text = f"the ledger {self._name} holds no such answer: give the `record_id` of an assessment of this server"
            raise refused(RejectReason.RECORD_UNKNOWN, field="record_id", description=text)
        return self._judged(record, record_id)

    def _judged(self, record: ListedRecord, record_id: str) -> JudgedAnswer:
        try:
            facts = decode(record.body or b"").facts
            sealed, bound_to = str(facts.get("score_sealed") or ""), str(facts.get("answer_hmac", ""))
            probability = unpack(">d", self._unseal(sealed, bound_to))[0] if sealed else None
        except LedgerError as error:
            raise LedgerUnavailableError(f"record {record.sequence} cannot be read") from error
        return JudgedAnswer(
            record_id=record_id,
            pathway=str(facts.get("pathway", "")),
            tier=str(facts.get("tier", "")),
            bundle_sha256=str(facts.get("bundle_sha256", "")),
            band=str(facts.get("band", "")),
            probability=probability,
            answered_time_s=record.time_s,
        )

    # --- the same report again -------------------------------------------------------------------------------------

    def _claim(self, key: str, digest: str) -> str:
        """The record of this very report if it was made before; else the key is held, and nothing given.

        Raises: RequestRejectedError IDEMPOTENCY_PAYLOAD_MISMATCH, REQUEST_IN_PROGRESS; LedgerUnavailableError.
        """
        with self._lock:
            if self._known is None:
                self._known = self._remembered()
            claim = self._known.begin(key, digest, encounter_token="", now_s=0.0)
        return claim.answer if isinstance(claim, Replay) else ""

    def _settle(self, key: str, record_id: str) -> None:
        with self._lock:
            if self._known is not None and record_id:
                self._known.complete(key, record_id, valid_until_s=_NEVER_S)
            elif self._known is not None:
                self._known.abandon(key)

    def _remembered(self) -> IdempotencyStore[str]:
        """What the ledger itself remembers, the oldest first, so that it is forgotten first."""
        store: IdempotencyStore[str] = IdempotencyStore(maximum_entries=REMEMBERED, field="report_id")
        found = [
            record
            for kind in (RecordKind.OUTCOME, RecordKind.FEEDBACK)
            for record in self._archive.records(before=None, kind=kind.value, most=REMEMBERED)
            if record.body is not None
        ]
        reports = {}
        for record in sorted(found, key=lambda each: each.sequence)[-REMEMBERED:]:
            facts = decode(record.body or b"").facts
            reports[str(facts.get("report", ""))] = (str(facts.get("report_hmac", "")), record.sequence)
        for key, (digest, sequence) in reports.items():
            store.begin(key, digest, encounter_token="", now_s=0.0)
            store.complete(key, f"{self._name}/{sequence}", valid_until_s=_NEVER_S)
        return store


def _said(report: Report) -> dict[str, Fact]:
    """What may stand in clear: that there is a report of such a kind."""
    if isinstance(report, OutcomeLabel):
        return {"event": report.event.value}
    return {
        "response": report.response.value,
        "override_reason": report.override_reason.value if report.override_reason is not None else None,
        "action": report.action.value if report.action is not None else None,
    }


def _sealed(report: Report) -> dict[str, Fact]:
    """What is said of a patient, or of a colleague."""
    if isinstance(report, OutcomeLabel):
        onset_us = None if report.onset_time_s is None else int(report.onset_time_s * _US)
        ascertained_us = int(report.ascertained_time_s * _US)
        return {"occurred": report.occurred, "onset_us": onset_us, "ascertained_us": ascertained_us}
    return _sealed_feedback(report)


def _sealed_feedback(report: Feedback) -> dict[str, Fact]:
    return {
        "user": report.user_token,
        "location": report.location,
        "comment": report.comment,
        "feedback_us": int(report.feedback_time_s * _US),
    }
