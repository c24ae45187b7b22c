"""The generator as the player sees it: a child that gets ready, waits for the word, asks, and writes down."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from loadtests.order import Order
from stepdown.domain.errors import StepdownError

ROOT = Path(__file__).resolve().parents[1]


class GeneratorError(StepdownError):
    """The generator ended without doing its work; its log says why."""


class GeneratorProcess:
    """One run of the generator; leaving the `with` block ends it."""

    def __init__(self, order: Order, *, log: Path) -> None:
        """Start it."""
        written = order.outcomes.with_suffix(".order.json")
        written.write_text(order.model_dump_json(), "utf-8")
        self._log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "loadtests.generator", str(written)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until it could begin. Raises: GeneratorError."""
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if line.strip() != "ready":
            raise GeneratorError(f"the load generator did not start: see {self._log}")

    def begin(self, zero_s: float) -> None:
        """Tell it the Unix time of t = 0."""
        if self._process.stdin is not None:
            self._process.stdin.write(f"{zero_s!r}\n")
            self._process.stdin.flush()

    def wait(self, timeout_s: float) -> None:
        """Wait for its end. Raises: GeneratorError."""
        try:
            ended = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise GeneratorError(f"the load generator did not end: see {self._log}") from None
        if ended:
            raise GeneratorError(f"the load generator failed: see {self._log}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
