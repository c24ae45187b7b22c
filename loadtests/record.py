"""What a scenario saw, as it happened. Times are seconds after t = 0 on this machine's clock. Judges nothing."""

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from stepdown.cli.drill.record import Move


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one encounter's question ended. `tier` empty: no answer in time, and `failure` says why.

    `intended_s` is when it was due to be sent: latency counts from there, so that a generator held up by a slow
    server hides nothing (coordinated omission).
    """

    profile: str
    urgency: str
    intended_s: float
    sent_s: float
    done_s: float
    tier: str
    failure: str
    label_faults: tuple[str, ...]
    request_id: str
    unsuited: bool = False

    @property
    def latency_ms(self) -> float:
        """From when it was due to when its answer was there."""
        return (self.done_s - self.intended_s) * 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How late the generator's own heartbeat was: what it adds to every latency at that moment."""

    at_s: float
    late_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedStep:
    """Something that was done. `until_s`: when its cause ends by itself; None: with the process that suffers it."""

    at_s: float
    name: str
    tiers: tuple[str, ...] = ()
    until_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineUse:
    """Processors while a scenario was played, each as a share of all of them."""

    cores: int
    server: float
    generator: float
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRecord:
    """A whole scenario. `surge`: from when to when more was asked than can be answered; None: never."""

    name: str
    length_s: float
    tiers: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    pulses: tuple[Pulse, ...]
    moves: tuple[Move, ...]
    steps: tuple[PlayedStep, ...]
    surge: tuple[float, float] | None
    machine: MachineUse | None


def write_outcomes(path: Path, outcomes: Iterable[Outcome], pulses: Iterable[Pulse]) -> None:
    """One JSON array per line."""
    with path.open("w", encoding="utf-8") as file:
        for pulse in pulses:
            file.write(json.dumps(("pulse", *astuple(pulse))) + "\n")
        for outcome in outcomes:
            file.write(json.dumps(("outcome", *astuple(outcome))) + "\n")


def read_outcomes(path: Path) -> tuple[tuple[Outcome, ...], tuple[Pulse, ...]]:
    """What `write_outcomes` wrote, in the order of intended times. Raises: OSError, ValueError."""
    outcomes, pulses = [], []
    for line in path.read_text("utf-8").splitlines():
        kind, *values = json.loads(line)
        if kind == "pulse":
            pulses.append(Pulse(at_s=values[0], late_s=values[1]))
        else:
            fields = dict(zip(Outcome.__dataclass_fields__, values, strict=True))
            outcomes.append(Outcome(**{**fields, "label_faults": tuple(fields["label_faults"])}))
    return tuple(sorted(outcomes, key=lambda each: each.intended_s)), tuple(pulses)
