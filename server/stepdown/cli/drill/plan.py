"""The drills of a file: what is injected, under which load, and what must be shown. Refuses a key it does not know."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stepdown.domain.drills import CLIENT_FAULTS, TIER_FAULTS, InjectableFault
from stepdown.domain.errors import ConfigurationError

Seconds = Annotated[float, Field(gt=0, le=3600)]
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000)]
Count = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Objectives(_Section):
    """The most that may be. None: this drill does not ask it. What each means stands in the file."""

    lost: Count = 0
    mislabelled: Count = 0
    moves: Count | None = None
    detected_ms: Milliseconds | None = None
    next_tier_ms: Milliseconds | None = None
    wrong_ms: Milliseconds | None = None
    back_s: Seconds | None = None
    alarm_ms: Milliseconds | None = None
    alarm_end_ms: Milliseconds | None = None


class LoadPlan(_Section):
    """Arrivals that do not wait for answers, and how long they go on before the fault and after recovery."""

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 200.0
    deadline_ms: Annotated[float, Field(ge=5, le=60_000)] = 500.0
    before_s: Seconds = 5.0
    after_s: Seconds = 5.0


class Drill(_Section):
    """One drill. `patience_s`: after that a tier that is not back counts as not coming back.

    `tier` is for faults of a tier; `client` for those of the network: whose answers are held back, those of the
    `assessor` who asks or those of the `operator` who looks on. `alarm` is the kind that the server must raise.
    """

    about: str
    fault: InjectableFault
    tier: str = ""
    client: Literal["", "assessor", "operator"] = ""
    duration_s: Annotated[float, Field(gt=0, le=600)]
    delay_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    clock_step_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0.0
    days_left: Annotated[int, Field(ge=0, le=365)] = 0
    alarm: str = ""
    patience_s: Seconds = 60.0
    objectives: Objectives = Objectives()

    @property
    def where(self) -> str:
        """What it hits, in words."""
        if self.fault in CLIENT_FAULTS:
            return f"the way to the {self.client}"
        return f"tier {self.tier}" if self.tier else "the server"

    @model_validator(mode="after")
    def _hits_something(self) -> Self:
        if bool(self.tier) != (self.fault in TIER_FAULTS):
            raise ValueError(f"{self.fault} {'needs a' if self.fault in TIER_FAULTS else 'has no'} tier")
        if bool(self.client) != (self.fault in CLIENT_FAULTS):
            raise ValueError(f"{self.fault} {'needs a' if self.fault in CLIENT_FAULTS else 'has no'} client")
        return self


class _File(_Section):
    load: LoadPlan = LoadPlan()
    drill: dict[str, Drill]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPlan:
    """Every drill of a file by name, and the load they are played under."""

    load: LoadPlan
    drills: dict[str, Drill]


def read_plan(path: Path) -> DrillPlan:
    """Read and check a file of drills. Raises: ConfigurationError with every problem found, OSError."""
    try:
        read = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{path}: not valid TOML: {error}",)) from error
    except ValidationError as error:
        places = ((".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors())
        raise ConfigurationError(tuple(f"{path}: {place}: {problem}" for place, problem in places)) from error
    return DrillPlan(load=read.load, drills=read.drill)
