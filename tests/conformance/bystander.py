"""A well-behaved client beside a hostile one, and what the server they share holds meanwhile."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from tests.conformance.callers import channel_as
from tests.conformance.raw_http2 import PATIENCE_S
from tests.faults.load import requests
from tests.faults.running_server import RunningServer

MIB = 1024 * 1024
AN_ANSWER_S = 10.0
"""Generous for a busy machine; what is shown is that nobody waits for the hostile one, who waits for much longer."""
GROWTH_BYTES = (128 + 32) * MIB
"""What one client may have held for it: half of the 256 MiB of messages, and something for whatever carries them."""


class Bystander:
    """A well-behaved client with an identity of its own."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = AssessmentServiceStub(channel)
        self._requests = requests(1_000_000)

    def ask(self, *, timeout_s: float = AN_ANSWER_S) -> str:
        """The tier that answers in good time."""
        answered = self._stub.AssessRisk(next(self._requests), timeout=timeout_s)
        return answered.assessment.answered_by.tier

    def ask_as_told(self, *, timeout_s: float) -> str:
        """The tier that answers, asking again when the server says to: `grpc-retry-pushback-ms` is not ignored."""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                return self.ask(timeout_s=end_s - time.monotonic())
            except grpc.RpcError as refused:
                trailers = {each.key: each.value for each in refused.trailing_metadata() or ()}
                if "grpc-retry-pushback-ms" not in trailers or time.monotonic() > end_s:
                    raise
                time.sleep(int(trailers["grpc-retry-pushback-ms"]) / 1000)

    def is_answered(self, *, times: int = 20) -> bool:
        """Whether every one of so many questions is."""
        return {self.ask() for _ in range(times)} == {"rules"}


@contextmanager
def bystander_of(server: RunningServer) -> Iterator[Bystander]:
    with channel_as(server) as channel:
        standing = Bystander(channel)
        standing.ask(timeout_s=PATIENCE_S)
        yield standing


def resident_bytes(server: RunningServer) -> int:
    """What the server process holds in memory."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors(server: RunningServer) -> int:
    return sum(1 for _ in Path(f"/proc/{server.process.pid}/fd").iterdir())
