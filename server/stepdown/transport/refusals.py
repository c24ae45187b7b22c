"""The edge's own refusals, each of one thing. Refuses to quote what the client sent."""

from collections.abc import Mapping
from types import MappingProxyType

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason

DRAIN_RETRY_S = 1.0
LEDGER_RETRY_S = 1.0
OVERLOAD_RETRY_S = 1.0


def refused(
    reason: RejectReason, *, field: str, description: str, limits: Mapping[str, int] = MappingProxyType({})
) -> RequestRejectedError:
    """An error of one violation; `field` is empty for the whole message."""
    violation = FieldViolation(field=field, reason=reason, description=description)
    return RequestRejectedError(reason=reason, violations=(violation,), limits=limits)


def limit_passed(name: str, limit: int, *, field: str, description: str) -> RequestRejectedError:
    """TOO_LARGE, naming the limit and its value."""
    return refused(RejectReason.TOO_LARGE, field=field, description=description, limits={name: limit})


def ledger_unavailable() -> RequestRejectedError:
    """This server answers nothing that it cannot put on its ledger, and cannot now."""
    text = "the ledger cannot be written now, and this server answers nothing without a record"
    return _passing(RejectReason.LEDGER_UNAVAILABLE, text, retry_after_s=LEDGER_RETRY_S)


def ledger_unreadable() -> RequestRejectedError:
    """The ledger is there and cannot be read now."""
    return _passing(RejectReason.LEDGER_UNAVAILABLE, "the ledger cannot be read now", retry_after_s=LEDGER_RETRY_S)


def report_unrecorded() -> RequestRejectedError:
    """A report is worth nothing unless it is kept, and can be sent again."""
    text = "the ledger did not take the report in time; send it again, with the same report_id"
    return _passing(RejectReason.LEDGER_UNAVAILABLE, text, retry_after_s=LEDGER_RETRY_S)


def checkpoint_pending() -> RequestRejectedError:
    """The record is there, and will be covered by a checkpoint in a moment."""
    text = "no signed checkpoint covers this yet; one follows within seconds"
    return _passing(RejectReason.CHECKPOINT_PENDING, text, retry_after_s=LEDGER_RETRY_S)


def overloaded() -> RequestRejectedError:
    """More was waiting than can be answered in time, even by the rules, and the request was not begun."""
    text = "more calls wait than can be answered in time; this one was not begun: send it again in a moment"
    return _passing(RejectReason.OVERLOADED, text, retry_after_s=OVERLOAD_RETRY_S)


def messages_missing() -> RequestRejectedError:
    """So many messages of this caller are on their way that the next is not waited for: they come, or are cut off."""
    text = "too many calls of this caller wait for a message that was announced and does not come: send it in a moment"
    return _passing(RejectReason.OVERLOADED, text, retry_after_s=OVERLOAD_RETRY_S)


def server_draining() -> RequestRejectedError:
    """The server is stopping, and the request was not begun."""
    text = "the server is stopping and has not begun this: ask another, or this one again in a moment"
    return _passing(RejectReason.SERVER_DRAINING, text, retry_after_s=DRAIN_RETRY_S)


def _passing(reason: RejectReason, text: str, *, retry_after_s: float) -> RequestRejectedError:
    """A refusal that time will mend."""
    violation = FieldViolation(field="", reason=reason, description=text)
    return RequestRejectedError(reason=reason, violations=(violation,), retry_after_s=retry_after_s)
