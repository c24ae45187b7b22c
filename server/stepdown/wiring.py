"""The composition root: the one file that names concrete classes and puts them together. Decides nothing itself."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import stepdown
from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.keys import read_trust_policy
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.observers.exposition import Metrics
from stepdown.adapters.observers.log import JsonLog
from stepdown.adapters.system_clock import SystemClock
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.drills import InjectedFault
from stepdown.domain.errors import ConfigurationError, RuleSetError, TrustError
from stepdown.domain.notices import Notice
from stepdown.domain.reasons import Reason
from stepdown.domain.status import PathwayStatus
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.rules.composite import Composite
from stepdown.serving.activation import Activation, TierOrder, composite_of, rule_set_of
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.engine.engine import Engine
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec, TierSpec
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.settings import EngineSettings, PathwaySettings, Settings, TierSettings, TlsSettings
from stepdown.transport.authorization import Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.listener import AddServices, Listener, Served, build_server
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.oip.service import open_inference
from stepdown.transport.operations_http.application import OperationsSources
from stepdown.transport.operations_http.server import OperationsServer
from stepdown.transport.operations_http.status_json import ServerStatus
from stepdown.transport.stored_claims import StoredClaims
from stepdown.transport.tls import ReloadingCredentials, TlsMaterial
from stepdown.worker.order import WorkerResources


class Server:
    """Everything that runs, in the order in which it starts and stops."""

    def __init__(self, configuration: Settings) -> None:
        """Put the parts together; nothing listens and no worker runs yet. Raises ConfigurationError."""
        self._settings = configuration
        self._clock = SystemClock()
        self._started_s = self._clock.monotonic_s()
        self._log = JsonLog(stream=sys.stderr, clock=self._clock, debug=configuration.log.debug)
        self._log.adopt_libraries()
        loaded = _Loading(configuration, wall_s=self._clock.wall_s())
        for refusal in loaded.refusals:
            self._log.event("supporting_rules_refused", detail=refusal)
        self._metrics = self._make_metrics(loaded.roster)
        self._board = NoticeBoard(observers=(self._metrics, self._log), on_error=self._incident)
        self._driver = self._make_driver(loaded.roster)
        self._pool = ProcessWorkerPool(self._driver.take, _pool_options(configuration, self._log))
        self._grpc = self._make_grpc(loaded)
        self._operations = OperationsServer(configuration.server.ops_address, self._operations_sources())

    def start(self) -> None:
        """Start workers, then listen: rules answer from the first call. Raises ConfigurationError."""
        self._driver.start(self._pool)
        self._operations.start()
        self._grpc.start()
        self._log.event("ready", **self.addresses())

    def addresses(self) -> dict[str, str]:
        """Where the server listens, with the ports it was given."""
        host = self._settings.server.grpc_address.rpartition(":")[0]
        operations_host = self._settings.server.ops_address.rpartition(":")[0]
        return {
            "grpc": f"{host}:{self._grpc.port}",
            "ops": f"http://{operations_host}:{self._operations.port}",
        }

    def stop(self) -> None:
        """Drain: NOT_SERVING first, answer what was accepted, then end the workers."""
        self._log.event("draining", grace_s=self._settings.server.drain_grace_s)
        self._driver.drain()
        left = self._grpc.drain(self._settings.server.drain_grace_s)
        self._log.event("drained", unanswered=left)
        self._driver.close()
        self._pool.close()
        self._board.close()
        self._operations.stop()
        self._log.event("stopped")
        self._log.close()

    # --- parts -----------------------------------------------------------------------------------------------------

    def _make_metrics(self, roster: Roster) -> Metrics:
        return Metrics(
            tiers={name: tuple(tier.name for tier in pathway.tiers) for name, pathway in roster.pathways.items()},
            status=self._status,
            clock=self._clock,
            version=stepdown.__version__,
            environment=self._settings.environment,
        )

    def _make_driver(self, roster: Roster) -> EngineDriver:
        engine = Engine(
            pathways=tuple(_pathway_spec(pathway) for pathway in roster.pathways.values()),
            policy=_engine_policy(self._settings.engine),
            now_s=self._clock.monotonic_s(),
        )
        return EngineDriver(
            engine=engine, clock=self._clock, board=self._board, on_error=self._incident, injected=self._injected
        )

    def _make_grpc(self, loaded: "_Loading") -> Listener:
        tls, rate = self._settings.server.tls, self._settings.server.encounter_rate
        record = CallRecord(notice=self._note, event=self._log.event, incident=self._log.incident)
        served = Served(
            chain=self._driver,
            roster=loaded.roster,
            clinical=loaded.clinical,
            claims=StoredClaims(self._clock, rate=RatePolicy(per_second=rate.per_s, burst=rate.burst)),
            clock=self._clock,
            record=record,
            drills=self._pool if self._settings.permits_drills else None,
        )
        try:
            credentials = ReloadingCredentials(lambda: _tls_material(tls), record=record)
        except OSError as error:
            raise ConfigurationError((f"server.tls: {error}",)) from error
        return build_server(
            served,
            tls=credentials,
            authorization=Authorization(trust_domain=tls.trust_domain),
            options=ListenerOptions(
                address=self._settings.server.grpc_address, call_threads=self._settings.server.call_threads
            ),
            limits=RequestLimits(),
            add_services=(self._open_inference(loaded.roster, record),),
        )

    def _open_inference(self, roster: Roster, record: CallRecord) -> AddServices:
        return open_inference(chain=self._driver, roster=roster, record=record, statistics=self._metrics.statistics)

    def _injected(self) -> tuple[InjectedFault, ...]:
        return self._pool.injected()

    def _note(self, notice: Notice) -> None:
        self._board.post((notice,))

    def _operations_sources(self) -> OperationsSources:
        return OperationsSources(
            server=self._server_status,
            pathways=self._status,
            alive=self._driver.is_alive,
            exposition=self._metrics.exposition,
            incident=self._log.incident,
        )

    def _status(self) -> tuple[PathwayStatus, ...]:
        return self._driver.status()

    def _server_status(self) -> ServerStatus:
        uptime_s = self._clock.monotonic_s() - self._started_s
        return ServerStatus(
            version=stepdown.__version__,
            environment=self._settings.environment,
            started_time_s=self._clock.wall_s() - uptime_s,
            uptime_s=uptime_s,
        )

    def _incident(self, error: Exception) -> None:
        self._log.incident(error)


class _Loading:
    """Bundles found, verified and turned into the roster and the clinical pathways."""

    def __init__(self, configuration: Settings, *, wall_s: float) -> None:
        try:
            policy = read_trust_policy(configuration.trust.policy)
        except (TrustError, OSError) as error:
            raise ConfigurationError((f"trust.policy: {error}",)) from error
        source = BundleDirectory(roots=configuration.trust.bundle_directories)
        self._activation = Activation(source=source, policy=policy, now_s=wall_s)
        self.refusals: list[str] = []
        self.clinical: dict[str, ClinicalPathway] = {}
        self._intake = configuration.intake.policy()
        pathways = {wanted.name: self._pathway(wanted) for wanted in configuration.pathway}
        self.roster = Roster(pathways=MappingProxyType(pathways))

    def _pathway(self, wanted: PathwaySettings) -> Pathway:
        tiers = tuple(self._activation.tier(_tier_order(tier)) for tier in wanted.tier)
        rules = next((tier for tier in tiers if tier.is_rules), None)
        if rules is None:
            return Pathway(name=wanted.name, budget_ms=wanted.budget_ms, tiers=tiers, clinical=False)
        supporting = tuple(self._supporting(wanted))
        rules, composite = self._composite(rules, wanted, supporting)
        pathway = Pathway(
            name=wanted.name,
            budget_ms=wanted.budget_ms,
            tiers=tuple(rules if tier.is_rules else tier for tier in tiers),
            clinical=True,
            supporting=supporting,
        )
        self.clinical[wanted.name] = ClinicalPathway(
            pathway=pathway, composite=composite, policy=self._intake, valid_for_s=wanted.valid_for_s
        )
        return pathway

    def _supporting(self, wanted: PathwaySettings) -> Iterator[VerifiedBundle]:
        for name in wanted.supporting_rules:
            try:
                bundle = self._activation.verified(name)
                rule_set_of(bundle)
            except (TrustError, RuleSetError) as refusal:
                self.refusals.append(f"{name}: {refusal}")
            else:
                yield bundle

    def _composite(
        self, rules: TierDescription, wanted: PathwaySettings, supporting: tuple[VerifiedBundle, ...]
    ) -> tuple[TierDescription, Composite | None]:
        """The rules in working order, or the tier refused: answering rules without their overlay would mislead."""
        if rules.bundle is None:
            return rules, None
        try:
            lactate = self._activation.verified(wanted.lactate_rules)
            return rules, composite_of(rules.bundle, lactate, supporting)
        except (TrustError, RuleSetError) as refusal:
            detail = f"{wanted.lactate_rules}: {refusal}"
            return replace(rules, bundle=None, refusal=Reason.SIGNATURE_INVALID, refusal_detail=detail), None


def _tls_material(tls: TlsSettings) -> TlsMaterial:
    return TlsMaterial(
        certificate_chain=tls.certificate.read_bytes(),
        private_key=tls.key.read_bytes(),
        client_authorities=tls.client_ca.read_bytes(),
    )


def _tier_order(tier: TierSettings) -> TierOrder:
    return TierOrder(
        name=tier.name, bundle=tier.bundle, version=tier.version, execution_providers=tier.execution_providers
    )


def _pathway_spec(pathway: Pathway) -> PathwaySpec:
    return PathwaySpec(
        name=pathway.name,
        tiers=tuple(
            TierSpec(
                name=tier.name,
                bundle=tier.bundle,
                execution_providers=tier.execution_providers,
                is_rules=tier.is_rules,
                refusal=tier.refusal,
                refusal_detail=tier.refusal_detail,
            )
            for tier in pathway.tiers
        ),
    )


def _engine_policy(engine: EngineSettings) -> EnginePolicy:
    return EnginePolicy(
        reserve_s=engine.reserve_ms / 1e3,
        watchdog_s=engine.watchdog_s,
        stall_s=engine.stall_s,
        probe_period_s=engine.probe_period_s,
        probation_dwell_s=engine.probation_dwell_s,
        unavailable_retry_s=engine.unavailable_retry_s,
    )


def _resources(tier: TierSettings) -> WorkerResources:
    return WorkerResources(threads=tier.threads, cores=tier.cores, niceness=tier.nice, device_id=tier.device_id)


def _pool_options(configuration: Settings, log: JsonLog) -> WorkerPoolOptions:
    resources = {
        (pathway.name, tier.name): _resources(tier) for pathway in configuration.pathway for tier in pathway.tier
    }
    return WorkerPoolOptions(
        tier_resources=MappingProxyType(resources),
        load_timeout_s=configuration.engine.load_limit_s,
        log=lambda line: log.event("worker_output", line=line),
        drills_permitted=configuration.permits_drills,
        drill_ended=partial(_log_drill_end, log),
    )


def _log_drill_end(log: JsonLog, injected: InjectedFault, how: str) -> None:
    injection = injected.injection
    log.event("fault_ended", pathway=injection.pathway, tier=injection.tier, fault=injection.fault.value, how=how)
