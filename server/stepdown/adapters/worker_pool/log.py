"""What workers write to standard error: line by line, bounded, fit for a terminal; and the line that names a cause.

Refuses to let a chattering worker fill a disk or an escape sequence reach a screen.
"""

import re
from collections import deque
from collections.abc import Callable

_LINE_CHARACTERS = 400
_READ_CHARACTERS = 4000  # ONNX Runtime puts the cause at the end of a long line
_LINES_PER_WORKER = 200
_LINES_KEPT = 40
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_CAUSE = re.compile(r"(?<=with error: ).+")
# As the C library, C++, Python, ONNX Runtime's arenas and the CUDA and HIP runtimes say it before they give up.
_STARVED = re.compile(
    r"bad_alloc|MemoryError|cannot allocate memory|out of memory|failed to allocate memory|BFCArena|OutOfMemory",
    re.IGNORECASE,
)
_LAST_WORDS = 10
_COMPLAINT = re.compile(r"error|fail(?:ed|ure)?\b|abort(?:ed)?\b|terminate|cannot", re.IGNORECASE)


def printable(text: str, *, characters: int = _LINE_CHARACTERS) -> str:
    """The text without escape sequences and control characters, on one line, cut to length."""
    plain = " ".join(_ESCAPES.sub("", text).split())
    return "".join(character if character.isprintable() else "?" for character in plain)[:characters]


class WorkerLines:
    """The lines of one worker process, passed on with its prefix until it has said too much."""

    def __init__(self, prefix: str, log: Callable[[str], None]) -> None:
        self._prefix = prefix
        self._log = log
        self._rest = b""
        self._lines = 0
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)

    def feed(self, received: bytes) -> None:
        """Take what was read from the pipe; of what is passed on to nobody, only the last of it, for its last words."""
        if self.exhausted:
            received = received[-_READ_CHARACTERS:]
        *complete, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > _READ_CHARACTERS:
            complete, self._rest = [*complete, self._rest], b""
        for line in complete:
            self._take(line)

    def finish(self) -> None:
        """The pipe is closed: pass on what had no newline."""
        self._take(self._rest)
        self._rest = b""

    def telling(self) -> str:
        """The last line that names a cause, or nothing. What a library could not load is named best."""
        causes = [found[0] for found in map(_CAUSE.search, self._kept) if found]
        complaints = [line for line in self._kept if _COMPLAINT.search(line)]
        return (causes or complaints or [""])[-1][:_LINE_CHARACTERS]

    @property
    def exhausted(self) -> bool:
        """Whether nothing more of it is passed on."""
        return self._lines > _LINES_PER_WORKER

    def tell_of_memory(self) -> bool:
        """Whether the last lines say that there was no memory to be had."""
        return any(_STARVED.search(line) for line in list(self._kept)[-_LAST_WORDS:])

    def _take(self, line: bytes) -> None:
        text = printable(line.decode(errors="replace"), characters=_READ_CHARACTERS)
        if not text:
            return
        self._kept.append(text)
        self._lines += 1
        if self._lines <= _LINES_PER_WORKER:
            self._log(f"{self._prefix}: {text[:_LINE_CHARACTERS]}")
        elif self._lines == _LINES_PER_WORKER + 1:
            self._log(f"{self._prefix}: further lines of this worker are dropped")
