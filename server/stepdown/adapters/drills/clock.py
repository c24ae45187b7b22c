"""A wall clock that a drill can make jump. What never steps back is the machine's own and is not touched."""

import time

from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.drills import FaultInjection


class SteppingClock(SystemClock):
    """Meets `ports.Clock` and `ports.Sufferer`. The operating system's clock stays as it is."""

    def __init__(self) -> None:
        """A clock that goes right."""
        self._step_s = 0.0

    def wall_s(self) -> float:
        """Unix seconds UTC, wrong by as much as a drill wants."""
        return time.time() + self._step_s

    def begin(self, injection: FaultInjection) -> None:
        """Jump."""
        self._step_s = injection.clock_step_s

    def end(self, injection: FaultInjection) -> None:
        """Jump back."""
        del injection
        self._step_s = 0.0
