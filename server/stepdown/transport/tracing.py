"""W3C Trace Context: takes up a caller's trace, or starts one where there is none that is valid.

Refuses to pass on what it did not check: a malformed `traceparent` could carry anything into a log.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

TRACEPARENT = "traceparent"
TRACERESPONSE = "traceresponse"

# https://www.w3.org/TR/trace-context/#traceparent-header: version ff and all-zero ids are invalid; a later version may
# append fields, version 00 may not.
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """`trace_id`: 32 hexadecimal digits; `span_id`: 16, of this call; `sampled`: the caller records its trace."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def response(self) -> str:
        """The value of `traceresponse`, by which the caller finds this call in its trace."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def take_up(metadata: Iterable[tuple[str, str | bytes]]) -> Trace:
    """The caller's trace with a span of our own; a new trace if there is no valid `traceparent`, or more than one."""
    sent = [value for key, value in metadata if key == TRACEPARENT]
    match = _TRACEPARENT.fullmatch(sent[0]) if len(sent) == 1 and isinstance(sent[0], str) else None
    span_id = secrets.token_hex(8)
    if match is None or (match["version"] == "00" and match["more"] is not None):
        return Trace(trace_id=secrets.token_hex(16), span_id=span_id, sampled=False)
    return Trace(trace_id=match["trace"], span_id=span_id, sampled=bool(int(match["flags"], 16) & _SAMPLED))
