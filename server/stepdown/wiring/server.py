"""The server: every part made, introduced to the others, started and stopped in order."""

import sys

from stepdown.adapters.activation_desk import ActivationDesk
from stepdown.adapters.build import this_build
from stepdown.adapters.certificate_check import CertificateCheck
from stepdown.adapters.drift_watcher import DriftWatcher
from stepdown.adapters.drills.board import DrillBoard
from stepdown.adapters.drills.bundles import AlteredBundles
from stepdown.adapters.drills.clock import SteppingClock
from stepdown.adapters.ledger.observer import heard_by
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.observers.alarm_metrics import AlarmCollector
from stepdown.adapters.observers.log import JsonLog
from stepdown.adapters.rules_prover import ThreadedRulesProver
from stepdown.adapters.self_checks import SelfChecks
from stepdown.adapters.system_clock import SystemClock
from stepdown.adapters.tls_material import TlsMaterialError
from stepdown.domain.certificates import TlsStatus
from stepdown.domain.drift import DriftReport
from stepdown.domain.drills import InjectedFault
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.notices import Notice
from stepdown.domain.records import LedgerState
from stepdown.domain.status import PathwayStatus
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.serving.roster import Roster
from stepdown.settings import Settings
from stepdown.transport.authorization import Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.interference import Interference
from stepdown.transport.listener import AddServices, Listener, Served, build_server
from stepdown.transport.oip.service import open_inference
from stepdown.transport.operations_http.application import OperationsSources
from stepdown.transport.operations_http.server import OperationsServer
from stepdown.transport.operations_http.status_json import ServerStatus
from stepdown.transport.stored_claims import StoredClaims
from stepdown.transport.tls import ReloadingCredentials
from stepdown.wiring.checks import CHECK_PERIOD_S, certificate_files, self_checks
from stepdown.wiring.drift import drift_watches
from stepdown.wiring.guard import Guard
from stepdown.wiring.loading import Loading, bundle_source, kept_bundles
from stepdown.wiring.parts import make_driver, make_metrics
from stepdown.wiring.record import KeptLedger, audit_services, keep_ledger, outcome_desk, recording_of, start_facts
from stepdown.wiring.rehearsal import Breakable, drill_board
from stepdown.wiring.translation import listener_options, pool_options, tls_material
from stepdown.wiring.trust import Trust


class Server:
    """Everything that runs, in the order in which it starts and stops."""

    def __init__(self, configuration: Settings) -> None:
        """Put the parts together; nothing listens and no worker runs yet. Raises ConfigurationError."""
        self._settings = configuration
        self._clock = SteppingClock() if configuration.permits_drills else SystemClock()
        self._started_s = self._clock.monotonic_s()
        self._stopping = False
        self._log = JsonLog(stream=sys.stderr, clock=self._clock, debug=configuration.log.debug)
        self._log.adopt_libraries()
        self._incident = self._log.incident
        self._bundles = AlteredBundles(bundle_source(configuration))
        kept = kept_bundles(configuration.state.directory, trouble=self._log.trouble)
        self._trust = Trust(configuration)
        loaded = Loading(
            configuration, self._bundles, trust=self._trust, kept=kept, clock=self._clock, trouble=self._log.trouble
        )
        self._roster = loaded.roster
        watches = drift_watches(loaded.roster, configuration.drift, refused=self._reference_refused)
        self._metrics = make_metrics(
            loaded.roster,
            configuration,
            status=self._status,
            clock=self._clock,
            drift=self._drift_reports,
            tls=self._tls_status,
        )
        self._kept = self._keep_ledger()
        told = (self._kept.observer,) if self._kept is not None else ()
        self._record = CallRecord(
            notice=self._note,
            event=heard_by(self._log.event, self._kept.observer if self._kept is not None else None),
            incident=self._log.incident,
            recording=recording_of(self._kept),
        )
        self._board = NoticeBoard(observers=(self._metrics, self._log, *told), on_error=self._incident)
        self._drift = DriftWatcher(watches, clock=self._clock, tell=self._board.post, on_error=self._incident)
        self._assemble(loaded)

    def _assemble(self, loaded: Loading) -> None:
        clock, board = self._clock, self._board
        self._driver = make_driver(
            loaded.roster, self._settings, clock=clock, board=board, on_error=self._incident, injected=self._injected
        )
        self._guard = Guard(self._settings, clock=clock, event=self._record.event)
        self._pool = self._guard.pool(self._driver.take, pool_options(self._settings, self._record.event))
        self._prover = ThreadedRulesProver(loaded.clinical, compose=loaded.compose, sink=self._driver.take)
        self._desk = ActivationDesk(
            loaded.desk_sources(), driver=self._driver, roster=loaded.pathways, clinical=loaded.clinical
        )
        self._trust_watch = self._trust.watch(
            driver=self._driver,
            desk=self._desk,
            record=self._record,
            wake=lambda: self._checks.wake(),  # noqa: PLW0108 - made later
        )
        self._certificates = CertificateCheck(certificate_files(self._settings.server.tls), clock=self._clock)
        self._checks = self._make_checks(loaded)
        self._interference = Interference(threads=self._settings.server.call_threads)
        self._drills = self._make_drills(self._clock) if isinstance(self._clock, SteppingClock) else None
        self._watch_alarms()
        self._grpc = self._make_grpc(loaded)
        self._operations = OperationsServer(self._settings.server.ops_address, self._operations_sources())

    def start(self) -> None:
        """Start workers, then listen: rules answer from the first call. Raises ConfigurationError."""
        self._trust.hold()
        if self._kept is not None:
            self._kept.begin(start_facts(self._roster, build=this_build(), environment=self._settings.environment))
        self._guard.start(wake=self._checks.wake)
        self._driver.start(self._pool, self._prover)
        self._desk.start()
        self._trust_watch.start()
        self._checks.start()
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

    @property
    def drain_grace_s(self) -> float:
        """How long a stop waits for accepted calls."""
        return self._settings.server.drain_grace_s

    def stop(self) -> int:
        """Drain: NOT_SERVING first, answer what was accepted, then end the workers.

        Returns how many calls were cut off because the grace was over before they were answered.
        """
        self._stopping = True
        self._log.event("draining", grace_s=self.drain_grace_s)
        if self._drills is not None:
            self._drills.close()
        self._driver.drain()
        left = self._grpc.drain(self.drain_grace_s)
        self._log.event("drained", unanswered=left)
        self._trust_watch.close()
        self._desk.close()
        self._prover.close()
        self._driver.close()
        self._guard.close()
        self._checks.close()
        self._pool.close()
        self._drift.close()
        self._board.close()
        if self._kept is not None:
            self._kept.end(unanswered=left)
        self._operations.stop()
        self._trust.state.release()
        self._log.event("stopped")
        self._log.close()
        return left

    def _make_grpc(self, loaded: Loading) -> Listener:
        tls, rate = self._settings.server.tls, self._settings.server.encounter_rate
        served = Served(
            chain=self._driver,
            activations=self._desk,
            roster=loaded.roster,
            clinical=loaded.clinical,
            claims=StoredClaims(self._clock, rate=RatePolicy(per_second=rate.per_s, burst=rate.burst)),
            clock=self._clock,
            record=self._record,
            watch=self._drift,
            drills=self._drills,
            interference=self._interference if self._drills is not None else None,
            alarms=self._checks.standing,
            outcomes=outcome_desk(self._kept, clock=self._clock),
        )
        try:
            self._tls = ReloadingCredentials(lambda: tls_material(tls), record=self._record, clock=self._clock)
        except (OSError, TlsMaterialError) as error:
            raise ConfigurationError((f"server.tls: {error}",)) from error
        return build_server(
            served,
            tls=self._tls,
            authorization=Authorization(trust_domain=tls.trust_domain),
            options=listener_options(self._settings),
            limits=RequestLimits(),
            add_services=(self._open_inference(loaded.roster, self._record), *audit_services(self._kept, self._record)),
        )

    def _keep_ledger(self) -> KeptLedger | None:
        wanted = self._settings.ledger
        if wanted is None:
            return None
        kept = keep_ledger(wanted, clock=self._clock, moved=self._ledger_moved, on_error=self._incident)
        self._metrics.watch_ledger(kept.store.status)
        return kept

    def _ledger_moved(self, state: LedgerState, detail: str) -> None:
        self._log.ledger(state, detail)
        self._checks.wake()

    def _open_inference(self, roster: Roster, record: CallRecord) -> AddServices:
        return open_inference(chain=self._driver, roster=roster, record=record, statistics=self._metrics.statistics)

    def _make_checks(self, loaded: Loading) -> SelfChecks:
        ledger = self._kept.store if self._kept is not None else None
        alarms = self._trust_watch.alarms
        checks = self_checks(
            certificates=self._certificates, loaded=loaded, trust=alarms, status=self._status, ledger=ledger
        )
        checks |= self._guard.checks()
        return SelfChecks(checks, clock=self._clock, period_s=CHECK_PERIOD_S, changed=self._log.alarm)

    def _make_drills(self, clock: SteppingClock) -> DrillBoard:
        breakable = Breakable(
            clock=clock,
            bundles=self._bundles,
            certificates=self._certificates,
            interference=self._interference,
            ledger=self._kept.store if self._kept is not None else None,
        )
        return drill_board(breakable, pool=self._pool, checks=self._checks, status=self._status, record=self._record)

    def _watch_alarms(self) -> None:
        alarms, left_s = self._checks.standing, self._certificates.remaining_s
        self._metrics.watch(AlarmCollector(alarms=alarms, certificates_s=left_s, injected=self._injected))

    def _injected(self) -> tuple[InjectedFault, ...]:
        return self._drills.injected() if self._drills is not None else ()

    def _note(self, notice: Notice) -> None:
        self._board.post((notice,))

    def _operations_sources(self) -> OperationsSources:
        return OperationsSources(
            server=self._server_status,
            pathways=self._status,
            alive=self._driver.is_alive,
            exposition=self._metrics.exposition,
            incident=self._log.incident,
            drift=self._drift_reports,
        )

    def _drift_reports(self) -> tuple[DriftReport, ...]:
        return self._drift.reports()

    def _reference_refused(self, detail: str) -> None:
        self._log.event("drift_reference_refused", detail=detail)

    def _status(self) -> tuple[PathwayStatus, ...]:
        return self._driver.status()

    def _server_status(self) -> ServerStatus:
        uptime_s = self._clock.monotonic_s() - self._started_s
        return ServerStatus(
            build=this_build(),
            environment=self._settings.environment,
            started_time_s=self._clock.wall_s() - uptime_s,
            uptime_s=uptime_s,
            alarms=self._checks.standing(),
            injected=self._injected(),
            ledger=self._kept.store.status() if self._kept is not None else None,
            stopping=self._stopping,
            tls_stale=self._tls_status().is_stale,
            transport=self._grpc.transport,
        )

    def _tls_status(self) -> TlsStatus:
        return self._tls.status()
