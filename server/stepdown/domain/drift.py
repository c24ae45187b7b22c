"""What the drift watch is given of an answer, and what it says. A sample holds values of a patient: never told on."""

from dataclasses import dataclass
from enum import StrEnum

from stepdown.domain.bands import Band


class DriftSignal(StrEnum):
    """What is compared with the reference. Published: a name never changes its meaning."""

    VALUE = "VALUE"
    MISSING = "MISSING"
    AGE = "AGE"
    SCORE = "SCORE"
    BAND = "BAND"
    ALERT_RATE = "ALERT_RATE"


class DriftState(StrEnum):
    """INSUFFICIENT: too few assessments to say anything. STEADY, DRIFTING: as far as the evidence goes."""

    INSUFFICIENT = "INSUFFICIENT"
    STEADY = "STEADY"
    DRIFTING = "DRIFTING"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReading:
    """One signal of one channel now.

    `size`: effective assessments behind it. `psi`, `jensen_shannon`, `kolmogorov_smirnov`: distance from the reference
    (for a rate, of its two bins). `shift`: in reference standard deviations for a distribution, the difference for a
    rate. `nats`: evidence; at `alarm_nats` chance alone is ruled out within the stated budget.
    """

    channel: str
    signal: DriftSignal
    state: DriftState
    size: float
    psi: float
    jensen_shannon: float
    kolmogorov_smirnov: float
    shift: float
    nats: float
    alarm_nats: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSample:
    """One answer: the grid its tier was given, whose it was (an opaque key), and what a model said, if one did.

    `cells`: little-endian float32, hours x columns, NaN = missing. `bundle_sha256` is empty when rules answered.
    """

    pathway: str
    cells: bytes
    encounter: int
    tier: str = ""
    bundle_sha256: str = ""
    probability: float | None = None
    band: Band | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """Everything watched of one pathway: its input, and the answers of each tier. `assessments`: since the start."""

    pathway: str
    assessments: int
    window_rows: int
    inputs: tuple[DriftReading, ...]
    tiers: tuple[tuple[str, tuple[DriftReading, ...]], ...]

    @property
    def state(self) -> DriftState:
        """DRIFTING if anything does; INSUFFICIENT if nothing can be said yet."""
        states = {reading.state for reading in self.inputs}
        states |= {reading.state for _, readings in self.tiers for reading in readings}
        if DriftState.DRIFTING in states:
            return DriftState.DRIFTING
        return DriftState.STEADY if DriftState.STEADY in states else DriftState.INSUFFICIENT

    def by_concern(self) -> tuple[tuple[str, DriftReading], ...]:
        """Every reading with the tier it is of (empty: the input), the most surprising first."""
        every = [("", reading) for reading in self.inputs]
        every += [(tier, reading) for tier, readings in self.tiers for reading in readings]
        return tuple(sorted(every, key=lambda each: -each[1].nats / each[1].alarm_nats))
