"""Which of several contradicting readings is the worst for the clinical rules. Orders readings; scores nothing.

The steps are those of the published charts (NEWS2: Royal College of Physicians 2017; SIRS: ACCP/SCCM 1992; lactate:
Surviving Sepsis Campaign), so that the reading chosen is the one that the charts weigh most; among those weighed alike
it is the one furthest from normal.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, nextafter

from stepdown.clinical.channel import Channel
from stepdown.clinical.conversion import round_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Levels of severity along a quantity at charting resolution.

    From `starts[i]` up the level is `levels[i + 1]`, below the first it is `levels[0]`. `normal`: the middle of what
    counts nothing.
    """

    starts: tuple[float, ...]
    levels: tuple[int, ...]
    normal: float

    def severity(self, value: float) -> tuple[int, float, float]:
        """Sort key: the level, the distance from normal, and the value, so that different values never tie."""
        return self.levels[bisect_right(self.starts, value)], abs(value - self.normal), value


_SPO2_SCALE_1 = Steps(starts=(92, 94, 96), levels=(3, 2, 1, 0), normal=98)
_SPO2_SCALE_2_AIR = Steps(starts=(84, 86, 88), levels=(3, 2, 1, 0), normal=90)
_SPO2_SCALE_2_OXYGEN = Steps(starts=(84, 86, 88, 93, 95, 97), levels=(3, 2, 1, 0, 1, 2, 3), normal=90)

_STEPS: Mapping[str, Steps] = {
    "Resp": Steps(starts=(9, 12, 21, 25), levels=(3, 1, 0, 2, 3), normal=16),
    "SBP": Steps(starts=(91, 101, 111, 220), levels=(3, 2, 1, 0, 3), normal=165),
    "HR": Steps(starts=(41, 51, 91, 111, 131), levels=(3, 1, 0, 1, 2, 3), normal=70.5),
    "Temp": Steps(starts=(35.1, 36.1, 38.1, 39.1), levels=(3, 1, 0, 1, 2), normal=37.05),
    "Consciousness": Steps(starts=(1,), levels=(0, 3), normal=0),
    "GCS": Steps(starts=(15,), levels=(1, 0), normal=15),
    "Lactate": Steps(starts=(2.1, 4.0), levels=(0, 1, 2), normal=0),
    "WBC": Steps(starts=(4.0, 12.1), levels=(1, 0, 1), normal=8),
    "PaCO2": Steps(starts=(32,), levels=(1, 0), normal=40),
    "Bands": Steps(starts=(nextafter(10, inf),), levels=(0, 1), normal=0),
}


def worst(channel: Channel, candidates: Iterable[float], *, spo2_scale: int, on_oxygen: bool) -> float:
    """The candidate, as charted, that counts most. On SpO2 scale 2 with oxygen, a high saturation is bad too."""
    standing = tuple(candidates)
    if len(standing) == 1:
        return charted(channel, standing[0])
    steps = _STEPS[channel.name] if channel.name != "O2Sat" else _spo2_steps(spo2_scale, on_oxygen=on_oxygen)
    return max((charted(channel, value) for value in standing), key=steps.severity)


def charted(channel: Channel, value: float) -> float:
    """The value as it would stand on a chart: rounded half up to the channel's resolution."""
    return value if channel.resolution is None else round_half_up(value, channel.resolution)


def _spo2_steps(spo2_scale: int, *, on_oxygen: bool) -> Steps:
    if spo2_scale == 1:
        return _SPO2_SCALE_1
    return _SPO2_SCALE_2_OXYGEN if on_oxygen else _SPO2_SCALE_2_AIR
