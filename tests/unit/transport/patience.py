"""Waiting for what another thread is about to do."""

import threading
import time
from collections.abc import Callable

PATIENCE_S = 10.0


def until(condition: Callable[[], bool]) -> None:
    """Return as soon as it holds; fail if it does not within the patience of a test."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came true"
        threading.Event().wait(0.001)
