"""Alarms on the wire."""

from typing import cast

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.domain.alarms import AlarmKind, StandingAlarm
from stepdown.transport.codec.times import timestamp

# Enum values are plain integers at run time; the generated types tell them apart.
_NUMBERS = {kind: cast("wire.AlarmKind", wire.AlarmKind.Value(f"ALARM_KIND_{kind}")) for kind in AlarmKind}


def encode_alarm(standing: StandingAlarm) -> wire.Alarm:
    """What is wrong, with what, and since when."""
    return wire.Alarm(
        kind=_NUMBERS[standing.alarm.kind],
        subject=standing.alarm.subject,
        detail=standing.alarm.detail,
        start_time=timestamp(standing.since_time_s),
    )
