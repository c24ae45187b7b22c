"""The configuration file, section by section, with every default. `docs/operations.md` is its reference for people."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from stepdown.clinical.policy import IntakePolicy
from stepdown.settings.values import (
    Address,
    File,
    Folder,
    KeyPlace,
    LedgerName,
    LoopbackAddress,
    Name,
    Place,
    Providers,
    Seconds,
    TrustDomain,
    Version,
    WritableFolder,
    kept_long_enough,
)
from stepdown.worker.order import WorkerResources

_INTAKE = IntakePolicy()


Share = Annotated[float, Field(gt=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Section):
    """Mutual TLS 1.3: PEM files, read again at every handshake.

    Client certificates must chain to `client_ca`; only SPIFFE ids of `trust_domain` count as identities.
    """

    certificate: File
    key: File
    client_ca: File
    trust_domain: TrustDomain


class EncounterRateSettings(_Section):
    """How often one hour of an encounter may be assessed with changed values: `burst` at once, `per_s` in the long run.

    The default stops a drip of one changed value per second after four minutes, and lets a monitor report every 5 s.
    """

    per_s: Annotated[float, Field(gt=0, le=10_000)] = 0.2
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 240


class ServerSettings(_Section):
    """Where the server listens and how it stops."""

    grpc_address: Address = "127.0.0.1:8443"
    ops_address: LoopbackAddress = "127.0.0.1:8080"
    tls: TlsSettings
    drain_grace_s: Seconds = 15.0
    call_threads: Annotated[int, Field(ge=8, le=1024)] = 128
    encounter_rate: EncounterRateSettings = EncounterRateSettings()
    maximum_wait_s: Seconds = 5.0
    transport: Literal["completion_queue", "public"] = "completion_queue"


class StateSettings(_Section):
    """What must outlive the server: which version of each bundle operators have activated.

    Without a directory a restart comes up with what the configuration names. One directory serves one server.
    """

    directory: WritableFolder | None = None


class TpmSettings(_Section):
    """How this machine's TPM is reached, and where its attestation key stays; used where evidence asks for it."""

    tcti: Annotated[str, Field(pattern=r"^[a-z]+(:[\x21-\x7e]{1,200})?$")] = "device:/dev/tpmrm0"
    attestation_key: Annotated[str, Field(pattern="^0x81[0-9a-f]{6}$")] = "0x81010001"


class TrustSettings(_Section):
    """The trust policy file, the directories searched for bundles, in order, and the keys that open encrypted ones.

    With `policy_key`, a public key, the policy must be signed by it. Without, it must be root's and writable by nobody
    else; in a demonstration it may be the user's own who runs the server. `evidence`: the evidence policy file; without
    one, no bundle asks anything of the machine.
    """

    policy: File
    policy_key: File | None = None
    bundle_directories: tuple[Folder, ...] = Field(min_length=1)
    decryption_keys: tuple[KeyPlace, ...] = ()
    evidence: File | None = None
    tpm: TpmSettings = TpmSettings()


class TierSettings(_Section):
    """One tier of a pathway; clinical rules, which may only be the last one, have no execution providers.

    `version` empty takes the newest one present. `threads` and `memory_mib` 0 and `cores` empty take a share of what
    there is; `nice` is added to the server's; `device_id` counts accelerators from 0 in the driver's order.
    """

    name: Name
    bundle: Name
    version: Version = ""
    execution_providers: Providers = ()
    threads: Annotated[int, Field(ge=0, le=256)] = 0
    cores: tuple[Annotated[int, Field(ge=0, le=4095)], ...] = ()
    nice: Annotated[int, Field(ge=0, le=19)] = 0
    device_id: Annotated[int, Field(ge=0, le=63)] = 0
    memory_mib: Annotated[int, Field(ge=0, le=1 << 24)] = 0

    def resources(self) -> WorkerResources:
        """The same for the worker pool, which shares out what was left open."""
        return WorkerResources(
            threads=self.threads,
            cores=self.cores,
            niceness=self.nice,
            device_id=self.device_id,
            memory_bytes=self.memory_mib << 20,
        )


class PathwaySettings(_Section):
    """One chain, best tier first. `budget_ms` is the deadline of a caller who sends none."""

    name: Name
    budget_ms: Annotated[int, Field(ge=5, le=60_000)] = 500
    valid_for_s: Seconds = 3600.0
    lactate_rules: Name = "lactate"
    supporting_rules: tuple[Name, ...] = ()
    tier: tuple[TierSettings, ...] = Field(min_length=1)


class IntakeSettings(_Section):
    """How long a value stands for the patient in the clinical rules, and when a site wants no score at all.

    A deviation from the defaults is a decision of the site's clinical safety officer.
    """

    icu_vitals_fresh_s: Seconds = _INTAKE.icu_vitals_fresh_s
    ward_vitals_fresh_s: Seconds = _INTAKE.ward_vitals_fresh_s
    emergency_vitals_fresh_s: Seconds = _INTAKE.emergency_vitals_fresh_s
    lactate_fresh_s: Seconds = _INTAKE.lactate_fresh_s
    laboratory_fresh_s: Seconds = _INTAKE.laboratory_fresh_s
    oxygen_conflict_window_s: Seconds = _INTAKE.oxygen_conflict_window_s
    spinal_cord_injury_abstains: bool = _INTAKE.spinal_cord_injury_abstains
    treatment_limits_abstain: bool = _INTAKE.treatment_limits_abstain

    def policy(self) -> IntakePolicy:
        """The same for intake, with what a site may not change."""
        return IntakePolicy(**self.model_dump())


class EngineSettings(_Section):
    """How patient the supervision is; the defaults suit a budget of some hundred milliseconds."""

    reserve_ms: Annotated[float, Field(ge=1, le=1000)] = 10.0
    watchdog_s: Seconds = 2.0
    stall_s: Seconds = 0.15
    probe_period_s: Seconds = 2.0
    probation_dwell_s: Seconds = 0.5
    load_limit_s: Seconds = 600.0
    unavailable_retry_s: Seconds = 60.0
    maximum_queue_s: Seconds = 5.0
    routine_share: Share = 0.5
    urgent_share: Share = 0.8
    hedge_share: Annotated[float, Field(ge=0, le=1)] = 0.25


class DriftSettings(_Section):
    """What is expected of the traffic: the budget of one false alarm in 30 days holds for so many assessments a day."""

    assessments_per_day: Annotated[int, Field(ge=1, le=10_000_000)] = 3_000


class LedgerSettings(_Section):
    """The record of everything that was done. `name` is the checkpoints' origin, unlike that of any other server.

    An answer waits for its record for `wait_ms` at most. `retention_days` 0 keeps bodies for ever.
    """

    name: LedgerName
    path: Place
    signing_key: KeyPlace
    digest_key: File
    export: Place | None = None
    wait_ms: Annotated[float, Field(ge=0, le=10_000)] = 100.0
    checkpoint_period_s: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    spool_records: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    retention_days: Annotated[int, Field(ge=0, le=36_525), AfterValidator(kept_long_enough)] = 0
    when_unavailable: Literal["answer", "refuse"] = "answer"


class LogSettings(_Section):
    """`debug` adds one line per answer (tier, reasons and times, never a value)."""

    debug: bool = False


class Settings(_Section):
    """The whole configuration file."""

    environment: Literal["demo", "staging", "production"]
    server: ServerSettings
    trust: TrustSettings
    pathway: tuple[PathwaySettings, ...] = Field(min_length=1)
    intake: IntakeSettings = IntakeSettings()
    engine: EngineSettings = EngineSettings()
    drift: DriftSettings = DriftSettings()
    state: StateSettings = StateSettings()
    ledger: LedgerSettings | None = None
    log: LogSettings = LogSettings()

    @property
    def permits_drills(self) -> bool:
        """Whether faults may be injected. Never in production; nothing else in the file can permit it there."""
        return self.environment in {"demo", "staging"}
