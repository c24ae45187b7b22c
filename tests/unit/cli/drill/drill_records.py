"""A drill as it might have been recorded: a tier killed one second in, down at once, back after three."""

from dataclasses import replace
from typing import Any

from stepdown.cli.drill.record import Asked, DrillRecord, Move

FAULT_S = 1000.0


def asked(at_s: float, *, tier: str = "full", latency_ms: float = 5.0, **changes: Any) -> Asked:  # noqa: ANN401
    """One question, due this long after the fault."""
    due_s = FAULT_S + at_s
    settled = Asked(
        request_id=f"r{at_s:g}",
        intended_s=due_s,
        sent_s=due_s,
        done_s=due_s + latency_ms / 1e3,
        tier=tier,
        mislabelled=False,
    )
    return replace(settled, **changes)


def move(at_s: float, state: str, *, tier: str = "full", reason: str = "") -> Move:
    """A move, this long after the fault."""
    return Move(at_s=FAULT_S + at_s, tier=tier, state=state, reason=reason, heard_s=FAULT_S + at_s)


MOVES = (
    move(-100, "SERVING"),
    move(-100, "SERVING", tier="distilled"),
    move(0.01, "SUSPENDED", reason="WORKER_LOST"),
    move(0.5, "STARTING"),
    move(1.5, "PROBATION"),
    move(2.0, "SERVING"),
)
ASKED = (
    asked(-0.5),
    asked(-0.25, latency_ms=7.0),
    asked(0.005, tier="distilled", latency_ms=10.0),
    asked(1.0, tier="distilled", latency_ms=20.0),
    asked(2.5),
)


def record(**changes: Any) -> DrillRecord:  # noqa: ANN401 - any field may be named
    """The drill, but for what is named."""
    plain = DrillRecord(
        tiers=("full", "distilled", "rules"),
        faulted="full",
        ends_with_process=True,
        fault_start_s=FAULT_S,
        fault_end_s=FAULT_S,
        clock_ahead_s=0.0,
        asked=ASKED,
        moves=MOVES,
    )
    return replace(plain, **changes)
