"""Workers started, proved, watched, killed and started again. Decides when a tier serves; never answers a request.

Whatever ends a worker hands back the cases it still owed, so that the cascade can ask the next tier for them.
"""

from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import DispatchProbe, KillWorker, SpawnWorker
from stepdown.domain.fault_classes import Comeback, treatment_of
from stepdown.domain.notices import ProbeFinished, TierFault, WorkerSpawned
from stepdown.domain.reasons import Reason
from stepdown.domain.status import WorkerReport
from stepdown.domain.tiers import SERVER_PROCESS, ExecutionProvider, TierState
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.devices import Devices
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.policy import EnginePolicy
from stepdown.serving.engine.probation import Probation
from stepdown.serving.engine.tier import Flight, Tier

_GOLDEN_RATIO = 0.6180339887498949
_NEVER_S = float("inf")
_PROBE_WEIGHT = 16.0


class Supervision:
    """Holds which worker belongs to which tier and moves tiers through their states."""

    def __init__(self, *, policy: EnginePolicy, probation: Probation, outbox: Outbox) -> None:
        """Start with no worker."""
        self._policy = policy
        self._outbox = outbox
        self._probation = probation
        self._devices = Devices(policy)
        self._last_worker = 0
        self._last_sequence = 0
        self.tier_of_worker: dict[int, Tier] = {}
        self.draining = False

    def next_sequence(self) -> int:
        """A number no batch or probe has borne before."""
        self._last_sequence += 1
        return self._last_sequence

    # --- coming up -----------------------------------------------------------------------------------------------

    def begin(self, tier: Tier, now_s: float) -> None:
        """First start of a configured tier: rules serve at once, refused bundles never, models are spawned."""
        if tier.spec.bundle is None:
            reason = tier.spec.refusal or Reason.SIGNATURE_INVALID
            tier.move(
                TierState.REFUSED, reason=reason, detail=tier.spec.refusal_detail, now_s=now_s, outbox=self._outbox
            )
        elif tier.spec.is_rules:
            tier.identity = tier.identity_on(ExecutionProvider.RULES, SERVER_PROCESS)
            tier.move(TierState.PROBATION, reason=Reason.PROBATION, detail="", now_s=now_s, outbox=self._outbox)
            tier.move(TierState.SERVING, reason=None, detail="", now_s=now_s, outbox=self._outbox)
            tier.probe_due_s = now_s
        else:
            self._start(tier, tier.spec.bundle, now_s)

    def _start(self, tier: Tier, bundle: VerifiedBundle, now_s: float) -> bool:
        """Start a worker on what is free; a device that is held is waited for. Says whether one was started."""
        providers = self._devices.free(tier.spec, now_s)
        if providers:
            if tier.state is not TierState.STARTING:
                tier.move(TierState.STARTING, reason=Reason.STARTING, detail="", now_s=now_s, outbox=self._outbox)
            self._spawn(tier, bundle, providers)
            return True
        tier.start_due_s = now_s + self._policy.unavailable_retry_s
        detail = self._devices.wait_for(tier, now_s)
        if tier.detail != detail:
            reason = Reason.DEVICE_UNHEALTHY
            tier.move(TierState.SUSPENDED, reason=reason, detail=detail, now_s=now_s, outbox=self._outbox)
        return False

    def _spawn(self, tier: Tier, bundle: VerifiedBundle, providers: tuple[ExecutionProvider, ...]) -> None:
        self._last_worker += 1
        tier.worker = self._last_worker
        tier.start_due_s = None
        tier.wanted_back = False
        tier.attempt += 1
        self.tier_of_worker[tier.worker] = tier
        self._outbox.tell(WorkerSpawned(pathway=tier.pathway, tier=tier.name, attempt=tier.attempt))
        self._outbox.put(
            SpawnWorker(
                worker=tier.worker,
                pathway=tier.pathway,
                tier=tier.name,
                bundle=bundle,
                execution_providers=providers,
            )
        )

    def ready(self, worker: int, report: WorkerReport, now_s: float) -> None:
        """A worker loaded its bundle and passed its known answers: probation begins."""
        tier = self.tier_of_worker.get(worker)
        if tier is None or tier.state is not TierState.STARTING:
            return
        tier.adopt(worker, report)
        self._probation.enter(tier, detail="proving the new worker", now_s=now_s)

    # --- probes --------------------------------------------------------------------------------------------------

    def probe_if_due(self, tier: Tier, now_s: float) -> None:
        """Send the golden probe through the same slots as live batches when its time has come and a slot is free."""
        worker, slot = tier.worker, tier.free_slot()
        if worker is None or slot is None or tier.probe_due_s is None or now_s < tier.probe_due_s:
            return
        sequence = self.next_sequence()
        tier.flights[sequence] = Flight(
            sequence=sequence, slot=slot, kind=None, cases=(), rows=1, sent_s=now_s, running_s=now_s
        )
        tier.probe_due_s = None
        self._outbox.put(DispatchProbe(worker=worker, slot=slot, sequence=sequence, case=tier.probe_case))
        tier.probe_case += 1

    def probe_soon(self, tier: Tier, now_s: float, *, gap_s: float = 0.0) -> None:
        """Something looked wrong: prove the worker now, or `gap_s` after its last proof, not at the period's end."""
        if tier.probe_due_s is not None:
            last_s = tier.last_probe_s if tier.last_probe_s is not None else now_s - gap_s
            tier.probe_due_s = min(tier.probe_due_s, max(now_s, last_s + gap_s))

    def doubt(self, tier: Tier, now_s: float) -> None:
        """A mere suspicion: proofs out of turn keep their distance, so that no caller can keep a worker busy."""
        self.probe_soon(tier, now_s, gap_s=self._policy.early_probe_s)

    def probe_done(self, tier: Tier, flight: Flight, *, error: str, now_s: float) -> tuple[Case, ...]:
        """A golden probe came back. A wrong answer ends the worker; returns the cases it owed."""
        tier.last_probe_s = now_s
        tier.probe_error = error
        self._outbox.tell(ProbeFinished(pathway=tier.pathway, tier=tier.name, error=error))
        if error:
            return self.kill(tier, reason=Reason.KNOWN_ANSWER_MISMATCH, detail=error, now_s=now_s)
        tier.latency.observe(now_s - flight.running_s, weight=_PROBE_WEIGHT)
        tier.run_time.observe(1, now_s - flight.running_s, weight=_PROBE_WEIGHT)
        in_probation = tier.state is TierState.PROBATION
        tier.probes_passed += in_probation
        period_s = self._policy.probation_probe_period_s if in_probation else self._policy.probe_period_s
        tier.probe_due_s = now_s + period_s
        self._probation.graduate_if_due(tier, now_s)
        return ()

    # --- going down ----------------------------------------------------------------------------------------------

    def open_breaker(self, tier: Tier, now_s: float) -> tuple[Case, ...]:
        """Too many bad results from a living worker: rest it; returns the cases that waited."""
        if tier.state in {TierState.SERVING, TierState.PROBATION}:
            tier.faults.spend(now_s)
            tier.move(
                TierState.SUSPENDED,
                reason=Reason.BREAKER_OPEN,
                detail="too many results failed",
                now_s=now_s,
                outbox=self._outbox,
            )
        return tier.queue.clear()

    def kill(self, tier: Tier, *, reason: Reason, detail: str, now_s: float) -> tuple[Case, ...]:
        """End the tier's worker at once and plan its successor; returns the cases it owed."""
        if tier.worker is not None:
            self._give_up(tier, tier.worker, now_s)
            self._outbox.put(KillWorker(worker=tier.worker, detail=f"{reason}: {detail}"))
        return self.lost(tier, reason=reason, detail=detail, now_s=now_s)

    def _give_up(self, tier: Tier, worker: int, now_s: float) -> None:
        tier.dying[worker] = now_s
        self._devices.given_up(worker, tier, now_s)

    def refused(self, worker: int, *, reason: Reason, detail: str, now_s: float) -> None:
        """A worker could not load. Its process ends by itself."""
        tier = self.tier_of_worker.get(worker)
        if tier is not None and tier.worker == worker:
            self._give_up(tier, worker, now_s)
            self.lost(tier, reason=reason, detail=detail, now_s=now_s)

    def exited(self, worker: int, *, reason: Reason, detail: str, now_s: float) -> tuple[Tier | None, tuple[Case, ...]]:
        """A process is gone; returns its tier and the cases it still owed if nobody expected this."""
        tier = self.tier_of_worker.pop(worker, None)
        if tier is None:
            return None, ()
        self._devices.ended(worker, now_s)
        tier.dying.pop(worker, None)
        if tier.worker != worker:
            if tier.wanted_back and not tier.dying:
                tier.start_due_s = now_s
            return tier, ()
        return tier, self.lost(tier, reason=reason, detail=detail, now_s=now_s)

    def lost(self, tier: Tier, *, reason: Reason, detail: str, now_s: float) -> tuple[Case, ...]:
        """What answered for the tier cannot any more: plan its return; returns the cases it owed."""
        self._outbox.tell(TierFault(pathway=tier.pathway, tier=tier.name, reason=reason, detail=detail))
        owed = self._forget_worker(tier)
        if tier.state is TierState.DISABLED:
            return owed
        if treatment_of(reason).comeback is Comeback.LOOK_AGAIN:
            tier.start_due_s = now_s + self._policy.unavailable_retry_s
            state = TierState.SUSPENDED
        elif tier.faults.spend(now_s):
            tier.start_due_s = None
            state = TierState.QUARANTINED
        else:
            jitter = self._last_worker * _GOLDEN_RATIO % 1.0
            tier.start_due_s = now_s + self._policy.backoff.delay_s(attempt=tier.attempt, jitter=jitter)
            state = TierState.SUSPENDED
        tier.move(state, reason=reason, detail=detail, now_s=now_s, outbox=self._outbox)
        return owed

    def _forget_worker(self, tier: Tier) -> tuple[Case, ...]:
        owed = tuple(case for flight in tier.flights.values() for case in flight.cases) + tier.queue.clear()
        tier.worker = None
        tier.report = None
        tier.identity = None
        tier.unsteady_until_s = 0.0
        tier.probe_due_s = None
        tier.flights.clear()
        tier.breaker.renew()
        return owed

    # --- operators -----------------------------------------------------------------------------------------------

    def disable(self, tier: Tier, *, detail: str, now_s: float, denied: bool = False) -> tuple[Case, ...]:
        """An operator takes the tier out, or its bundle was `denied`; returns the cases it owed."""
        if tier.state is TierState.DISABLED:
            return ()
        state = TierState.REFUSED if denied else TierState.DISABLED
        why = Reason.BUNDLE_DENIED if denied else Reason.OPERATOR_DISABLED
        if tier.worker is not None:
            self._give_up(tier, tier.worker, now_s)
            self._outbox.put(KillWorker(worker=tier.worker, detail=why))
        owed = self._forget_worker(tier)
        tier.start_due_s, tier.wanted_back = None, False
        tier.move(state, reason=why, detail=detail, now_s=now_s, outbox=self._outbox)
        return owed

    def enable(self, tier: Tier, now_s: float) -> None:
        """An operator gives the tier back, out of DISABLED or QUARANTINED; a killed worker must have ended first."""
        if tier.state not in {TierState.DISABLED, TierState.QUARANTINED}:
            return
        tier.faults.reset()
        tier.attempt = 0
        tier.move(TierState.STARTING, reason=Reason.STARTING, detail="operator", now_s=now_s, outbox=self._outbox)
        if tier.spec.bundle is None or (tier.spec.is_rules and not tier.probe_error):
            self.begin(tier, now_s)
        elif tier.spec.is_rules:
            tier.start_due_s = now_s
        elif tier.dying and now_s >= min(tier.dying.values()) + self._policy.abandon_s:
            tier.wanted_back = True
        else:
            tier.start_due_s = now_s
            self.tick(tier, now_s)

    # --- time ----------------------------------------------------------------------------------------------------

    def tick(self, tier: Tier, now_s: float) -> None:
        """Respawns, trials and graduations whose time has come."""
        if tier.start_due_s is not None and now_s >= tier.start_due_s and not self.draining:
            self._respawn(tier, now_s)
        half_open_s = tier.breaker.half_open_due_s()
        resting = tier.state is TierState.SUSPENDED and tier.worker is not None
        if resting and half_open_s is not None and now_s >= half_open_s:
            tier.breaker.half_open()
            self._probation.enter(tier, detail="trial after rest", now_s=now_s)
        self._probation.tick(tier, now_s)
        self.probe_if_due(tier, now_s)

    def _respawn(self, tier: Tier, now_s: float) -> None:
        oldest_s = min(tier.dying.values(), default=now_s)
        bundle = tier.spec.bundle
        if bundle is not None and not tier.dying:
            tier.restarts += self._start(tier, bundle, now_s)
        elif now_s >= oldest_s + self._policy.abandon_s:
            tier.start_due_s = None
            tier.move(
                TierState.QUARANTINED,
                reason=Reason.DEVICE_UNHEALTHY,
                detail="a killed worker does not end",
                now_s=now_s,
                outbox=self._outbox,
            )

    def next_due_s(self, tier: Tier) -> float:
        """The earliest moment at which `tick` may have something to do."""
        due_s = self._start_due_s(tier)
        if tier.worker is None:
            return due_s
        resting_s = tier.breaker.half_open_due_s()
        if resting_s is not None:
            due_s = min(due_s, resting_s)
        if tier.probe_due_s is not None and tier.free_slot() is not None:
            due_s = min(due_s, tier.probe_due_s)
        return min(due_s, self._probation.due_s(tier))

    def _start_due_s(self, tier: Tier) -> float:
        if tier.start_due_s is None or self.draining:
            return _NEVER_S
        if not tier.dying:
            return tier.start_due_s
        return max(tier.start_due_s, min(tier.dying.values()) + self._policy.abandon_s)
