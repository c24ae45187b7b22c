"""A clock that stands still until it is told to go on."""

START_S = 1_780_000_000.0


class FakeClock:
    """Meets `ports.Clock`."""

    def __init__(self) -> None:
        self._elapsed_s = 0.0

    def monotonic_s(self) -> float:
        return 1_000.0 + self._elapsed_s

    def wall_s(self) -> float:
        return START_S + self._elapsed_s

    def advance(self, span_s: float) -> None:
        """Let time pass."""
        self._elapsed_s += span_s
