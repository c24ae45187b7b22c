"""The drills of a file: what is injected, under which load, and what must be shown. Refuses a key it does not know."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import ConfigurationError

Seconds = Annotated[float, Field(gt=0, le=3600)]
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Objectives(_Section):
    """The most that may be. None: this drill does not ask it. What each means stands in the file."""

    lost: Annotated[int, Field(ge=0)] = 0
    mislabelled: Annotated[int, Field(ge=0)] = 0
    detected_ms: Milliseconds | None = None
    next_tier_ms: Milliseconds | None = None
    back_s: Seconds | None = None


class LoadPlan(_Section):
    """Arrivals that do not wait for answers, and how long they go on before the fault and after recovery."""

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 200.0
    deadline_ms: Annotated[float, Field(ge=5, le=60_000)] = 500.0
    before_s: Seconds = 5.0
    after_s: Seconds = 5.0


class Drill(_Section):
    """One drill. `patience_s`: after that a tier that is not back counts as not coming back."""

    about: str
    fault: InjectableFault
    tier: str
    duration_s: Annotated[float, Field(gt=0, le=600)]
    delay_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    patience_s: Seconds = 60.0
    objectives: Objectives = Objectives()


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
