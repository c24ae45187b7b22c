"""Finds what a sensor shows rather than the patient: a heart rate of zero beside signs of life, a line gone flat."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from stepdown.clinical.dismissal import dismiss
from stepdown.clinical.findings import Findings
from stepdown.clinical.readings import Timeline
from stepdown.domain.reasons import InputIssue

# Signals that a patient in cardiac arrest does not have; within this time of a heart rate of zero they refute it.
_SIGNS_OF_LIFE = ("O2Sat", "SBP", "MAP", "DBP", "Resp", "EtCO2")
_REFUTES_WITHIN_S = 3600.0

# Continuous signals vary; saturation, temperature and charted breathing may honestly stay the same for hours.
_VARYING = ("HR", "SBP", "MAP", "DBP")
_FLAT_READINGS = 6
_FLAT_SPAN_S = 5 * 3600.0  # six hourly readings: the first and the last of six consecutive hours

CHECK_PATIENT = "possible arrest or lead-off: check patient"


def drop_artefacts(timelines: Mapping[str, Timeline], findings: Findings) -> dict[str, Timeline]:
    """The timelines without heart rates of zero that other signals refute; zeros and flat lines are flagged."""
    kept = dict(timelines)
    if "HR" in kept:
        kept["HR"] = _without_refuted_zeros(kept["HR"], kept, findings)
    for name in _VARYING:
        if name in kept:
            _flag_flat_line(kept[name], findings)
    return {name: timeline for name, timeline in kept.items() if timeline.times_s}


def _without_refuted_zeros(heart: Timeline, timelines: Mapping[str, Timeline], findings: Findings) -> Timeline:
    if 0.0 not in heart.values:
        return heart
    zeros = [index for index, value in enumerate(heart.values) if value == 0.0]
    where, count = heart.place(zeros[-1]), len(zeros)
    findings.flag(InputIssue.SENSOR_SUSPECT, channel="HR", field=where, detail=CHECK_PATIENT, count=count)
    refuted = {
        heart.times_s[index]
        for index in zeros
        if any(_alive(timelines[name], heart.times_s[index]) for name in _SIGNS_OF_LIFE if name in timelines)
    }
    if not refuted:
        return heart
    return dismiss(
        heart, refuted, InputIssue.ARTEFACT, hint=f"zero beside other signals: {CHECK_PATIENT}", findings=findings
    )


def _alive(signal: Timeline, time_s: float) -> bool:
    """Whether the signal is above zero at some time near `time_s`."""
    low = bisect_left(signal.times_s, time_s - _REFUTES_WITHIN_S)
    high = bisect_right(signal.times_s, time_s + _REFUTES_WITHIN_S)
    return any(value > 0 for value in signal.values[low:high])


def _flag_flat_line(timeline: Timeline, findings: Findings) -> None:
    """Flag a signal whose newest readings are all the same for too long."""
    values, times_s = timeline.values, timeline.times_s
    if len(values) < _FLAT_READINGS or values[-1] != values[-_FLAT_READINGS]:
        return
    run = 1
    while run < len(values) and values[-1 - run] == values[-1]:
        run += 1
    if run >= _FLAT_READINGS and times_s[-1] - times_s[-run] >= _FLAT_SPAN_S:
        findings.flag(
            InputIssue.SENSOR_SUSPECT,
            channel=timeline.channel.name,
            field=timeline.place(len(values) - 1),
            detail="unchanged for six hours: check the sensor",
        )
