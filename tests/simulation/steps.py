"""A schedule is data: what is done to the server, and when. It is drawn, shrunk, written down and played again.

Times are seconds from the start of the schedule; tiers are named as in the chain that is played.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import Urgency
from tests.simulation.chain import PATHWAY
from tests.simulation.workers import LoadFate, Vice


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Callers: `count` requests in one wake-up, `times` over. The first of each leaves after `cancel_after_s`."""

    at_s: float
    budget_s: float
    act: Literal["ask"] = "ask"
    pathway: str = PATHWAY
    count: int = 1
    times: int = 1
    every_s: float = 0.0
    rows: int = 1
    urgency: Urgency = Urgency.ROUTINE
    minimum_tier: str = ""
    only_tier: str = ""
    client: str = ""
    has_rules: bool = True
    is_suitable: bool = True
    is_vetted: bool = True
    is_spared: bool = False
    cancel_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Infect:
    """Something is wrong with the workers of a tier from now on. `reason`: what they give as the cause of failures."""

    at_s: float
    tier: str
    vice: Vice
    act: Literal["infect"] = "infect"
    pathway: str = PATHWAY
    reason: Reason = Reason.EXECUTION_FAILED
    is_unkillable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Die:
    """The workers of a tier end."""

    at_s: float
    tier: str
    act: Literal["die"] = "die"
    pathway: str = PATHWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStart:
    """How the next start of the tier's worker ends, and after how long; the worker that runs ends now."""

    at_s: float
    tier: str
    fate: LoadFate
    act: Literal["next-start"] = "next-start"
    pathway: str = PATHWAY
    reason: Reason = Reason.KNOWN_ANSWER_MISMATCH
    load_s: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil:
    """The tables of a pathway's rules change in memory; so many fresh loads of them fail as well."""

    at_s: float
    act: Literal["spoil"] = "spoil"
    pathway: str = PATHWAY
    relapses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operate:
    """An operator takes a tier out, or gives it back."""

    at_s: float
    tier: str
    is_enabling: bool
    act: Literal["operate"] = "operate"
    pathway: str = PATHWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """An operator brings in another version of a tier's bundle."""

    at_s: float
    tier: str
    version: str
    act: Literal["activate"] = "activate"
    pathway: str = PATHWAY
    share: float = 1.0
    observation_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """An operator takes the version on trial back, or the one that serves."""

    at_s: float
    tier: str
    act: Literal["roll-back"] = "roll-back"
    pathway: str = PATHWAY


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClock:
    """The server's clock jumps, forwards or back; everything else goes on as before."""

    at_s: float
    jump_s: float
    act: Literal["step-clock"] = "step-clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Starve:
    """The server's timer thread gets no processor for a while; events of others still come."""

    at_s: float
    for_s: float
    act: Literal["starve"] = "starve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """The whole server process stands still: all that was due meanwhile comes late, at once."""

    at_s: float
    for_s: float
    act: Literal["freeze"] = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The server was asked to end."""

    at_s: float
    act: Literal["drain"] = "drain"


Step = Ask | Infect | Die | NextStart | Spoil | Operate | Activate | RollBack | StepClock | Starve | Freeze | Drain


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One life of a server. Faults end at `trouble_s`; `seed` settles what no step says (how long a run takes)."""

    seed: int
    trouble_s: float
    chain: str = "plain"
    steps: tuple[Annotated[Step, Field(discriminator="act")], ...] = ()


_SCHEDULES = TypeAdapter(Schedule)


def written(schedule: Schedule) -> str:
    """The schedule as JSON, without what every step has by default."""
    plain = _SCHEDULES.dump_python(schedule, mode="json", exclude_defaults=True)
    steps = [{"act": step.act, **said} for step, said in zip(schedule.steps, plain.get("steps", ()), strict=True)]
    return json.dumps({**plain, "steps": steps}, indent=1) + "\n"


def read(text: str | bytes) -> Schedule:
    """The schedule that was written. Raises pydantic.ValidationError."""
    return _SCHEDULES.validate_json(text)
