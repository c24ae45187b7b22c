"""One run: read the order, prepare, wait for the signal, ask, and write down what came of it."""

import sys
import time
from pathlib import Path

import gevent
from locust.env import Environment

from loadtests.generator.calibration import measure_capacity
from loadtests.generator.feeds import MonitorFeed
from loadtests.generator.questions import Questions
from loadtests.generator.recorder import Recorder
from loadtests.generator.users import Run, Steady, Surge, WardRound
from loadtests.order import Order
from loadtests.record import Pulse, write_outcomes
from loadtests.scenario import Scenario
from loadtests.schedule import lines

CALLERS = {kind.profile: kind for kind in (Steady, WardRound, MonitorFeed, Surge)}
_BEAT_S = 0.02
_LONGEST_ENDING_S = 90.0


def main() -> None:
    """Carry out the order in the file that the command line names."""
    order = Order.model_validate_json(Path(sys.argv[1]).read_text("utf-8"))
    questions = Questions(order.stays, pathway=order.pathway)
    if order.scenario is None:
        measured = measure_capacity(order, questions)
        order.outcomes.write_text(measured.model_dump_json(), "utf-8")
        return
    play(order, order.scenario, questions)


def play(order: Order, scenario: Scenario, questions: Questions) -> None:
    """Ask what the scenario says, from its warm-up to its end."""
    callers = lines(scenario, capacity_per_s=order.capacity_per_s, limit_per_s=order.limit_per_s, seed=order.seed)
    classes = [CALLERS[profile] for profile in sorted({line.profile for line in callers})]
    for kind in classes:
        kind.fixed_count = sum(line.profile == kind.profile for line in callers)
    environment = Environment(user_classes=classes)
    recorder = Recorder(environment.events)
    run = Run(order=order, questions=questions, lines=list(callers))
    environment.parsed_options = run
    runner = environment.create_local_runner()
    print("ready", flush=True)  # noqa: T201 - the player waits for this line
    # One clock that cannot be set back for pacing, tied once to the time that moves of tiers are told in.
    run.zero_s = float(sys.stdin.readline()) - time.time() + time.monotonic()
    beating = gevent.spawn(_beat, run.zero_s, recorder.pulses)
    runner.start(user_count=len(callers), spawn_rate=len(callers))
    run.all_done.wait(scenario.warm_s + scenario.length_s + _LONGEST_ENDING_S)
    beating.kill()
    runner.quit()
    write_outcomes(order.outcomes, recorder.outcomes(order, run.zero_s), recorder.pulses)


def _beat(zero_s: float, pulses: list[Pulse]) -> None:
    """Sleep a little, over and over, and note how much longer it took: so late is everything in this process."""
    while True:
        due_s = time.monotonic() + _BEAT_S
        gevent.sleep(_BEAT_S)
        pulses.append(Pulse(at_s=due_s - zero_s, late_s=max(0.0, time.monotonic() - due_s)))
