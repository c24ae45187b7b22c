"""Brings answers to the drift watch in blocks, on a thread of its own. Refuses to hold up an answer, and to grow.

A sample that finds the buffer full is dropped and counted: under overload drift sees fewer answers, and says how many.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Condition, Thread

from stepdown.domain.drift import DriftReport, DriftSample
from stepdown.domain.notices import DriftChanged
from stepdown.ports import Clock
from stepdown.serving.drift_watch import DriftWatch

LOOK_AFTER_S = 60.0
_BLOCKS_HELD = 8


class DriftWatcher:
    """Meets `ports.AnswerWatch`. One thread for all pathways."""

    def __init__(
        self,
        watches: Mapping[str, DriftWatch],
        *,
        clock: Clock,
        tell: Callable[[Sequence[DriftChanged]], None],
        on_error: Callable[[Exception], object],
        look_after_s: float = LOOK_AFTER_S,
    ) -> None:
        """A block is looked at when it is full, or when its first answer is `look_after_s` old."""
        self._watches = {name: watch for name, watch in watches.items() if watch.has_reference}
        self._clock = clock
        self._tell = tell
        self._on_error = on_error
        self._look_after_s = look_after_s
        self._waiting: dict[str, list[DriftSample]] = {name: [] for name in self._watches}
        self._since_s = dict.fromkeys(self._watches, 0.0)
        self._condition = Condition()
        self._looking = Condition()  # held while counts change, so that a report is of one moment
        self._closed = False
        self.dropped = 0
        self._thread = Thread(target=self._run, name="drift-watch", daemon=True)
        self._thread.start()

    def saw(self, sample: DriftSample) -> None:
        """Take an answer. Never blocks on the statistics."""
        waiting = self._waiting.get(sample.pathway)
        if waiting is None:
            return
        with self._condition:
            block = self._watches[sample.pathway].policy.block_rows
            if len(waiting) >= _BLOCKS_HELD * block:
                self.dropped += 1
                return
            if not waiting:
                self._since_s[sample.pathway] = self._clock.monotonic_s()
            waiting.append(sample)
            if len(waiting) == 1 or len(waiting) >= block:
                self._condition.notify()

    def reports(self) -> tuple[DriftReport, ...]:
        """Every watched pathway now."""
        with self._looking:
            return tuple(watch.report() for watch in self._watches.values())

    def acknowledge(self, pathway: str) -> None:
        """Somebody has taken note: begin again. Raises KeyError for a pathway that is not watched."""
        with self._looking:
            changes = self._watches[pathway].acknowledge()
        self._tell(changes)

    def close(self) -> None:
        """Count what waits, then end the thread."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._due() and not self._closed:
                    self._condition.wait(self._patience_s())
                blocks = {name: self._take(name) for name in self._due()}
            if not blocks:
                return
            for name, block in blocks.items():
                self._look(name, block)

    def _due(self) -> tuple[str, ...]:
        now_s = self._clock.monotonic_s()
        return tuple(
            name
            for name, waiting in self._waiting.items()
            if len(waiting) >= self._watches[name].policy.block_rows
            or (waiting and (self._closed or now_s - self._since_s[name] >= self._look_after_s))
        )

    def _patience_s(self) -> float | None:
        now_s = self._clock.monotonic_s()
        left = [self._since_s[name] + self._look_after_s - now_s for name, waiting in self._waiting.items() if waiting]
        return max(min(left), 0.0) if left else None

    def _take(self, name: str) -> Sequence[DriftSample]:
        size = self._watches[name].policy.block_rows
        block, rest = self._waiting[name][:size], self._waiting[name][size:]
        self._waiting[name][:] = rest
        self._since_s[name] = self._clock.monotonic_s()
        return block

    def _look(self, name: str, block: Sequence[DriftSample]) -> None:
        try:
            with self._looking:
                changes = self._watches[name].take(block, self._clock.monotonic_s())
            if changes:
                self._tell(changes)
        except Exception as error:  # noqa: BLE001 - statistics that fail must not end the watching
            self._on_error(error)
