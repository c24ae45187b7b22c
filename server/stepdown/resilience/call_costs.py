"""What a call will probably cost, from what calls of its kind have cost. Reads no clock.

Cost follows size: a batch of eight charts is eight times the bytes of one. Old measurements fade, so that a machine
that others fill, or leave, is soon judged by what it does now. Refuses to believe in a call that costs nothing.
"""

_FADE = 0.98
_FIRST_S = 0.001
_LEAST_BYTES = 64
_LONGEST_STRETCH = 50.0


class _Kind:
    """Sums of late over the calls of one kind."""

    __slots__ = ("bytes", "calls", "seconds")

    def __init__(self) -> None:
        self.calls = 1.0
        self.bytes = 1024.0
        self.seconds = _FIRST_S


class CallCosts:
    """By kind of call, in seconds of the one thread that answers."""

    def __init__(self) -> None:
        """Know nothing: a call is taken to cost a millisecond."""
        self._kinds: dict[str, _Kind] = {}
        self._elapsed_s = self._work_s = _FIRST_S

    def expected_s(self, kind: str, size: int | None) -> float:
        """What a call of so many bytes will cost; of as many as usual where that is not known."""
        sums = self._kinds.get(kind)
        if sums is None:
            return _FIRST_S
        if size is None:
            return sums.seconds / sums.calls
        return sums.seconds / sums.bytes * max(size, _LEAST_BYTES)

    def cost(self, kind: str, size: int, seconds: float) -> None:
        """One call of so many bytes was begun in so many seconds."""
        sums = self._kinds.get(kind)
        if sums is None:
            sums = self._kinds[kind] = _Kind()
        sums.calls = sums.calls * _FADE + 1.0
        sums.bytes = sums.bytes * _FADE + max(size, _LEAST_BYTES)
        sums.seconds = sums.seconds * _FADE + seconds

    def worked(self, *, elapsed_s: float, begun_s: float) -> None:
        """In so much time, without rest, calls were begun that took so much of it; the rest went to other steps."""
        self._elapsed_s = self._elapsed_s * _FADE + elapsed_s
        self._work_s = self._work_s * _FADE + begun_s

    @property
    def stretch(self) -> float:
        """How much longer the thread is occupied by a call than by beginning it."""
        return min(max(self._elapsed_s / max(self._work_s, 1e-9), 1.0), _LONGEST_STRETCH)
