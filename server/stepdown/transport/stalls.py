"""Cuts off calls whose clients neither send what they announced nor read what they asked for.

gRPC waits for both without end, in a thread or with the answer in memory. Refuses to hurry anyone while nobody else is
kept waiting for it: patience is short only where a call costs another its place.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from stepdown.ports import Clock

SWEEP_S = 0.25
"""How often it is looked who dawdles, and the age from which a wait counts as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one wait may take in seconds: as a rule, and while others wait for what it holds."""

    calm_s: float
    pressed_s: float


class Cancellable(Protocol):
    """A call that can be cut off, from any thread."""

    def cancel(self) -> object:
        """Cut it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """One call that waits for its client."""

    context: Cancellable
    sender: str
    since_s: float
    patience: Patience


class Stalls:
    """Every wait for a client that is under way. Any thread may begin and end one; a thread of its own looks at all."""

    def __init__(self, clock: Clock, *, is_pressed: Callable[[], bool], on_cut: Callable[[int], None]) -> None:
        """`is_pressed`: whether calls wait for a place now. `on_cut` is told how many were cut off in one look."""
        self._clock = clock
        self._is_pressed = is_pressed
        self._on_cut = on_cut
        self._waits: dict[int, _Wait] = {}  # each operation on it is one step of the interpreter: no lock is needed
        self._numbers = count()
        self._dawdling: Mapping[str, int] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._run, name="stalls", daemon=True).start()

    def begin(self, context: Cancellable, patience: Patience, *, sender: str = "") -> int:
        """A wait begins; its number is given to `end`. `sender`: the caller, where it is a message that is awaited."""
        number = next(self._numbers)
        self._waits[number] = _Wait(
            context=context, sender=sender, since_s=self._clock.monotonic_s(), patience=patience
        )
        return number

    def end(self, number: int) -> None:
        """The client did its part, or the call is over."""
        self._waits.pop(number, None)

    def dawdling(self, sender: str) -> int:
        """How many messages of this caller had been awaited for longer than a moment at the last look."""
        return self._dawdling.get(sender, 0)

    def look(self) -> None:
        """Cut off what has lasted too long, and count by caller what lasts."""
        now_s, pressed = self._clock.monotonic_s(), self._is_pressed()
        dawdling: Counter[str] = Counter()
        cut = 0
        for number, wait in self._waits.copy().items():
            age_s = now_s - wait.since_s
            if age_s > (wait.patience.pressed_s if pressed else wait.patience.calm_s):
                cut += self._cut(number)
            elif age_s > SWEEP_S:
                dawdling[wait.sender] += 1
        self._dawdling = dawdling
        if cut:
            self._on_cut(cut)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _cut(self, number: int) -> int:
        wait = self._waits.pop(number, None)
        if wait is None:
            return 0  # it ended while we looked
        wait.context.cancel()
        return 1

    def _run(self) -> None:
        while not self._closed.wait(SWEEP_S):
            self.look()
