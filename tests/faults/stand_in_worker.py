"""A program in a worker's place that misbehaves as it is told: `MODE PARENT DOORBELL PARCEL MAILBOX LABEL`.

Each mode is one way in which a broken or hostile child could speak to the server. Uses the worker's own frames, so that
everything but the misdeed is right.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import stepdown
from stepdown.worker.frames import HEAD, MAXIMUM_JSON_BYTES, Operation, batch_frame, json_frame

READY = {
    "release": stepdown.__version__,
    "provider": "CPU",
    "device": "stand-in",
    "placement_share": 1.0,
    "known_answer_error": 0.0,
    "latency_s": [],
}


def ready(bell: socket.socket, **changed: object) -> None:
    """Claim to have passed every test."""
    bell.send(json_frame(Operation.READY, READY | changed))


def asked(bell: socket.socket) -> tuple[int, int, int]:
    """Sequence, rows and slot of the next batch."""
    sequence, _, rows, slot, _ = HEAD.unpack(bell.recv(HEAD.size))
    return sequence, rows, slot


def rest(bell: socket.socket) -> None:
    """Live on until the server hangs up or kills."""
    while bell.recv(HEAD.size):
        continue


def answer(bell: socket.socket, *, sequence: int = 0, rows: int = 0, slot: int = 0, compute_ns: int = 0) -> None:
    """Answer the next batch without having computed it, off by the given amounts."""
    asked_sequence, asked_rows, asked_slot = asked(bell)
    bell.send(
        batch_frame(
            Operation.DONE,
            sequence=asked_sequence + sequence,
            rows=asked_rows + rows,
            slot=asked_slot + slot,
            compute_ns=compute_ns,
        )
    )


def fail_oddly(bell: socket.socket, *, reason: object = "OPERATOR_DISABLED") -> None:
    """Report a failure in a form that no worker uses."""
    sequence, _, slot = asked(bell)
    body = {"reason": reason, "detail": "", "sticky": False}
    bell.send(json_frame(Operation.FAILED, body, sequence=sequence, slot=slot))


def answer_both(bell: socket.socket) -> None:
    """Answer one question for both slots at once, in two frames that lie ready together."""
    sequence, rows, slot = asked(bell)
    for other in (1 - slot, slot):
        bell.send(batch_frame(Operation.DONE, sequence=sequence, rows=rows, slot=other))


def flood(bell: socket.socket) -> None:
    """Send the same answer for ever."""
    frame = batch_frame(Operation.DONE, sequence=1, rows=1, slot=0)
    while True:
        bell.send(frame)


def hang_up(bell: socket.socket) -> None:
    """Close the doorbell and live on."""
    bell.shutdown(socket.SHUT_RDWR)
    bell.close()
    time.sleep(3600)


def hand_over_descriptors(bell: socket.socket) -> None:
    """Push descriptors at the server with every frame, and then say nothing that it could use."""
    reading, writing = os.pipe()
    for _ in range(3):
        socket.send_fds(bell, [b"\0" * 3], [reading, writing])


def eat_memory() -> None:
    """Fill real memory until there is none to be had; where nobody sets a limit, stop before the machine suffers."""
    eaten: list[bytes] = []
    while len(eaten) < 128:
        eaten.append(b"\1" * (16 << 20))
    sys.exit("2 GiB were to be had")


def starve_and_abort() -> None:
    """As a C++ library ends when nobody catches its exception."""
    try:
        eat_memory()
    except MemoryError:
        sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
        sys.stderr.flush()
        os.abort()


def have_a_child(bell: socket.socket) -> None:
    """Start a process of its own that would outlive it, and tell its number."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    sys.stderr.write(f"child {child.pid}\n")
    rest(bell)


def refuse_and_stay(bell: socket.socket) -> None:
    """Say that it cannot serve, and live on."""
    bell.send(json_frame(Operation.REFUSED, {"reason": "OUT_OF_MEMORY", "detail": "full"}))
    time.sleep(3600)


def tell_surroundings() -> None:
    """What this process can see without asking anybody."""
    seen = {"environment": sorted(os.environ), "folder": [path.name for path in Path.cwd().iterdir()]}
    sys.stderr.write(json.dumps(seen) + "\n")


def ignore_signals() -> None:
    """Ignore every signal that can be."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def shrink(mailbox: int, parcel: int) -> None:
    """Try to pull the shared memory from under the server, and to change what was verified."""
    refused = 0
    for attempt in (
        lambda: os.ftruncate(mailbox, 0),
        lambda: os.ftruncate(parcel, 0),
        lambda: os.pwrite(parcel, b"\0", 0),
        lambda: fcntl.fcntl(mailbox, fcntl.F_ADD_SEALS, 0),
    ):
        try:
            attempt()
        except PermissionError:
            refused += 1
    sys.stderr.write(f"refused {refused} of 4\n")


def chatter() -> None:
    """Fill the log, with escape sequences and a line without end."""
    for number in range(1000):
        sys.stderr.write(f"\x1b[31mline {number}\x1b[0m\n")
    sys.stderr.write("x" * 1_000_000)
    sys.stderr.flush()


def flood_errors() -> None:
    """Write to the error stream for ever, as fast as anybody reads."""
    while True:
        sys.stderr.write("error: a line of no use\n" * 2000)


NONSENSE: dict[str, Callable[[socket.socket], object]] = {
    "sends an empty packet": lambda bell: bell.send(b""),
    "sends half a head": lambda bell: bell.send(b"\x01" * 7),
    "sends noise": lambda bell: bell.send(os.urandom(4096)),
    "sends a huge frame": lambda bell: bell.send(HEAD.pack(0, 100_000, 0, 0, Operation.READY) + bytes(100_000)),
    "promises more than it sends": lambda bell: bell.send(HEAD.pack(0, 1 << 60, 0, 0, Operation.READY) + b"{}"),
    "sends broken JSON": lambda bell: bell.send(HEAD.pack(0, 3, 0, 0, Operation.READY) + b"{,}"),
    "sends a list": lambda bell: bell.send(HEAD.pack(0, 2, 0, 0, Operation.READY) + b"[]"),
    "sends deep JSON": lambda bell: bell.send(
        HEAD.pack(0, MAXIMUM_JSON_BYTES, 0, 0, Operation.READY) + b"[" * MAXIMUM_JSON_BYTES
    ),
    "answers before it is ready": lambda bell: bell.send(batch_frame(Operation.DONE, sequence=1, rows=1, slot=0)),
    "orders the server about": lambda bell: bell.send(batch_frame(Operation.RUN, sequence=1, rows=1, slot=0)),
    "names a provider nobody offered": lambda bell: ready(bell, provider="CUDA"),
    "is ready below its threshold": lambda bell: ready(bell, placement_share=0.5),
    "is ready with a wrong answer": lambda bell: ready(bell, known_answer_error=1.5),
    "is ready with no number": lambda bell: ready(bell, known_answer_error=float("nan")),
    "is ready with odd timings": lambda bell: ready(bell, latency_s=[[10**9, 0.1]]),
    "is ready with a number that only JSON can hold": lambda bell: ready(bell, known_answer_error=10**400),
    "is ready as another release": lambda bell: ready(bell, release="9.9.9"),
    "is ready as no release": lambda bell: ready(bell, release=None),
    "is ready as a list of releases": lambda bell: ready(bell, release=[["9.9.9"] * 100] * 10),
    "refuses for a list of reasons": lambda bell: bell.send(
        json_frame(Operation.REFUSED, {"reason": ["OUT_OF_MEMORY"], "detail": ""})
    ),
    "hands over descriptors": hand_over_descriptors,
    "refuses without a reason": lambda bell: bell.send(json_frame(Operation.REFUSED, {"detail": "because"})),
    "refuses for a reason of the server": lambda bell: bell.send(
        json_frame(Operation.REFUSED, {"reason": "OPERATOR_DISABLED", "detail": ""})
    ),
}

BEFORE_READY: dict[str, Callable[[socket.socket], object]] = NONSENSE | {
    "exits": lambda _: sys.exit("no such library: error 7"),
    "aborts": lambda _: os.abort(),
    "hangs": lambda _: time.sleep(3600),
    "refuses in many words": lambda bell: bell.send(
        json_frame(
            Operation.REFUSED, {"reason": "OUT_OF_MEMORY", "detail": "\ud800\x1b[31m" * 1000, "runtime": {"a": 1}}
        )
    ),
    "has a child while loading": have_a_child,
    "eats memory while loading": lambda _: eat_memory(),
    "says nothing and hangs up": hang_up,
    "is refused and stays": refuse_and_stay,
}

AFTER_READY: dict[str, Callable[[socket.socket], object]] = {
    "answers another sequence": lambda bell: answer(bell, sequence=1),
    "answers from another slot": lambda bell: answer(bell, slot=1),
    "answers from a slot that is not": lambda bell: answer(bell, slot=7),
    "answers with more rows": lambda bell: answer(bell, rows=1_000_000),
    "answers without computing": answer,
    "fails in an odd form": fail_oddly,
    "fails for a list of reasons": lambda bell: fail_oddly(bell, reason=["EXECUTION_FAILED"]),
    "fails for an object": lambda bell: fail_oddly(bell, reason={"EXECUTION_FAILED": 1}),
    "ran for six hundred years": lambda bell: answer(bell, compute_ns=(1 << 64) - 1),
    "answers for both slots": answer_both,
    "is ready again": ready,
    "answers unasked": lambda bell: bell.send(batch_frame(Operation.DONE, sequence=99, rows=1, slot=1)),
    "answers for ever": flood,
    "sends noise instead of an answer": lambda bell: bell.send(os.urandom(4096)),
}


def asked_first(misdeed: Callable[[socket.socket], object]) -> Callable[[socket.socket], object]:
    """The misdeed in the middle of a batch."""

    def at_work(bell: socket.socket) -> object:
        asked(bell)
        return misdeed(bell)

    return at_work


AT_WORK: dict[str, Callable[[socket.socket], object]] = {
    "hangs up": asked_first(hang_up),
    "tells its surroundings": lambda _: tell_surroundings(),
    "ignores signals": lambda _: ignore_signals(),
    "eats memory in a batch": asked_first(lambda _: starve_and_abort()),
    "is killed by the kernel for its memory": asked_first(lambda _: eat_memory()),
    "aborts in a batch": asked_first(lambda _: os.abort()),
    "has a child": have_a_child,
    "floods its errors": lambda _: flood_errors(),
}


def main() -> None:
    mode, _, doorbell, parcel, mailbox, *_ = sys.argv[1:]
    bell = socket.socket(fileno=int(doorbell))
    if mode in BEFORE_READY:
        BEFORE_READY[mode](bell)
        return rest(bell)
    ready(bell)
    match mode:
        case "tampers":
            shrink(int(mailbox), int(parcel))
        case "chatters":
            chatter()
        case _ if mode in AT_WORK:
            AT_WORK[mode](bell)
        case _ if mode in AFTER_READY:
            AFTER_READY[mode](bell)
    return rest(bell)


if __name__ == "__main__":
    main()
