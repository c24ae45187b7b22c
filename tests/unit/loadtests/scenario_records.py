"""A scenario as a load test could have seen it: ten questions a second for 20 s, the first tier lost at 5 s."""

from loadtests.record import MachineUse, Outcome, PlayedStep, Pulse, ScenarioRecord
from stepdown.cli.drill.record import Move

TIERS = ("full", "distilled", "rules")
FAULT_S, FAULT_END_S, BACK_S, LENGTH_S = 5.0, 9.0, 12.0, 20.0


def outcome(  # noqa: PLR0913 - what a test changes
    intended_s: float,
    tier: str = "full",
    *,
    latency_ms: float = 10.0,
    profile: str = "steady",
    urgency: str = "routine",
    label_faults: tuple[str, ...] = (),
    late_ms: float = 1.0,
    unsuited: bool = False,
) -> Outcome:
    return Outcome(
        profile=profile,
        urgency=urgency,
        intended_s=intended_s,
        sent_s=intended_s + late_ms / 1e3,
        done_s=intended_s + latency_ms / 1e3,
        tier=tier,
        failure="" if tier else "DEADLINE_EXCEEDED",
        label_faults=label_faults,
        request_id=f"r{intended_s:g}",
        unsuited=unsuited,
    )


def move(at_s: float, tier: str, state: str) -> Move:
    return Move(at_s=at_s, tier=tier, state=state, reason="")


OUTCOMES = tuple(
    outcome(number / 10, "distilled" if FAULT_S <= number / 10 < BACK_S else "full") for number in range(-20, 200)
)
MOVES = (
    move(-60.0, "full", "SERVING"),
    move(-60.0, "distilled", "SERVING"),
    move(-60.0, "rules", "SERVING"),
    move(FAULT_S + 0.015, "full", "SUSPENDED"),
    move(BACK_S - 0.1, "full", "SERVING"),
)
LOST_DEVICE = PlayedStep(at_s=FAULT_S, name="PROVIDER_LOST in full", tiers=("full",), until_s=FAULT_END_S)


def record(
    *,
    outcomes: tuple[Outcome, ...] = OUTCOMES,
    pulses: tuple[Pulse, ...] = (Pulse(at_s=1.0, late_s=0.001),),
    moves: tuple[Move, ...] = MOVES,
    steps: tuple[PlayedStep, ...] = (LOST_DEVICE,),
    surge: tuple[float, float] | None = None,
    machine: MachineUse | None = None,
) -> ScenarioRecord:
    return ScenarioRecord(
        name="accelerator-lost",
        length_s=LENGTH_S,
        tiers=TIERS,
        outcomes=outcomes,
        pulses=pulses,
        moves=moves,
        steps=steps,
        surge=surge,
        machine=machine,
    )
