"""Which failures another server may mend, and after how long. Refuses to repeat what could not end differently."""

from stepdown.client.failures import AssessmentError

_OF_THE_TRANSPORT = frozenset({"CANCELLED", "UNKNOWN"})
"""Where no reason stands beside them, a connection was cut under the call, or the call by a crowded server."""
_OF_THE_CALLER = frozenset({"ENCOUNTER_RATE_LIMITED", "TOO_LARGE"})
"""Another server would have to refuse these too."""
_IN_PROGRESS = "REQUEST_IN_PROGRESS"
_OF_ONE_SERVER = frozenset({_IN_PROGRESS, "RECORD_UNKNOWN"})
"""Each server has its own ledger, and knows its own requests."""
_SHORT_S = 0.05


def mends_elsewhere(error: AssessmentError) -> bool:
    """Whether the same request may be answered by another server, or by this one in a moment."""
    if error.is_final:
        return False
    if error.code == "UNAVAILABLE":
        return True
    if error.code in _OF_THE_TRANSPORT:
        return not error.reason
    if error.code == "RESOURCE_EXHAUSTED":
        return error.retry_after_s is not None and error.reason not in _OF_THE_CALLER
    return error.reason in _OF_ONE_SERVER


def pause_s(error: AssessmentError) -> float:
    """How long the server that said so is left alone."""
    asked_s: float | None = error.retry_after_s
    if asked_s is not None:
        return asked_s
    return _SHORT_S if error.reason == _IN_PROGRESS else 0.0
