"""Asks the chain once for everything that was asked of it since the last time. Refuses to be asked by two threads."""

from collections.abc import Sequence

from stepdown.domain.engine_events import Request
from stepdown.ports import Asked


class GatheredQuestions:
    """Meets `ports.Asked`: `submit` only gathers, until `flush`."""

    def __init__(self, chain: Asked) -> None:
        self._chain = chain
        self._gathered: list[Request] = []

    def submit(self, requests: Sequence[Request]) -> None:
        """Keep them until the turn ends."""
        self._gathered.extend(requests)

    def cancel(self, request: Request) -> None:
        """The caller went away, before or after the chain was asked."""
        kept = [each for each in self._gathered if each is not request]
        if len(kept) < len(self._gathered):
            self._gathered = kept
        else:
            self._chain.cancel(request)

    def now_s(self) -> float:
        """The time line of the chain."""
        return self._chain.now_s()

    def flush(self) -> None:
        """Ask for all of them at once."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._chain.submit(gathered)
