"""Many inferences on one stream: read ahead a little, answered in the order they were asked, each for itself."""

from collections.abc import Callable, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Protocol

from stepdown.api.oip import infer_pb2 as pb

READ_AHEAD = 32
"""Requests under way on one stream: enough to fill batches, few enough that a slow reader holds little memory."""

_CLOSING_POLL_S = 0.05


class PendingReply(Protocol):
    """One request under way."""

    def reply(self) -> pb.ModelStreamInferResponse:
        """Wait for the answer."""

    def close(self) -> None:
        """It was delivered, or nobody waits for it any more."""


def answers(
    requests: Iterator[pb.ModelInferRequest], begin: Callable[[pb.ModelInferRequest], PendingReply]
) -> Iterator[pb.ModelStreamInferResponse]:
    """The answer to each request, in order. What reading the requests raises, this raises after the answers so far."""
    ahead: Queue[PendingReply | Exception | None] = Queue(READ_AHEAD)
    closing = Event()
    reader = Thread(target=_read, args=(requests, begin, ahead, closing), name="oip-stream", daemon=True)
    reader.start()
    try:
        while (item := ahead.get()) is not None:
            if isinstance(item, Exception):
                raise item
            try:
                yield item.reply()
            finally:
                item.close()
    finally:
        closing.set()
        _abandon(reader, ahead)


def _read(
    requests: Iterator[pb.ModelInferRequest],
    begin: Callable[[pb.ModelInferRequest], PendingReply],
    ahead: "Queue[PendingReply | Exception | None]",
    closing: Event,
) -> None:
    """Begin each request as it comes. Ends when the requests do, and with the stream at the latest."""
    try:
        for request in requests:
            if closing.is_set():
                return
            ahead.put(begin(request))
    except Exception as error:  # noqa: BLE001 - raised again by the thread that answers, before which the guard stands
        ahead.put(error)
    else:
        ahead.put(None)


def _abandon(reader: Thread, ahead: "Queue[PendingReply | Exception | None]") -> None:
    """Close what nobody will read, so that the reader never hangs on a full queue."""
    while True:
        try:
            item = ahead.get(timeout=_CLOSING_POLL_S if reader.is_alive() else 0)
        except Empty:
            if not reader.is_alive():
                return
            continue
        if item is not None and not isinstance(item, Exception):
            item.close()
