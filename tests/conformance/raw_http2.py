"""HTTP/2 by hand over mutual TLS: what no gRPC library would send, sent to a real server.

RFC 9113 for the frames, RFC 7541 for headers (literals alone, nothing indexed and nothing compressed).
"""

import socket
import ssl
import struct
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from tests.faults.running_server import RunningServer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM = ACK = 1
END_HEADERS = 4
INITIAL_WINDOW = 4
FIRST_WINDOW = 65_535
LARGEST_FRAME = 16_384
PATIENCE_S = 20.0


class Frame(NamedTuple):
    """One frame as it was received."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def place(server: RunningServer) -> tuple[str, int]:
    """Host and port of a server's gRPC side."""
    host, _, port = server.ready["grpc"].rpartition(":")
    return host, int(port)


def secured(server: RunningServer, *, role: str = "client") -> ssl.SSLSocket:
    """A mutual TLS connection on which nothing has been said yet."""
    credentials = server.credentials(role)
    context = ssl.create_default_context(cafile=str(credentials.ca))
    context.load_cert_chain(credentials.certificate, credentials.key)
    context.check_hostname = False
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(socket.create_connection(place(server), PATIENCE_S))


class RawConnection:
    """One connection of a client that keeps to no rule but those its test asks for."""

    def __init__(self, server: RunningServer, *, window: int | None = None, role: str = "client") -> None:
        """`window`: how many bytes of each answer the client offers to read; None for HTTP/2's 65,535."""
        self._socket = secured(server, role=role)
        self._received = b""
        self._windows: dict[int, int] = {0: FIRST_WINDOW}
        self._first_window = FIRST_WINDOW
        self._ended: set[int] = set()
        settings = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW, window)
        self._socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))

    def call(self, stream: int, method: str, *, message: bytes | None = None, announced: int | None = None) -> None:
        """Begin a call. Without a message none comes; `announced` promises that many bytes whatever is sent."""
        self.send(frame(HEADERS, END_HEADERS, stream, _headers(method)))
        self._windows[stream] = self._first_window
        if message is not None:
            self.message(stream, message, announced=announced, ends=announced is None)

    def message(self, stream: int, message: bytes, *, announced: int | None = None, ends: bool = False) -> None:
        """Send one gRPC message, no faster than the server lets it, until it ends the call.

        Raises: TimeoutError if it lets nothing through.
        """
        rest = struct.pack(">BI", 0, len(message) if announced is None else announced) + message
        while rest and stream not in self._ended:
            room = min(LARGEST_FRAME, self._windows[0], self._windows[stream])
            if room <= 0:
                self._adjust_windows()
                continue
            part, rest = rest[:room], rest[room:]
            self._windows[0] -= len(part)
            self._windows[stream] -= len(part)
            self.send(frame(DATA, END_STREAM if ends and not rest else 0, stream, part))

    def has_ended(self, stream: int) -> bool:
        """Whether the server was seen to end the call."""
        return stream in self._ended

    def reset(self, stream: int) -> None:
        """Take a call back."""
        self.send(frame(RST_STREAM, 0, stream, struct.pack(">I", 8)))

    def ping(self) -> None:
        """Ask whether anybody is there."""
        self.send(frame(PING, 0, 0, b"12345678"))

    def send(self, raw: bytes) -> None:
        """Write bytes as they are."""
        self._socket.sendall(raw)

    def settimeout(self, timeout_s: float) -> None:
        """How long a write may wait."""
        self._socket.settimeout(timeout_s)

    def frames(self, *, within_s: float) -> list[Frame]:
        """Every frame that comes before the connection has been silent for so long or is ended."""
        frames = []
        self._socket.settimeout(within_s)
        with suppress(TimeoutError, ConnectionError, ssl.SSLError):
            while (received := self._one()) is not None:
                frames.append(received)
        return frames

    def is_ended(self, *, within_s: float) -> bool:
        """Whether the server hangs up in that time."""
        self._socket.settimeout(within_s)
        try:
            while self._socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def _adjust_windows(self) -> None:
        """Wait for one frame and heed what it says of windows."""
        received = self._one()
        if received is None:
            raise ConnectionResetError
        if received.kind == WINDOW_UPDATE:
            self._windows[received.stream] = self._windows.get(received.stream, 0) + int.from_bytes(received.payload)
        elif received.kind == RST_STREAM or (received.kind == HEADERS and received.flags & END_STREAM):
            self._ended.add(received.stream)
        elif received.kind == SETTINGS:
            self._heed(received.payload)

    def _heed(self, settings: bytes) -> None:
        """RFC 9113, section 6.9.2: a changed first window changes that of every open stream."""
        for name, value in struct.iter_unpack(">HI", settings):
            if name == INITIAL_WINDOW:
                for stream in self._windows.keys() - {0}:
                    self._windows[stream] += value - self._first_window
                self._first_window = value

    def _one(self) -> Frame | None:
        head = self._exactly(9)
        if head is None:
            return None
        length, kind, flags, stream = int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:9])
        payload = self._exactly(length)
        return None if payload is None else Frame(kind, flags, stream & 0x7FFFFFFF, payload)

    def _exactly(self, count: int) -> bytes | None:
        while len(self._received) < count:
            more = self._socket.recv(65_536)
            if not more:
                return None
            self._received += more
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113, section 4.1."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _headers(method: str) -> bytes:
    fields = {
        ":method": "POST",
        ":scheme": "https",
        ":path": method,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields.items())


def _text(text: str) -> bytes:
    """RFC 7541, section 5.2; short texts only, so that the length is one byte."""
    return bytes([len(text)]) + text.encode()
