"""Instants and spans: Unix seconds and seconds on our side, Timestamp and Duration on the wire.

A float of Unix seconds resolves about 0.2 microseconds today, so every instant the domain can hold survives the way
there and back. Refuses nothing: an instant out of this world is for intake to refuse.
"""

import math

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_NANOS = 1_000_000_000


def unix_s(timestamp: Timestamp) -> float:
    """Unix seconds UTC."""
    return timestamp.seconds + timestamp.nanos / _NANOS


def span_s(duration: Duration) -> float:
    """Seconds, whatever the message holds: what cannot be meant is for its reader to refuse."""
    return duration.seconds + duration.nanos / _NANOS


def timestamp(unix_time_s: float) -> Timestamp:
    """The wire's instant, to the nanosecond."""
    seconds, nanos = seconds_and_nanos(unix_time_s)
    return Timestamp(seconds=seconds, nanos=nanos)


def duration(span_s: float) -> Duration:
    """The wire's span, to the nanosecond; `span_s` must not be negative (its two parts would need one sign)."""
    seconds, nanos = seconds_and_nanos(span_s)
    return Duration(seconds=seconds, nanos=nanos)


def seconds_and_nanos(value_s: float) -> tuple[int, int]:
    """The parts of the wire's instants and spans."""
    seconds = math.floor(value_s)
    nanos = round((value_s - seconds) * _NANOS)
    return (seconds + 1, 0) if nanos == _NANOS else (seconds, nanos)
