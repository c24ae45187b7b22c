"""Reads the configuration once into frozen types. Every problem is listed at once: file, key, why, and what is allowed.

Paths in the file are relative to the file's own folder. Refuses unknown keys: a misspelt safety setting must not be a
setting that silently keeps its default.
"""

import tomllib
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from stepdown.domain.errors import ConfigurationError
from stepdown.domain.tiers import ExecutionProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

_NAME = r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"
Name = Annotated[str, Field(pattern=_NAME)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
_PROVIDERS = {str(provider): provider for provider in ExecutionProvider if provider is not ExecutionProvider.RULES}


def _resolved(path: Path, info: ValidationInfo) -> Path:
    folder = Path((info.context or {}).get("folder", "."))
    return (folder / path.expanduser()).resolve()


def _host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        ip_address(host.strip("[]"))
        in_range = 0 <= int(port) <= 65_535  # noqa: PLR2004 - RFC 9293: ports are 16 bits
    except ValueError:
        in_range = False
    if not in_range:
        raise ValueError("must be IP:PORT, for example 127.0.0.1:8443 (port 0 takes a free one)")
    return address


Location = Annotated[Path, AfterValidator(_resolved)]
Address = Annotated[str, AfterValidator(_host_and_port)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Section):
    """Mutual TLS 1.3: PEM files, read again at every handshake.

    Client certificates must chain to `client_ca`; only SPIFFE ids of `trust_domain` count as identities.
    """

    certificate: Location
    key: Location
    client_ca: Location
    trust_domain: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,255}$")]


class EncounterRateSettings(_Section):
    """How often one hour of an encounter may be assessed with changed values: `burst` at once, `per_s` in the long run.

    The default stops a drip of one changed value per second after four minutes, and lets a monitor report every 5 s.
    """

    per_s: Annotated[float, Field(gt=0, le=10_000)] = 0.2
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 240


class ServerSettings(_Section):
    """Where the server listens and how it stops."""

    grpc_address: Address = "127.0.0.1:8443"
    ops_address: Address = "127.0.0.1:8080"
    tls: TlsSettings
    drain_grace_s: Seconds = 15.0
    call_threads: Annotated[int, Field(ge=8, le=1024)] = 128
    encounter_rate: EncounterRateSettings = EncounterRateSettings()

    @field_validator("ops_address")
    @classmethod
    def _stays_on_this_machine(cls, address: str) -> str:
        if not ip_address(address.rpartition(":")[0].strip("[]")).is_loopback:
            raise ValueError("must be a loopback address: the operations pages are not authenticated")
        return address


class TrustSettings(_Section):
    """The trust policy file, and the directories searched for bundles, in order."""

    policy: Location
    bundle_directories: tuple[Location, ...] = Field(min_length=1)


class TierSettings(_Section):
    """One tier of a pathway.

    `version` empty takes the newest one present; `threads` 0 takes as many as affinity and quota allow.
    """

    name: Name
    bundle: Name
    version: str = ""
    execution_providers: tuple[ExecutionProvider, ...] = ()
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    nice: Annotated[int, Field(ge=0, le=19)] = 0

    @field_validator("execution_providers", mode="before")
    @classmethod
    def _known_providers(cls, names: object) -> object:
        if not isinstance(names, list | tuple) or any(name not in _PROVIDERS for name in names):
            raise ValueError(f"must be a list of {', '.join(_PROVIDERS)}")
        return tuple(_PROVIDERS[name] for name in names)


class PathwaySettings(_Section):
    """One chain, best tier first. `budget_ms` is the deadline of a caller who sends none."""

    name: Name
    budget_ms: Annotated[int, Field(ge=5, le=60_000)] = 500
    valid_for_s: Seconds = 3600.0
    lactate_rules: Name = "lactate"
    supporting_rules: tuple[Name, ...] = ()
    tier: tuple[TierSettings, ...] = Field(min_length=1)

    @field_validator("tier")
    @classmethod
    def _has_distinct_tiers(cls, tiers: tuple[TierSettings, ...]) -> tuple[TierSettings, ...]:
        if len({tier.name for tier in tiers}) < len(tiers):
            raise ValueError("two tiers have the same name")
        return tiers


class EngineSettings(_Section):
    """How patient the supervision is; the defaults suit a budget of some hundred milliseconds."""

    reserve_ms: Annotated[float, Field(ge=1, le=1000)] = 10.0
    watchdog_s: Seconds = 2.0
    stall_s: Seconds = 0.1
    probe_period_s: Seconds = 2.0
    probation_dwell_s: Seconds = 0.5
    load_limit_s: Seconds = 600.0
    unavailable_retry_s: Seconds = 60.0


class LogSettings(_Section):
    """`debug` adds one line per answer (tier, reasons and times, never a value)."""

    debug: bool = False


class Settings(_Section):
    """The whole configuration file."""

    environment: Literal["demo", "staging", "production"]
    server: ServerSettings
    trust: TrustSettings
    pathway: tuple[PathwaySettings, ...] = Field(min_length=1)
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()

    @field_validator("pathway")
    @classmethod
    def _has_distinct_pathways(cls, pathways: tuple[PathwaySettings, ...]) -> tuple[PathwaySettings, ...]:
        if len({pathway.name for pathway in pathways}) < len(pathways):
            raise ValueError("two pathways have the same name")
        return pathways


def load(path: Path) -> Settings:
    """Read and check a configuration file. Raises ConfigurationError with every problem found."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError((f"{path}: cannot be read ({type(error).__name__})",)) from error
    return parse(text, folder=path.parent, file=str(path))


def parse(text: str, *, folder: Path, file: str) -> Settings:
    """Check the text of a configuration; `file` names it in problems, `folder` is where relative paths start."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError((f"{file}: not valid TOML: {error}",)) from error
    try:
        return Settings.model_validate(document, context={"folder": folder})
    except ValidationError as error:
        raise ConfigurationError(tuple(_problems(file, error.errors()))) from error


def _problems(file: str, faults: "Sequence[ErrorDetails]") -> Iterator[str]:
    for fault in faults:
        # A list with a faulty entry is also reported as too short, which tells nobody anything.
        echo = fault["type"] == "too_short" and any(
            other is not fault and other["loc"][: len(fault["loc"])] == fault["loc"] for other in faults
        )
        if not echo:
            yield _problem(file, fault)


def _problem(file: str, fault: "ErrorDetails") -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "(whole file)"
    explain: Callable[[str], str] = {
        "extra_forbidden": lambda _: "unknown key: remove it or mend its spelling",
        "missing": lambda _: "required, but not given",
    }.get(fault["type"], lambda message: message.removeprefix("Value error, "))
    return f"{file}: {key}: {explain(fault['msg'])}"
