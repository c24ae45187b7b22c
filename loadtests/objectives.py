"""What must be shown, and whether it was. Pure but for reading one file; refuses a key that it does not know."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loadtests.measures import Measures
from loadtests.record import MachineUse
from loadtests.scenario import problems
from stepdown.domain.errors import ConfigurationError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Objectives(_Section):
    """What one scenario must show; None: not asked. What each means stands at the head of objectives.toml.

    `lost = "any"` takes back what is asked of every scenario.
    """

    availability: Share | None = None
    emergency_availability: Share | None = None
    lost: Count | Literal["any"] | None = None
    lost_outside_surge: Count | None = None
    mislabelled: Count | None = None
    p50_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    p99_9_ms: Milliseconds | None = None
    detected_ms: Milliseconds | None = None
    fell_back_ms: Milliseconds | None = None
    recovered_s: Seconds | None = None
    first_tier_share: Share | None = None
    surge_goodput: Annotated[float, Field(ge=0)] | None = None


class ConditionLimits(_Section):
    """What must hold of the machine and the generator, so that a run says something about the server."""

    late_ms: Milliseconds = 50.0
    late_share: Share = 0.01
    others_share: Share = 0.5


class _File(_Section):
    conditions: ConditionLimits = ConditionLimits()
    every: Objectives = Objectives()
    scenario: dict[str, Objectives] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivesFile:
    """A whole file: what holds for every scenario, and what some add to it or ask otherwise."""

    conditions: ConditionLimits
    every: Objectives
    scenarios: dict[str, Objectives]

    def of(self, scenario: str) -> Objectives:
        """The objectives of one scenario; one that the file does not name must meet what every scenario must."""
        own = self.scenarios.get(scenario, Objectives()).model_dump(exclude_unset=True)
        return self.every.model_copy(update=own)


class Verdict(StrEnum):
    """What a scenario comes to. INVALID: the conditions were not such that it says anything about the server."""

    MET = "met"
    NOT_MET = "not met"
    INVALID = "invalid"
    NOT_PLAYED = "not played"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One objective: what was asked, what was found (None: it did not happen), and which way is better."""

    objective: str
    asked: float
    found: float | None
    at_least: bool
    met: bool


_AT_LEAST = frozenset({"availability", "emergency_availability", "first_tier_share", "surge_goodput"})


def read_objectives(path: Path) -> ObjectivesFile:
    """Read and check a file of objectives. Raises: ConfigurationError with every problem found, OSError."""
    try:
        read = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{path}: not valid TOML: {error}",)) from error
    except ValidationError as error:
        raise ConfigurationError(problems(path, error)) from error
    return ObjectivesFile(conditions=read.conditions, every=read.every, scenarios=read.scenario)


def judge(measures: Measures, objectives: Objectives) -> tuple[Finding, ...]:
    """Every objective that is asked. What did not happen is not met."""
    return tuple(
        _finding(name, asked, getattr(measures, name))
        for name, asked in objectives.model_dump().items()
        if isinstance(asked, int | float)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a run may say nothing about the server; `text` is for people."""

    late: bool
    busy: bool
    text: str


def doubts(measures: Measures, machine: MachineUse | None, limits: ConditionLimits) -> Doubt:
    """Whether the generator kept its schedule, and whether the machine was there for the test at all."""
    share = measures.generator.late_share
    late = measures.asked == 0 or share > limits.late_share
    busy = machine is not None and machine.others > limits.others_share
    texts = []
    if late:
        texts.append(f"the generator was more than {limits.late_ms:g} ms late in {share:.1%} of cases")
    if busy and machine is not None:
        texts.append(f"other programs used {machine.others:.0%} of the processors")
    return Doubt(late=late, busy=busy, text=", and ".join(texts))


def verdict(findings: Sequence[Finding], *, late: bool, busy: bool) -> Verdict:
    """What the findings come to.

    Nothing excuses a wrong label. Times that a late generator measured say nothing either way; a busy machine explains
    an objective that was missed, and takes nothing from one that was met.
    """
    unmet = {finding.objective for finding in findings if not finding.met}
    if "mislabelled" in unmet:
        return Verdict.NOT_MET
    if late or (busy and unmet):
        return Verdict.INVALID
    return Verdict.NOT_MET if unmet else Verdict.MET


def _finding(name: str, asked: float, found: float | None) -> Finding:
    at_least = name in _AT_LEAST
    met = found is not None and (found >= asked if at_least else found <= asked)
    return Finding(objective=name, asked=asked, found=found, at_least=at_least, met=met)
