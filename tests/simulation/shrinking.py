"""Makes a schedule that breaks a promise as small as it gets, by delta debugging over its steps and their figures.

Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28 (2002).
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from tests.simulation.play import play
from tests.simulation.steps import Schedule, Step

_TRIALS = 2000


def broken_by(schedule: Schedule) -> str:
    """What playing a schedule breaks, in a line; empty when it holds."""
    try:
        play(schedule)
    except Exception as error:  # noqa: BLE001 - whatever the engine raises is a finding
        return f"{type(error).__name__}: {str(error).split(':')[0]}"
    return ""


def shrunk(schedule: Schedule, *, breaks: Callable[[Schedule], str] = broken_by) -> Schedule:
    """The smallest schedule found that breaks the same promise."""
    return _Shrinking(schedule, breaks).smallest()


class _Shrinking:
    """Keeps the smallest schedule that still breaks what the first one broke."""

    def __init__(self, schedule: Schedule, breaks: Callable[[Schedule], str]) -> None:
        self._best = schedule
        self._breaks = breaks
        self._sought = breaks(schedule)
        self._trials = 0

    def smallest(self) -> Schedule:
        """Shrink in every way for as long as any of them gets anywhere."""
        if not self._sought:
            raise ValueError("the schedule breaks nothing")
        before = None
        while before != self._best:
            before = self._best
            self._drop_steps()
            self._simplify_steps()
        return self._best

    def _accepts(self, candidate: Schedule) -> bool:
        if candidate == self._best or self._trials >= _TRIALS:
            return False
        self._trials += 1
        if self._breaks(candidate) != self._sought:
            return False
        self._best = candidate
        return True

    def _drop_steps(self) -> None:
        size = len(self._best.steps)
        while size:
            position = 0
            while position < len(self._best.steps):
                steps = self._best.steps
                kept = replace(self._best, steps=steps[:position] + steps[position + size :])
                if not self._accepts(kept):
                    position += size
            size //= 2

    def _simplify_steps(self) -> None:
        for position in range(len(self._best.steps)):
            for name, value in _plainer(self._best.steps[position]):
                steps = list(self._best.steps)
                steps[position] = replace(steps[position], **{name: value})
                self._accepts(replace(self._best, steps=tuple(steps)))


def _plainer(step: Step) -> Iterator[tuple[str, Any]]:
    """Each figure of a step with something plainer to try in its place: its default, half of it, fewer digits."""
    for each in fields(step):
        value = getattr(step, each.name)
        if each.name in {"act", "tier", "pathway"}:
            continue
        if value != each.default and each.name != "at_s":
            yield from _default_of(each)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield each.name, max(value // 2, 1) if isinstance(value, int) else round(value, 2)
            yield each.name, max(value - 1, 1) if isinstance(value, int) else round(value, 1)


def _default_of(field: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - dataclasses.Field of any type
    if not callable(getattr(field, "default", None)) and type(field.default).__name__ != "_MISSING_TYPE":
        yield field.name, field.default
