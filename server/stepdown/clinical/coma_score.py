"""Adds up the Glasgow coma score where only its three parts were sent. Never replaces a total that was sent."""

from collections.abc import Mapping

from stepdown.clinical.channels import CHANNELS
from stepdown.clinical.readings import Timeline

PARTS = ("GCSEye", "GCSVerbal", "GCSMotor")


def with_computed_total(timelines: Mapping[str, Timeline]) -> Mapping[str, Timeline]:
    """The timelines, with a `GCS` at each time at which all three parts are known and the total is not."""
    if not all(part in timelines for part in PARTS):
        return timelines
    eye, verbal, motor = (timelines[part] for part in PARTS)
    sent = timelines.get("GCS")
    totals = {} if sent is None else dict(zip(sent.times_s, sent.values, strict=True))
    others = [dict(zip(part.times_s, part.values, strict=True)) for part in (verbal, motor)]
    for time_s, value in zip(eye.times_s, eye.values, strict=True):
        if all(time_s in other for other in others):
            totals.setdefault(time_s, value + sum(other[time_s] for other in others))
    times_s = sorted(totals)
    # A computed total has no place of its own in the request; its parts do, and stand in the record for themselves.
    places = len(times_s)
    total = Timeline(
        channel=CHANNELS["GCS"],
        times_s=times_s,
        values=[totals[time_s] for time_s in times_s],
        positions=[eye.positions[0]] * places,
        provenances=[eye.provenances[0]] * places,
        tied={} if sent is None else sent.tied,
    )
    return {**timelines, "GCS": total} if times_s else timelines
