"""Hostile connections to a real server, from the handshake to the last frame: the others are answered as before."""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.conformance.bystander import Bystander, bystander_of, descriptors, resident_bytes
from tests.conformance.raw_http2 import (
    DATA,
    END_HEADERS,
    GOAWAY,
    HEADERS,
    PATIENCE_S,
    SETTINGS,
    RawConnection,
    frame,
    place,
    secured,
)
from tests.faults.load import requests
from tests.faults.running_server import RunningServer, running_server
from tests.faults.test_rows_e import rules_alone

ASSESS = "/stepdown.api.v1.AssessmentService/AssessRisk"
HANDSHAKE_S = 5.0
CONNECTION_BYTES = 400 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(rules_alone) as server:
        yield server


@pytest.fixture
def bystander(server: RunningServer) -> Iterator[Bystander]:
    with bystander_of(server) as standing:
        yield standing


def all_of(connect: Callable[[], Any], count: int) -> ExitStack:
    """So many open connections."""
    held = ExitStack()
    for _ in range(count):
        held.enter_context(connect())
    return held


# --- connections ----------------------------------------------------------------------------------------------------


def test_a_thousand_idle_connections_cost_bounded_memory_and_nobody_an_answer(
    server: RunningServer, bystander: Bystander
) -> None:
    before, open_before, count = resident_bytes(server), descriptors(server), 1000
    with all_of(lambda: RawConnection(server), count):
        server.until(lambda: descriptors(server) >= open_before + count)
        assert bystander.is_answered()
        assert (resident_bytes(server) - before) / count < CONNECTION_BYTES
    server.until(lambda: descriptors(server) < open_before + count // 10)
    assert bystander.is_answered()


def test_half_open_handshakes_fed_a_byte_a_second_are_ended_by_the_handshakes_time(
    server: RunningServer, bystander: Bystander
) -> None:
    """As a slow loris does it: never silent, never done."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 60
    began_s = time.monotonic()
    half_open = [socket.create_connection(place(server), PATIENCE_S) for _ in range(200)]
    ended: set[int] = set()
    for byte in hello:
        for number, connection in enumerate(half_open):
            if number not in ended and not fed(connection, byte):
                ended.add(number)
        assert bystander.ask() == "rules"
        if len(ended) == len(half_open):
            break
        time.sleep(1.0)
    for connection in half_open:
        connection.close()
    assert len(ended) == len(half_open)
    assert time.monotonic() - began_s < 4 * HANDSHAKE_S


def fed(connection: socket.socket, byte: int) -> bool:
    """Whether one more byte was taken."""
    try:
        connection.send(bytes([byte]))
        connection.settimeout(0.001)
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_connections_that_are_reset_as_they_open_leave_nothing_behind(
    server: RunningServer, bystander: Bystander
) -> None:
    before = descriptors(server)
    for number in range(500):
        connection = socket.create_connection(place(server), PATIENCE_S) if number % 2 else secured(server)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert bystander.is_answered()
    server.until(lambda: descriptors(server) < before + 20)


def test_where_descriptors_run_short_connections_are_turned_away_and_workers_still_replaced() -> None:
    """A descriptor limit that the connections of one client would use up."""
    scarce = ("sh", "-c", 'ulimit -n 700; exec "$@"', "sh")
    with running_server(under=scarce) as server:
        server.until_capable("FULL")
        with bystander_of(server) as bystander, ExitStack() as held:
            refused = 0
            for _ in range(300):
                try:
                    held.enter_context(secured(server))
                except OSError:
                    refused += 1
            assert refused > 50
            assert descriptors(server) < 700 - 300
            server.send("distilled", signal.SIGKILL)
            server.until(lambda: server.tier("distilled")["restarts"] > 0)
            server.until_capable("FULL")
            assert bystander.ask()


# --- HTTP/2 that is none ----------------------------------------------------------------------------------------------


GARBAGE = {
    "noise": os.urandom(50_000),
    "an endless frame": b"\xff\xff\xff" + bytes([DATA, 0]) + b"\0\0\0\1" + b"\0" * 100_000,
    "settings of no length": frame(SETTINGS, 0, 0, b"\1"),
    "data for no stream": frame(DATA, 0, 0, b"x"),
    "headers that lie": frame(HEADERS, END_HEADERS, 1, b"\xff" * 1000),
    "headers without end": frame(HEADERS, 0, 1, b"\0" * 10) + frame(9, 0, 1, b"\0" * 16_000) * 200,
    "an unknown frame": frame(0xEE, 0xFF, 1, b"x" * 16_000) * 50,
}


@pytest.mark.parametrize("garbage", list(GARBAGE.values()), ids=list(GARBAGE))
def test_http_2_that_is_none_harms_nobody(server: RunningServer, bystander: Bystander, garbage: bytes) -> None:
    with RawConnection(server) as hostile:
        with suppress(OSError):
            hostile.send(garbage)
        assert bystander.is_answered(times=5)
    assert server.process.poll() is None


def test_a_flood_of_pings_ends_its_own_connection_and_no_other(server: RunningServer, bystander: Bystander) -> None:
    with RawConnection(server) as hostile:
        with suppress(OSError):
            for _ in range(1000):
                hostile.ping()
        told = [each.payload for each in hostile.frames(within_s=1.0) if each.kind == GOAWAY]
        assert any(b"too_many_pings" in payload for payload in told)
        assert hostile.is_ended(within_s=5.0)
    assert bystander.is_answered()


def test_calls_taken_back_as_they_are_made_leave_nothing_behind_and_nobody_without_an_answer(
    server: RunningServer, bystander: Bystander
) -> None:
    message = next(requests(1)).SerializeToString()
    with RawConnection(server) as hostile:
        for number in range(3000):
            hostile.call(2 * number + 1, ASSESS, message=message)
            hostile.reset(2 * number + 1)
            if number % 500 == 0:
                assert bystander.ask(timeout_s=PATIENCE_S) == "rules"
        assert bystander.ask(timeout_s=PATIENCE_S) == "rules"
    assert bystander.is_answered()


def test_after_all_of_it_the_server_still_drains_with_nothing_left_behind(server: RunningServer) -> None:
    """Last of this module: a place that any of the above had kept would hold the drain up."""
    server.process.terminate()
    assert server.process.wait(PATIENCE_S) == 0
    drained = next(line for line in server.log() if line["event"] == "drained")
    assert drained["unanswered"] == 0
    assert not [line for line in server.log() if line["event"] == "incident"]
