"""The edge's own refusals, each of one thing. Refuses to quote what the client sent."""

from collections.abc import Mapping
from types import MappingProxyType

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason

DRAIN_RETRY_S = 1.0


def refused(
    reason: RejectReason, *, field: str, description: str, limits: Mapping[str, int] = MappingProxyType({})
) -> RequestRejectedError:
    """An error of one violation; `field` is empty for the whole message."""
    violation = FieldViolation(field=field, reason=reason, description=description)
    return RequestRejectedError(reason=reason, violations=(violation,), limits=limits)


def limit_passed(name: str, limit: int, *, field: str, description: str) -> RequestRejectedError:
    """TOO_LARGE, naming the limit and its value."""
    return refused(RejectReason.TOO_LARGE, field=field, description=description, limits={name: limit})


def server_draining() -> RequestRejectedError:
    """The server is stopping, and the request was not begun."""
    text = "the server is stopping and has not begun this: ask another, or this one again in a moment"
    violation = FieldViolation(field="", reason=RejectReason.SERVER_DRAINING, description=text)
    return RequestRejectedError(
        reason=RejectReason.SERVER_DRAINING, violations=(violation,), retry_after_s=DRAIN_RETRY_S
    )
