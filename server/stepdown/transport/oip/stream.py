"""Many inferences on one stream: read ahead a little, answered in the order they were asked, each for itself.

Refuses to read faster than it answers: what the client sends beyond the bound waits in gRPC's flow control.
"""

from collections.abc import Callable, Generator, Iterator
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore, Thread
from typing import Protocol

import grpc

from stepdown.api.oip import infer_pb2 as pb

UNDER_WAY = 32
"""Requests of one stream that are asked at a time: enough to fill batches, few enough to hold little memory."""

READER = "oip-stream-reader"
"""Name of the thread that reads a stream."""


class PendingReply(Protocol):
    """One request under way."""

    def reply(self) -> pb.ModelStreamInferResponse:
        """Wait for the answer. Must not raise."""

    def withdraw(self) -> None:
        """The client is gone; `reply` waits no longer."""

    def close(self) -> None:
        """The answer has left, or will never."""


class _Ending(Enum):
    """Why nothing more is read."""

    CLIENT_DONE = auto()
    CLIENT_GONE = auto()
    DRAINING = auto()


class InferenceStream:
    """Serves one call. A thread of its own reads and asks; the call's thread answers."""

    def __init__(self, begin: Callable[[pb.ModelInferRequest], PendingReply]) -> None:
        """`begin` asks for one request and returns at once. Must not raise."""
        self._begin = begin
        self._items: SimpleQueue[PendingReply | Exception | _Ending] = SimpleQueue()
        self._places = Semaphore(UNDER_WAY)
        self._lock = Lock()
        self._closed_to_more = False
        self._answering: PendingReply | None = None
        self._left = False
        self._ending: _Ending | None = None

    @property
    def is_drained(self) -> bool:
        """Whether it ended because the server is stopping."""
        return self._ending is _Ending.DRAINING

    def drain(self) -> None:
        """Answer what was asked, ask nothing more."""
        self._end(_Ending.DRAINING)

    def leave(self) -> None:
        """The client is gone."""
        self._left = True
        self._end(_Ending.CLIENT_GONE)
        answering = self._answering
        if answering is not None:
            answering.withdraw()

    def answers(self, requests: Iterator[pb.ModelInferRequest]) -> Generator[pb.ModelStreamInferResponse]:
        """The answer to each request, in order. What reading raises, this raises after the answers before it."""
        Thread(target=self._read, args=(requests,), name=READER, daemon=True).start()
        try:
            while not isinstance(item := self._items.get(), _Ending):
                if isinstance(item, Exception):
                    raise item
                self._answering = item
                if self._left:  # between being asked and being waited for: nobody else would withdraw it
                    item.withdraw()
                try:
                    yield item.reply()
                finally:
                    self._answering = None
                    item.close()
                    self._places.release()
            self._ending = item
        finally:
            self._abandon()

    def _read(self, requests: Iterator[pb.ModelInferRequest]) -> None:
        """Until the client has sent all, the server drains, or gRPC says that the call is over."""
        try:
            for request in requests:
                self._places.acquire()
                with self._lock:
                    if self._closed_to_more:
                        return
                    self._items.put(self._begin(request))
        except grpc.RpcError:
            self._items.put(_Ending.CLIENT_GONE)
        except Exception as error:  # noqa: BLE001 - raised again in the call's own thread, where the guard stands
            self._items.put(error)
        else:
            self._items.put(_Ending.CLIENT_DONE)

    def _end(self, ending: _Ending) -> None:
        # Under the lock in which requests are asked, so that none is asked after the ending and left without an answer.
        with self._lock:
            self._closed_to_more = True
            self._items.put(ending)

    def _abandon(self) -> None:
        """Close what nobody will read, and wake a reader that waits for a place."""
        with self._lock:
            self._closed_to_more = True
        while True:
            try:
                item = self._items.get_nowait()
            except Empty:
                break
            if not isinstance(item, _Ending | Exception):
                item.close()
        self._places.release()
