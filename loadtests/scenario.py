"""Scenarios as files: who asks, what happens when, and for how long. Refuses a key that it does not know."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stepdown.domain.errors import ConfigurationError

ProfileName = Literal["steady", "ward-round", "monitor-feed", "surge-10x"]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Verb = Literal["inject", "kill", "stop", "halve", "recover", "restart", "run"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Load(_Section):
    """Some callers. What is left out takes the profile's own value (`loadtests.schedule.PROFILES`).

    `share`: encounters per second as a multiple of the measured capacity of the first tier. `to_s` None: to the end.
    """

    profile: ProfileName
    from_s: Seconds = 0.0
    to_s: Seconds | None = None
    share: Annotated[float, Field(gt=0, le=100)] | None = None
    callers: Annotated[int, Field(ge=1, le=512)] | None = None
    size: Annotated[int, Field(ge=1, le=1024)] | None = None
    deadline_ms: Annotated[float, Field(ge=5, le=60_000)] | None = None


class Step(_Section):
    """What is done at a moment. `tier` empty: the first of the chain; `server` counts from 0.

    inject: `fault` for `for_s`, with what that fault asks for. kill, stop: the tier's worker. halve: the server's
    processors, for `for_s`. recover: what was stopped. restart: drain the server and start it again. run: `command`.
    """

    t: Seconds
    do: Verb
    tier: str = ""
    fault: str = ""
    for_s: Annotated[float, Field(gt=0, le=600)] | None = None
    delay_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    client: str = ""
    clock_step_s: Annotated[float, Field(ge=-86_400, le=86_400)] = 0.0
    days_left: Annotated[int, Field(ge=0, le=3650)] = 0
    server: Annotated[int, Field(ge=0, le=7)] = 0
    command: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.do == "inject") is not bool(self.fault):
            raise ValueError("inject, and nothing else, needs fault")
        if (self.do in {"inject", "halve"}) is not bool(self.for_s):
            raise ValueError("inject and halve, and nothing else, need for_s")
        if (self.do == "run") is not bool(self.command):
            raise ValueError("run, and nothing else, needs command")
        return self


class Scenario(_Section):
    """One scenario. `warm_s` of the same load come before t = 0 and are not judged."""

    about: str
    length_s: Annotated[float, Field(ge=1, le=86_400)]
    warm_s: Annotated[float, Field(ge=0, le=600)] = 2.0
    servers: Annotated[int, Field(ge=1, le=8)] = 1
    load: tuple[Load, ...] = Field(min_length=1)
    at: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for step in self.at:
            if step.t >= self.length_s:
                raise ValueError(f"t = {step.t:g} is not before length_s = {self.length_s:g}")
            if step.server >= self.servers:
                raise ValueError(f"there is no server {step.server}: they count from 0")
        for load in self.load:
            if load.from_s >= self.end_s(load):
                raise ValueError(f"{load.profile}: from_s is not before to_s and length_s")
        return self

    def end_s(self, load: Load) -> float:
        """When a load ends, in seconds after t = 0."""
        return self.length_s if load.to_s is None else min(load.to_s, self.length_s)

    @property
    def needs_own_servers(self) -> bool:
        """Whether it does what only the machine of the server can do."""
        return self.servers > 1 or any(step.do == "restart" for step in self.at)


def read_scenario(path: Path) -> Scenario:
    """Read and check one file. Raises: ConfigurationError with every problem found, OSError."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{path}: not valid TOML: {error}",)) from error
    except ValidationError as error:
        raise ConfigurationError(problems(path, error)) from error


def problems(path: Path, error: ValidationError) -> tuple[str, ...]:
    """What is wrong with a file, one line each: place and remedy."""
    places = ((".".join(map(str, fault["loc"])) or "file", fault["msg"]) for fault in error.errors())
    return tuple(f"{path}: {place}: {problem}" for place, problem in places)
