"""Runs schedules by the million, on every core, and keeps what it finds as regression cases."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

from tests.simulation.schedule import draw_schedule
from tests.simulation.shrinking import broken_by, shrunk
from tests.simulation.steps import written

REGRESSIONS = Path(__file__).resolve().parent / "regressions"
_CHUNK = 200
_CHUNKS_PER_PROCESS = 100
_SHRUNK_AT_MOST = 5
_BREATH_S = 1.0

Finding = tuple[int, str]


def broken_in(seeds: range) -> list[Finding]:
    """The seeds of a chunk whose schedules break a promise, and which."""
    found = ((seed, broken_by(draw_schedule(seed))) for seed in seeds)
    return [(seed, broken) for seed, broken in found if broken]


@dataclass(slots=True, kw_only=True)
class Campaign:
    """Schedules of the seeds from `first` on. `say` takes a line for people; findings are written below `folder`."""

    first: int
    count: int
    processes: int
    say: Callable[[str], None]
    folder: Path = REGRESSIONS
    findings: list[Finding] = field(default_factory=list)
    done: int = 0

    def run(self) -> bool:
        """Run them all; says whether every promise held. What is done when it is interrupted can be gone on from."""
        began_s = said_s = monotonic()
        try:
            for finished, found in self._results():
                self.done += finished
                self._note(found)
                if monotonic() - said_s > _BREATH_S or found or self.done == self.count:
                    said_s = monotonic()
                    self.say(self._progress(said_s - began_s))
        except KeyboardInterrupt:
            self.say(f"interrupted; go on with FIRST={self.first + self.done} SCHEDULES={self.count - self.done}")
        return not self.findings

    def _results(self) -> Iterator[tuple[int, list[Finding]]]:
        end = self.first + self.count
        chunks = [range(begin, min(begin + _CHUNK, end)) for begin in range(self.first, end, _CHUNK)]
        # Processes are renewed now and then, and results come in order: memory is bounded and the part done is a range.
        with get_context("spawn").Pool(self.processes, maxtasksperchild=_CHUNKS_PER_PROCESS) as pool:
            for chunk, found in zip(chunks, pool.imap(broken_in, chunks), strict=True):
                yield len(chunk), found

    def _note(self, found: list[Finding]) -> None:
        known = {broken for _, broken in self.findings}
        self.findings += found
        for seed, broken in found:
            if broken not in known and len(known) < _SHRUNK_AT_MOST:
                known.add(broken)
                self.say(f"seed {seed} breaks a promise: {broken}; written to {keep(seed, broken, self.folder)}")

    def _progress(self, elapsed_s: float) -> str:
        rate = self.done / max(elapsed_s, 1e-3)
        left_min = (self.count - self.done) / rate / 60
        return (
            f"{self.done} of {self.count} schedules, {rate:.0f}/s, {len(self.findings)} broken, "
            f"{left_min:.0f} min left (next seed {self.first + self.done})"
        )


def keep(seed: int, broken: str, folder: Path) -> Path:
    """Write the smallest schedule that breaks what this seed breaks; returns its file."""
    words = re.sub(r"[^a-z0-9]+", "-", broken.partition(": ")[2].lower()).strip("-") or "exception"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{words[:60]}-{seed}.json"
    file.write_text(written(shrunk(draw_schedule(seed))), encoding="utf-8")
    return file
