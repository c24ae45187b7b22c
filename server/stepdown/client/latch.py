"""Holds a patient's band over a change of tier, so that no alert is cleared because another tier answered.

Tiers differ in sensitivity: a band that falls in the moment in which the tier changes may say nothing of the patient.
What is held is a value of the caller's, one for each encounter and pathway, to be kept where its alerts are. Refuses to
lower a band for want of an answer: an abstention, an answer that never came and the mere passing of time clear nothing.
"""

from dataclasses import dataclass, replace

from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.api.v1.bands_pb2 import BAND_INDETERMINATE, Band

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBand:
    """The band to show and to alert by, and the answer that gave it.

    `band` is a `stepdown.api.v1.Band`. `tier` and `sha256` (of its bundle) are empty where no tier answered. Times are
    Unix nanoseconds: the answer's instant, and until when it may be shown as current; `newest_as_of_ns` is the instant
    of the newest answer seen. `is_latched`: the newest answer gave less, or nothing, and may not lower the band yet;
    show that, with the tier of that answer.
    """

    band: Band
    tier: str
    sha256: str
    as_of_ns: int
    valid_until_ns: int
    newest_as_of_ns: int
    is_latched: bool = False


def hold(held: HeldBand | None, answer: Assessment) -> HeldBand:
    """What holds after one more answer about the same patient in the same pathway.

    A higher band counts at once, whoever gave it. A lower one counts if the same tier and bundle gave it, or once the
    answer that gave the band held is no longer current at the instant of the new one. An answer about an earlier
    instant than the newest one seen changes nothing.

    Args:
        held: what the last call returned; None for the first answer.
        answer: the new answer.
    """
    new = _of(answer)
    if held is None:
        return new
    if new.as_of_ns < held.newest_as_of_ns:
        return held
    if new.band == BAND_INDETERMINATE:
        return _latched(held, new) if held.band != BAND_INDETERMINATE else new
    same = (new.tier, new.sha256) == (held.tier, held.sha256)
    if new.band >= held.band or same or new.as_of_ns >= held.valid_until_ns:
        return new
    return _latched(held, new)


def _of(answer: Assessment) -> HeldBand:
    as_of_ns = _nanoseconds(answer.as_of_time.seconds, answer.as_of_time.nanos)
    return HeldBand(
        band=answer.band,
        tier=answer.answered_by.tier,
        sha256=answer.answered_by.bundle.sha256,
        as_of_ns=as_of_ns,
        valid_until_ns=_nanoseconds(answer.valid_until_time.seconds, answer.valid_until_time.nanos),
        newest_as_of_ns=as_of_ns,
    )


def _latched(held: HeldBand, new: HeldBand) -> HeldBand:
    return replace(held, newest_as_of_ns=new.newest_as_of_ns, is_latched=True)


def _nanoseconds(seconds: int, nanos: int) -> int:
    return seconds * _NANOSECONDS + nanos
