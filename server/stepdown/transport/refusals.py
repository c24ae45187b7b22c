"""The edge's own refusals, each of one thing. Refuses to quote what the client sent."""

from collections.abc import Mapping
from types import MappingProxyType

from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import RejectReason


def refused(
    reason: RejectReason, *, field: str, description: str, limits: Mapping[str, int] = MappingProxyType({})
) -> RequestRejectedError:
    """An error of one violation; `field` is empty for the whole message."""
    violation = FieldViolation(field=field, reason=reason, description=description)
    return RequestRejectedError(reason=reason, violations=(violation,), limits=limits)


def limit_passed(name: str, limit: int, *, field: str, description: str) -> RequestRejectedError:
    """TOO_LARGE, naming the limit and its value."""
    return refused(RejectReason.TOO_LARGE, field=field, description=description, limits={name: limit})
