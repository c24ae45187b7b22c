"""When a failure was noticed, when the next tier stood in, and when the first one was back. Pure."""

from collections.abc import Iterator

from loadtests.record import Outcome, PlayedStep, ScenarioRecord
from stepdown.cli.drill.record import Move

WINDOW_S = 1.0
_SERVING = "SERVING"
_WHOLE = 0.95
_WINDOWS = 2
_IN_TIME_S = 0.001  # the clock of a move is another one than that of a step


def detected_ms(record: ScenarioRecord) -> float | None:
    """From a fault of tiers until each of them is out of service: the worst of all. None: one never was."""
    found = [_out_of_service(record, step, tier) for step in _faults(record) for tier in step.tiers]
    times = [move.at_s - step_s for step_s, move in found if move is not None]
    return max(0.0, *times) * 1e3 if times and len(times) == len(found) else None


def fell_back_ms(record: ScenarioRecord) -> float | None:
    """From a fault of tiers until the first answer by a tier that does not suffer it: the worst of all.

    None: there was none. An answer for a patient whom the better tiers do not suit is no fallback.
    """
    times = []
    for step, until_s in _spans(record):
        sound = set(record.tiers) - set(step.tiers)
        done = [
            each.done_s
            for each in record.outcomes
            if step.at_s <= each.done_s < until_s and each.tier in sound and not each.unsuited
        ]
        if not done:
            return None
        times.append(min(done) - step.at_s)
    return max(times) * 1e3 if times else None


def recovered_s(record: ScenarioRecord) -> float | None:
    """From the end of the last cause until the first tier gives 95 % of the answers again, in two windows of 1 s.

    None: it never did, or there was no cause. Answers count where they were asked for.
    """
    end_s = cause_end_s(record)
    if end_s is None:
        return None
    whole = 0
    for begin_s, outcomes in _windows(record, end_s):
        suited = [each for each in outcomes if not each.unsuited]
        first = sum(each.tier == record.tiers[0] for each in suited)
        whole = whole + 1 if suited and first >= _WHOLE * len(suited) else 0
        if whole == _WINDOWS:
            return begin_s - (_WINDOWS - 1) * WINDOW_S - end_s
    return None


def cause_end_s(record: ScenarioRecord) -> float | None:
    """When the last cause of trouble had ended. A fault of one process ends with it, when its tier is taken out."""
    ends = [end_s for step in record.steps if (end_s := _end_s(record, step)) is not None]
    if record.surge is not None:
        ends.append(record.surge[1])
    return max(ends, default=None)


def _end_s(record: ScenarioRecord, step: PlayedStep) -> float | None:
    if step.until_s is not None:
        return step.until_s
    out = [move for _, move in (_out_of_service(record, step, tier) for tier in step.tiers) if move is not None]
    return max([step.at_s, *(move.at_s for move in out)])


def _faults(record: ScenarioRecord) -> list[PlayedStep]:
    return [step for step in record.steps if step.tiers]


def _spans(record: ScenarioRecord) -> Iterator[tuple[PlayedStep, float]]:
    """Each fault, and when the next one begins: from then on an answer says nothing about the first."""
    faults = _faults(record)
    ends = [*(step.at_s for step in faults[1:]), record.length_s]
    for step, until_s in zip(faults, ends, strict=False):
        # Faults of several tiers at once are one failure.
        yield step, until_s if until_s - step.at_s > WINDOW_S else record.length_s


def _out_of_service(record: ScenarioRecord, step: PlayedStep, tier: str) -> tuple[float, Move | None]:
    moves = (
        move
        for move in record.moves
        if move.tier == tier and move.at_s >= step.at_s - _IN_TIME_S and move.state != _SERVING
    )
    return step.at_s, min(moves, key=lambda move: move.at_s, default=None)


def _windows(record: ScenarioRecord, begin_s: float) -> Iterator[tuple[float, list[Outcome]]]:
    count = int((record.length_s - begin_s) / WINDOW_S)
    for number in range(count):
        first_s = begin_s + number * WINDOW_S
        yield first_s, [each for each in record.outcomes if first_s <= each.intended_s < first_s + WINDOW_S]
