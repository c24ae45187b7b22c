"""The machine's two clocks."""

import time


class SystemClock:
    """Meets `ports.Clock` with the operating system's clocks."""

    def monotonic_s(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()

    def wall_s(self) -> float:
        """Unix seconds UTC."""
        return time.time()
