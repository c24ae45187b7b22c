"""What workers send back: each reply lands on the batch it belongs to or on nothing.

And is judged before it answers anybody.
"""

from collections.abc import Mapping

from stepdown.domain.engine_effects import BatchKind
from stepdown.domain.engine_events import BatchCompleted, BatchFailed, ProbeCompleted
from stepdown.domain.fault_classes import FaultClass, treatment_of
from stepdown.domain.notices import BatchFinished, TierFault
from stepdown.domain.reasons import Reason
from stepdown.serving.engine.cascade import Cascade
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.suspicion import looks_wrong
from stepdown.serving.engine.tier import Flight, Tier

_UNVETTED = "outputs refused for input that intake had not vetted"


class Replies:
    """Takes completed and failed batches and probes of living workers."""

    def __init__(self, *, cascades: Mapping[str, Cascade], supervision: Supervision, outbox: Outbox) -> None:
        """Share the cascades (by pathway) and supervision."""
        self._cascades = cascades
        self._supervision = supervision
        self._outbox = outbox

    def completed(self, event: BatchCompleted, now_s: float) -> None:
        """A batch was run: answer or step down each of its cases, and count the results at the breaker."""
        landed = self._land(event.worker, event.sequence, now_s)
        if landed is None:
            return
        tier, flight = landed
        if flight.kind is None or (flight.kind is BatchKind.LIVE and len(event.results) != len(flight.cases)):
            self._fail(
                tier, flight, reason=Reason.OUTPUT_INVALID, detail="not the reply asked for", lethal=True, now_s=now_s
            )
            return
        self._learn_speed(tier, flight, compute_s=event.compute_s, now_s=now_s)
        if flight.cases and looks_wrong(tier, flight.cases, event.results):
            self._supervision.doubt(tier, now_s)
        self._deliver(tier, flight, event, now_s)
        bad = sum(result.reason is Reason.OUTPUT_INVALID for result in event.results)
        if not flight.vetted:
            self._suspect_input(tier, bad, now_s)
            return
        if bad:
            self._tell_fault(tier, Reason.OUTPUT_INVALID, "outputs refused")
        self._judge(tier, good=len(event.results) - bad, bad=bad, now_s=now_s)

    def failed(self, event: BatchFailed, now_s: float) -> None:
        """The run of a batch or probe raised. A sticky error, or any error of a probe, ends the worker."""
        landed = self._land(event.worker, event.sequence, now_s)
        if landed is not None:
            tier, flight = landed
            treatment, is_probe = treatment_of(event.reason, sticky=event.sticky), flight.kind is None
            # A golden probe's input is beyond doubt: a worker that cannot take it cannot be trusted.
            blames_probe = is_probe and treatment.fault_class is FaultClass.INPUT
            reason = Reason.EXECUTION_FAILED if blames_probe else event.reason
            lethal = is_probe or treatment.ends_worker
            self._fail(tier, flight, reason=reason, detail=event.detail, lethal=lethal, now_s=now_s)

    def probed(self, event: ProbeCompleted, now_s: float) -> None:
        """A golden probe was run and compared."""
        landed = self._land(event.worker, event.sequence, now_s)
        if landed is None:
            return
        tier, flight = landed
        if flight.kind is not None:
            self._fail(
                tier, flight, reason=Reason.OUTPUT_INVALID, detail="not the reply asked for", lethal=True, now_s=now_s
            )
            return
        owed = self._supervision.probe_done(tier, flight, error=event.error, now_s=now_s)
        if event.error:
            self._give_up(owed, tier=tier, reason=Reason.KNOWN_ANSWER_MISMATCH, detail=event.error, now_s=now_s)

    def _land(self, worker: int, sequence: int, now_s: float) -> tuple[Tier, Flight] | None:
        """The flight a reply belongs to; None for the late reply of a worker given up, which answers nobody."""
        tier = self._supervision.tier_of_worker.get(worker)
        if tier is None or tier.worker != worker:
            return None
        flight = tier.flights.pop(sequence, None)
        if flight is None:
            return None
        if flight.stalled:
            tier.unsteady_until_s = now_s + tier.policy.steady_s
        following = tier.head()
        if following is not None:
            following.running_s = now_s
        self._cascades[tier.pathway].touched.add(tier)
        return tier, flight

    def _deliver(self, tier: Tier, flight: Flight, event: BatchCompleted, now_s: float) -> None:
        cascade = self._cascades[tier.pathway]
        for case, result in zip(flight.cases, event.results, strict=False):
            if result.outputs is not None:
                cascade.succeeded(case, tier=tier, result=result, now_s=now_s)
            else:
                reason = result.reason or Reason.OUTPUT_INVALID
                cascade.failed((case,), tier=tier, reason=reason, detail=result.detail, now_s=now_s)

    def _learn_speed(self, tier: Tier, flight: Flight, *, compute_s: float, now_s: float) -> None:
        took_s = now_s - flight.running_s
        tier.latency.observe(took_s)
        tier.run_time.observe(flight.rows, took_s)
        if flight.kind is BatchKind.LIVE:
            waited_s = sum(flight.sent_s - case.asked_s.get(tier.rank, flight.sent_s) for case in flight.cases)
            self._outbox.tell(
                BatchFinished(
                    pathway=tier.pathway,
                    tier=tier.name,
                    requests=len(flight.cases),
                    rows=flight.rows,
                    compute_s=compute_s,
                    queue_s=waited_s / max(len(flight.cases), 1),
                )
            )

    def _judge(self, tier: Tier, *, good: int, bad: int, now_s: float) -> None:
        """Count results at the breaker; a bad one brings the next golden probe forward."""
        if bad:
            self._supervision.probe_soon(tier, now_s)
        opened = tier.breaker.count(good=good, bad=bad, now_s=now_s)
        if opened:
            owed = self._supervision.open_breaker(tier, now_s)
            self._step_down(owed, tier=tier, reason=Reason.BREAKER_OPEN, detail="too many results failed", now_s=now_s)

    def _suspect_input(self, tier: Tier, bad: int, now_s: float) -> None:
        """What nobody vetted is the likelier cause of a bad output; whether it was the device, the probe will tell."""
        if bad:
            self._tell_fault(tier, Reason.INPUT_UNSUITABLE, _UNVETTED)
            self._supervision.doubt(tier, now_s)

    def _fail(self, tier: Tier, flight: Flight, *, reason: Reason, detail: str, lethal: bool, now_s: float) -> None:
        if lethal:
            owed = flight.cases + self._supervision.kill(tier, reason=reason, detail=detail, now_s=now_s)
            self._give_up(owed, tier=tier, reason=reason, detail=detail, now_s=now_s)
            return
        self._tell_fault(tier, reason, detail)
        self._step_down(flight.cases, tier=tier, reason=reason, detail=detail, now_s=now_s)
        if flight.vetted and treatment_of(reason).fault_class is not FaultClass.INPUT:
            self._judge(tier, good=0, bad=max(len(flight.cases), 1), now_s=now_s)
        else:
            self._supervision.doubt(tier, now_s)

    def _give_up(self, owed: tuple[Case, ...], *, tier: Tier, reason: Reason, detail: str, now_s: float) -> None:
        """The worker cannot be trusted: neither what it owes nor what it has said and nobody has heard yet."""
        self._cascades[tier.pathway].distrust(tier=tier, reason=reason, detail=detail)
        self._step_down(owed, tier=tier, reason=reason, detail=detail, now_s=now_s)

    def _step_down(self, cases: tuple[Case, ...], *, tier: Tier, reason: Reason, detail: str, now_s: float) -> None:
        self._cascades[tier.pathway].failed(cases, tier=tier, reason=reason, detail=detail, now_s=now_s)

    def _tell_fault(self, tier: Tier, reason: Reason, detail: str) -> None:
        tier.blemish = tier.blemish or (reason, detail)
        self._outbox.tell(TierFault(pathway=tier.pathway, tier=tier.name, reason=reason, detail=detail))
