"""The ledger as the settings want it: the store, who tells it what, and what the edge puts there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stepdown.adapters.ledger.keys import DigestKey, read_digest_key
from stepdown.adapters.ledger.observer import LedgerObserver
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.adapters.ledger.signing_key import read_checkpoint_key
from stepdown.adapters.ledger.store import LedgerStore, StoreOptions
from stepdown.domain.build import Build
from stepdown.domain.errors import ConfigurationError, TrustError
from stepdown.domain.records import Fact, LedgerError, LedgerState
from stepdown.ledger.retention import Retention
from stepdown.ports import Clock, OutcomeWatch
from stepdown.serving.roster import Roster, TierDescription
from stepdown.settings import LedgerSettings
from stepdown.transport.calls import CallRecord
from stepdown.transport.listener import AddServices
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.recording import NO_RECORDING, Recording
from stepdown.transport.servicers.provenance import provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLedger:
    """A ledger that this server writes."""

    store: LedgerStore
    observer: LedgerObserver
    recording: Recording
    archive: LedgerReader
    digest_key: DigestKey

    def begin(self, facts: Mapping[str, Fact]) -> None:
        """Put the start on record, and write from now on."""
        self.observer.started(facts)
        self.store.start()

    def end(self, *, unanswered: int) -> None:
        """Put the end on record, and write everything that waits."""
        self.observer.stopped({"unanswered": unanswered})
        self.store.close()


def keep_ledger(
    settings: LedgerSettings,
    *,
    clock: Clock,
    moved: Callable[[LedgerState, str], None],
    on_error: Callable[[Exception], object],
) -> KeptLedger:
    """Everything but the start. Raises: ConfigurationError for a key that is none."""
    try:
        signing_key = read_checkpoint_key(settings.signing_key, name=settings.name, ledger=settings.path)
        digest_key = read_digest_key(settings.digest_key)
    except (LedgerError, TrustError, OSError) as error:
        raise ConfigurationError((f"ledger: {error}",)) from error
    options = StoreOptions(
        path=settings.path,
        name=settings.name,
        signer=signing_key.signer,
        signs_aside=signing_key.is_remote,
        export=settings.export,
        checkpoint_period_s=settings.checkpoint_period_s,
        spool_records=settings.spool_records,
        retention=Retention(days=settings.retention_days),
    )
    store = LedgerStore(options, clock=clock, moved=moved, on_error=on_error)
    observer = LedgerObserver(store, clock=clock)
    return KeptLedger(
        store=store,
        observer=observer,
        recording=_recording(settings, store, digest_key, clock),
        archive=LedgerReader(settings.path),
        digest_key=digest_key,
    )


def _recording(settings: LedgerSettings, store: LedgerStore, key: DigestKey, clock: Clock) -> Recording:
    return Recording(
        ledger=store,
        digest=key.digest,
        seal=key.seal,
        wall_s=clock.wall_s,
        wait_s=settings.wait_ms / 1e3,
        is_required=settings.when_unavailable == "refuse",
    )


def recording_of(kept: KeptLedger | None) -> Recording:
    """What the edge is given, ledger or none."""
    return NO_RECORDING if kept is None else kept.recording


def outcome_desk(kept: KeptLedger | None, *, clock: Clock, watch: OutcomeWatch | None = None) -> OutcomeDesk | None:
    """Where reports on answers are taken, where a ledger is kept."""
    if kept is None:
        return None
    return OutcomeDesk(
        archive=kept.archive,
        recording=kept.recording,
        ledger=kept.store.status().name,
        clock=clock,
        unseal=kept.digest_key.unseal,
        watch=watch,
    )


def audit_services(kept: KeptLedger | None, record: CallRecord) -> tuple[AddServices, ...]:
    """What auditors are served, where a ledger is kept."""
    if kept is None:
        return ()
    return (provenance(archive=kept.archive, ledger=kept.store.status().name, event=record.event),)


def start_facts(roster: Roster, *, build: Build, environment: str) -> dict[str, Fact]:
    """What a server begins with: its software, and the bundle of every tier or why there is none."""
    tiers = [_tier(name, tier) for name, pathway in roster.pathways.items() for tier in pathway.tiers]
    return {
        "version": build.version,
        "code_sha256": build.code_sha256,
        "python": build.python,
        "sbom_sha256": build.sbom_sha256 or None,
        "environment": environment,
        "tiers": tiers,
    }


def _tier(pathway: str, tier: TierDescription) -> dict[str, Fact]:
    if tier.bundle is None:
        refusal = tier.refusal.value if tier.refusal is not None else None
        return {"pathway": pathway, "tier": tier.name, "refusal": refusal}
    bundle = tier.bundle.identity
    return {
        "pathway": pathway,
        "tier": tier.name,
        "bundle": f"{bundle.name}@{bundle.version}",
        "bundle_sha256": bundle.sha256,
        "signers": bundle.signers,
    }
