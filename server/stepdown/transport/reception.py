"""What passes between a call and its client: messages received and answers delivered, within bounded time and memory.

gRPC gives a thread to a call before its message has come, and would wait there for ever. Refuses to know what a
message means.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import grpc

from stepdown.domain.reasons import RejectReason
from stepdown.transport.calls import current_call
from stepdown.transport.held_bytes import HeldBytes
from stepdown.transport.refusals import messages_missing, refused
from stepdown.transport.stalls import Patience, Stalls

_REQUEST = Patience(calm_s=20.0, pressed_s=1.0)
_PASSAGE = Patience(calm_s=60.0, pressed_s=5.0)
_DELIVERY = Patience(calm_s=30.0, pressed_s=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionLimits:
    """How long a client may take to send its one message, to take one message of a stream, and to take its answer.

    `dawdling`: calls of one caller whose message may be under way for longer than a moment, all at once.
    """

    request: Patience = _REQUEST
    passage: Patience = _PASSAGE
    delivery: Patience = _DELIVERY
    dawdling: int = 16


class Reception:
    """Serves every call."""

    def __init__(self, *, stalls: Stalls, held: HeldBytes, limits: ReceptionLimits) -> None:
        self._stalls = stalls
        self._held = held
        self._limits = limits

    def message(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """The one message of a call, counted until the call ends.

        Raises: RequestRejectedError for none, for one too many that dawdle, for one that there is no room for;
        grpc.RpcError where the client went away or was cut off.
        """
        caller = current_call().caller.name
        if self._stalls.dawdling(caller) >= self._limits.dawdling:
            raise messages_missing()
        wait = self._stalls.begin(context, self._limits.request, sender=caller)
        try:
            request = next(requests, None)
        finally:
            self._stalls.end(wait)
        if request is None:
            text = "a call of this method carries exactly one message"
            raise refused(RejectReason.MESSAGE_MALFORMED, field="", description=text)
        self._held.admit(caller, len(request))
        self._release_at_end(context, caller, len(request))
        return request

    def deliver(self, answer: bytes, context: grpc.ServicerContext) -> bytes:
        """The answer, counted until the client has it, for which it has a while."""
        caller = current_call().caller.name
        self._held.hold(caller, len(answer))
        self._release_at_end(context, caller, len(answer))
        wait = self._stalls.begin(context, self._limits.delivery)
        if not context.add_callback(partial(self._stalls.end, wait)):
            self._stalls.end(wait)
        return answer

    @contextmanager
    def stream(self, requests: Iterator[bytes]) -> Iterator["StreamMessages"]:
        """The messages of a stream, each counted until it is answered or the stream ends."""
        messages = StreamMessages(requests, held=self._held, caller=current_call().caller.name)
        try:
            yield messages
        finally:
            messages.release_all()

    @contextmanager
    def passage(self, context: grpc.ServicerContext) -> Iterator[None]:
        """While one message of a stream is on its way to the client."""
        wait = self._stalls.begin(context, self._limits.passage)
        try:
            yield
        finally:
            self._stalls.end(wait)

    def _release_at_end(self, context: grpc.ServicerContext, caller: str, size: int) -> None:
        release: Callable[[], None] = partial(self._held.release, caller, size)
        if not context.add_callback(release):
            release()


class StreamMessages:
    """An iterator over messages that remembers what they hold. One thread reads, another says what is answered."""

    def __init__(self, requests: Iterator[bytes], *, held: HeldBytes, caller: str) -> None:
        self._requests = requests
        self._held = held
        self._caller = caller
        self._sizes: deque[int] = deque()

    def __iter__(self) -> "StreamMessages":
        return self

    def __next__(self) -> bytes:
        """The next message. Raises: StopIteration; RequestRejectedError where there is no room for it."""
        message = next(self._requests)
        self._held.admit(self._caller, len(message))
        self._sizes.append(len(message))
        return message

    def answered(self) -> None:
        """One answer has left: the oldest message is held no longer, whichever it answered."""
        if self._sizes:
            self._held.release(self._caller, self._sizes.popleft())

    def release_all(self) -> None:
        """The stream has ended."""
        while self._sizes:
            self.answered()
