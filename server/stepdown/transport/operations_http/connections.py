"""Connections to the operations pages: whoever opens many and says nothing does not keep a monitor from its page.

uvicorn waits for a request without end, and turns everybody away when it waits for too many. Refuses to wait for long,
and, when many wait, to keep the newest out for the oldest.
"""

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

MOST_CONNECTIONS = 64
EXCHANGE_S = 10.0
"""From a connection's beginning, or its last answer, to its next answer: twice what uvicorn lets an idle one stay."""


class TimedConnection(H11Protocol):
    """One connection."""

    def connection_made(self, transport: "asyncio.Transport") -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin the first exchange; where there are too many, the one that has said nothing for longest must go."""
        super().connection_made(transport)
        self._begin_exchange()
        if len(self.connections) > MOST_CONNECTIONS:
            self._end_the_longest_silence()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._exchange_end.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """The next exchange begins."""
        self._exchange_end.cancel()
        self._begin_exchange()
        super().on_response_complete()

    def _begin_exchange(self) -> None:
        self._since_s = self.loop.time()
        # Not `close`, which would wait for a client that does not read either.
        self._exchange_end = self.loop.call_later(EXCHANGE_S, self.transport.abort)

    @property
    def _is_silent(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # as uvicorn begins with, whatever it declares
        return cycle is None or cycle.response_complete

    def _end_the_longest_silence(self) -> None:
        others = (cast("TimedConnection", each) for each in self.connections if each is not self)
        silent = min((each for each in others if each._is_silent), key=lambda each: each._since_s, default=None)  # noqa: SLF001 - of this class
        if silent is not None:
            self.connections.discard(silent)
            silent.transport.abort()
