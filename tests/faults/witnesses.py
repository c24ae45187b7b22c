"""What a test holds of a living chain: the questions it asked, the devices it breaks, and a diary of what was told."""

import json
import time
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from stepdown.adapters.notice_board import NoticeBoard
from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.notices import Notice

if TYPE_CHECKING:
    from stepdown.domain.engine_events import Request

PATIENCE_S = 45.0
Kind = TypeVar("Kind", bound=Notice)


class Question:
    """One request, and the answer that must come once."""

    def __init__(self, value: float) -> None:
        self.value = np.float32(value)
        self.request: Request
        self.outcomes: list[Outcome] = []
        self.told_s = 0.0
        self._told = Event()

    def __call__(self, outcome: Outcome) -> None:
        self.told_s = time.monotonic()
        self.outcomes.append(outcome)
        self._told.set()

    def wait(self) -> Outcome:
        """The outcome. Fails when there is none, or two."""
        assert self._told.wait(PATIENCE_S), "never answered"
        assert len(self.outcomes) == 1
        return self.outcomes[0]

    def tier(self) -> str:
        """Who answered, after a check that the answer is this question's own; "" for nobody."""
        outcome = self.wait()
        if outcome.result is not None and outcome.result.outputs is not None:
            assert outcome.result.outputs["score"] == self.value.tobytes(), "another request's numbers, or wrong ones"
        return outcome.answered_by.tier if outcome.answered_by is not None else ""

    def degradation(self, tier: str) -> Degradation:
        """Why a better tier did not answer."""
        return next(each for each in self.wait().degradations if each.tier == tier)


class Device:
    """What a tier runs on: broken and mended by a file that the stand-in reads at every load and run."""

    def __init__(self, folder: Path, place: str) -> None:
        self._state = folder / f"{place}.json"
        self._journal = folder / f"{place}.journal"

    def breaks(self, **faults: str) -> None:
        """`load`, `run`, `nvml`, or `load_MIGraphXExecutionProvider` for one provider alone."""
        state = {moment.replace("_", " "): fault for moment, fault in faults.items()}
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._state)

    def mends(self) -> None:
        """Nothing is wrong any more, for processes that start from now on."""
        self.breaks()

    def journal(self) -> list[tuple[int, str]]:
        """Process and deed, in order."""
        with suppress(FileNotFoundError):
            lines = self._journal.read_text().splitlines()
            return [(int(pid), what) for pid, _, what in (line.partition(" ") for line in lines)]
        return []

    def starts(self) -> list[int]:
        """The processes that were started."""
        return [pid for pid, what in self.journal() if what == "start"]


class Bookmark:
    """Posted among the notices, so that one can wait until the diary has come so far."""

    def __init__(self) -> None:
        self.reached = Event()


class Diary:
    """An observer that keeps everything, with when it was told."""

    def __init__(self) -> None:
        self.entries: list[tuple[float, Notice]] = []

    def notice(self, notice: Notice | Bookmark) -> None:
        if isinstance(notice, Bookmark):
            notice.reached.set()
        else:
            self.entries.append((time.monotonic(), notice))

    def reads_up_to_now(self, board: NoticeBoard) -> None:
        """Wait until every notice that was posted before this call stands in the diary."""
        bookmark = Bookmark()
        board.post([cast("Notice", bookmark)])
        assert bookmark.reached.wait(PATIENCE_S), "the notice board does not deliver"

    def of(self, kind: type[Kind], **fields: object) -> list[Kind]:
        """The notices of a kind whose fields are as given."""
        return [
            notice
            for _, notice in tuple(self.entries)
            if isinstance(notice, kind) and all(getattr(notice, name) == value for name, value in fields.items())
        ]
