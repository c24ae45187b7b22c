"""Work-conserving batching: an idle worker gets what waits at once, a busy one gathers; never waits on a timer."""

from stepdown.domain.engine_effects import BatchKind, DispatchBatch
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import TierState
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.outbox import Outbox
from stepdown.serving.engine.supervision import Supervision
from stepdown.serving.engine.tier import Flight, Tier


class Batching:
    """Fills free slots from the queues of serving tiers and copies a trickle of live input to tiers on probation."""

    def __init__(self, *, supervision: Supervision, outbox: Outbox) -> None:
        """Share the sequence numbers with supervision, so that no probe and batch ever bear the same."""
        self._supervision = supervision
        self._outbox = outbox

    def fill(self, tier: Tier, now_s: float) -> None:
        """Send waiting cases to the tier's free slots."""
        while tier.state is TierState.SERVING and tier.queue.rows:
            slot, worker = tier.free_slot(), tier.worker
            if slot is None or worker is None:
                return
            cases = tier.queue.take_batch(maximum_rows=tier.maximum_rows, now_s=now_s)
            if not cases:
                return
            payloads = tuple(case.request.payload for case in cases if case.request.payload is not None)
            flight = self._flight(slot=slot, kind=BatchKind.LIVE, cases=cases, payloads=payloads, now_s=now_s)
            self._send(tier, worker, flight, payloads)

    def shadow(self, tier: Tier, payload: TensorRows, now_s: float) -> None:
        """Let a tier on probation run a copy of a live request, at most one per shadow period; nobody waits for it."""
        slot, worker = tier.free_slot(), tier.worker
        wanted = tier.state is TierState.PROBATION and now_s >= tier.shadow_due_s and payload.rows <= tier.maximum_rows
        if wanted and slot is not None and worker is not None and not tier.flights:
            tier.shadow_due_s = now_s + tier.policy.shadow_period_s
            flight = self._flight(slot=slot, kind=BatchKind.SHADOW, cases=(), payloads=(payload,), now_s=now_s)
            self._send(tier, worker, flight, (payload,))

    def _flight(
        self, *, slot: int, kind: BatchKind, cases: tuple[Case, ...], payloads: tuple[TensorRows, ...], now_s: float
    ) -> Flight:
        rows = sum(payload.rows for payload in payloads)
        sequence = self._supervision.next_sequence()
        return Flight(sequence=sequence, slot=slot, kind=kind, cases=cases, rows=rows, sent_s=now_s, running_s=now_s)

    def _send(self, tier: Tier, worker: int, flight: Flight, payloads: tuple[TensorRows, ...]) -> None:
        flight.expected_s = tier.run_time.estimate_s(flight.rows)
        tier.flights[flight.sequence] = flight
        kind = BatchKind.LIVE if flight.cases else BatchKind.SHADOW
        self._outbox.put(
            DispatchBatch(worker=worker, slot=flight.slot, sequence=flight.sequence, kind=kind, payloads=payloads)
        )
