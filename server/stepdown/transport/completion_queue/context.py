"""A call of the lane as gRPC's servicers know one, for those that are answered in a thread after all."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import grpc

from stepdown.ports import Clock
from stepdown.transport.completion_queue.call import LaneCall

_NO_DEADLINE_S = 100 * 365 * 86_400.0


class LaneContext(grpc.ServicerContext):
    """What the guard and the servicers ask of a context. What they never ask for is refused."""

    def __init__(self, call: LaneCall, *, properties: Mapping[str, Iterable[bytes]], clock: Clock) -> None:
        self._call = call
        self._properties = properties
        self._clock = clock
        self._code: grpc.StatusCode | None = None
        self.ending_details = ""
        self.trailing: tuple[tuple[str, str | bytes], ...] = ()

    def is_active(self) -> bool:
        """Whether the call goes on."""
        return not self._call.is_over

    def time_remaining(self) -> float:
        """Until the deadline; for ever, nearly, where there is none."""
        remaining_s = self._call.remaining_s(self._clock.monotonic_s())
        return _NO_DEADLINE_S if remaining_s is None else remaining_s

    def cancel(self) -> bool:
        """Cut the call off."""
        self._call.cancel()
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call this when the call has ended; False if it has."""
        return self._call.add_callback(callback)

    def invocation_metadata(self) -> Any:  # noqa: ANN401  # as the stubs have it
        """What the caller sent beside its message."""
        return self._call.arrival.metadata

    def auth_context(self) -> Any:  # noqa: ANN401
        """What the connection has proven."""
        return self._properties

    def peer(self) -> str:
        """The address of the caller."""
        return str(self._call.arrival.rpc.peer())

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:  # noqa: ANN401
        """What goes out after the answer, or with the status."""
        self.trailing = tuple(trailing_metadata)

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End with a status: by a bare exception, as gRPC's own contexts do."""
        self._code = code
        self.ending_details = details
        raise Exception  # noqa: TRY002

    def code(self) -> grpc.StatusCode | None:
        """The status it was ended with."""
        return self._code

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """As `abort`."""
        self.set_trailing_metadata(status.trailing_metadata or ())
        self.abort(status.code, status.details)

    def peer_identities(self) -> Iterable[bytes] | None:
        """Not asked for here: identity is authorization's business."""
        raise NotImplementedError

    peer_identity_key = peer_identities  # type: ignore[assignment]
    send_initial_metadata = peer_identities  # type: ignore[assignment]
    set_code = peer_identities  # type: ignore[assignment]
    set_details = peer_identities  # type: ignore[assignment]
