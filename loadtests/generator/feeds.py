"""Monitors: a stream each, kept open; one that ends is opened again, and what had no answer is sent again."""

import time
from collections.abc import Iterator

import gevent
import grpc
from gevent.queue import Queue

from loadtests.frames import stream_frame
from loadtests.generator.recorder import LATE, UNANSWERED, Settled
from loadtests.generator.users import SERVICE, Caller, failure_text
from loadtests.schedule import Arrival
from stepdown.api.v1.assessment_service_pb2 import StreamAssessRiskResponse

_PAUSE_S = 0.05
_ENDING_S = 5.0


class MonitorFeed(Caller):
    """One encounter after the other on one stream."""

    profile = "monitor-feed"

    def connect(self) -> None:
        """Open the stream, and read it for as long as there is something to ask."""
        self.stream = self.channel.stream_stream(f"{SERVICE}/StreamAssessRisk")
        self.pending: dict[str, tuple[Settled, bytes]] = {}
        self.outgoing: Queue = Queue()
        self.closing = False
        self.last_failure = UNANSWERED
        self.reading = gevent.spawn(self._read)

    def ask(self, arrival: Arrival, due_s: float) -> None:
        """Put one message on the stream."""
        request_id, frame = self.run.questions.next(arrival.urgency)
        now_s = time.monotonic()
        asked = Settled(
            profile=self.profile,
            urgency=arrival.urgency,
            request_ids=(request_id,),
            intended_s=due_s,
            sent_s=now_s,
            done_s=now_s,
            deadline_s=self.line.deadline_s,
        )
        self.pending[request_id] = (asked, frame)
        self.outgoing.put(stream_frame(frame))

    def finish(self) -> None:
        """Wait until all is answered or too late, then end the stream."""
        limit_s = time.monotonic() + max(self.line.deadline_s, 1.0)
        while self.pending and time.monotonic() < limit_s:
            gevent.sleep(_PAUSE_S)
        self.closing = True
        self.outgoing.put(None)
        self.reading.join(_ENDING_S)
        self.reading.kill()
        for asked, _ in self.pending.values():
            self._settle(asked, failure=self.last_failure)

    def _read(self) -> None:
        while not self.closing:
            self.outgoing = outgoing = Queue()
            for asked, frame in list(self.pending.values()):
                if time.monotonic() - asked.sent_s < asked.deadline_s:
                    outgoing.put(stream_frame(frame))
            try:
                for reply in self.stream(_until_none(outgoing)):
                    self._answered(reply)
            except grpc.RpcError as error:
                self.last_failure = failure_text(error)
            outgoing.put(None)
            gevent.sleep(_PAUSE_S)

    def _answered(self, reply: bytes) -> None:
        asked, _ = self.pending.pop(StreamAssessRiskResponse.FromString(reply).request_id, (None, b""))
        if asked is not None:
            late = time.monotonic() - asked.sent_s > asked.deadline_s
            self._settle(asked, failure=LATE if late else "", reply=reply)

    def _settle(self, asked: Settled, *, failure: str, reply: bytes = b"") -> None:
        self.settle(
            Settled(
                profile=asked.profile,
                urgency=asked.urgency,
                request_ids=asked.request_ids,
                intended_s=asked.intended_s,
                sent_s=asked.sent_s,
                done_s=time.monotonic(),
                deadline_s=asked.deadline_s,
                reply=reply,
                failure=failure,
            )
        )


def _until_none(outgoing: Queue) -> Iterator[bytes]:
    while (frame := outgoing.get()) is not None:
        yield frame
