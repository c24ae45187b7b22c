"""How soon the death of a child is told: by its pidfd, by its end of a socket, by a robust mutex in shared memory.

    python bench/death_notice.py [MEGABYTES [ROUNDS]]

The child touches that much memory, as a worker's model does: the kernel frees it before it closes what the child had
open, but walks the child's robust mutexes before that.
"""

import ctypes
import mmap
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

_CHILD = """
import ctypes, mmap, os, sys, time
shared = mmap.mmap(int(sys.argv[1]), mmap.PAGESIZE)
block = bytearray(int(sys.argv[2]) << 20)
block[::mmap.PAGESIZE] = bytes([1]) * len(block[::mmap.PAGESIZE])
place = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(shared)))
assert ctypes.CDLL(None).pthread_mutex_lock(place) == 0
os.write(int(sys.argv[3]), b"ready")
time.sleep(600)
"""
_SHARED, _ROBUST = 1, 1
_OWNER_DIED = 130
_MUTEX_BYTES = 64
_SETTLED_S = 0.05

_LIBC = ctypes.CDLL(None)


def _robust_mutex(place: ctypes.c_void_p) -> None:
    attributes = ctypes.create_string_buffer(_MUTEX_BYTES)
    _LIBC.pthread_mutexattr_init(attributes)
    _LIBC.pthread_mutexattr_setpshared(attributes, _SHARED)
    _LIBC.pthread_mutexattr_setrobust(attributes, _ROBUST)
    _LIBC.pthread_mutex_init(place, attributes)


def _closed(names: dict[int, str]) -> dict[str, float]:
    """When each of these descriptors could be read."""
    told = {}
    with select.epoll() as poll:
        for descriptor in names:
            poll.register(descriptor, select.EPOLLIN)
        while names:
            for descriptor, _ in poll.poll():
                told[names.pop(descriptor)] = time.monotonic()
                poll.unregister(descriptor)
    return told


def _death(megabytes: int) -> dict[str, float]:
    """Milliseconds from SIGKILL to each notice."""
    memory = os.memfd_create("death")
    os.ftruncate(memory, mmap.PAGESIZE)
    shared = mmap.mmap(memory, mmap.PAGESIZE)
    place = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(shared)))
    _robust_mutex(place)
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    arguments = [str(memory), str(megabytes), str(theirs.fileno())]
    child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], pass_fds=(memory, theirs.fileno()))
    theirs.close()
    mine.recv(8)
    process = os.pidfd_open(child.pid)
    told: dict[str, float] = {}

    def wait_for_mutex() -> None:
        if _LIBC.pthread_mutex_lock(place) == _OWNER_DIED:
            told["robust mutex"] = time.monotonic()

    def wait_for_descriptors() -> None:
        told.update(_closed({process: "pidfd", mine.fileno(): "socket"}))

    waiting = [threading.Thread(target=wait) for wait in (wait_for_mutex, wait_for_descriptors)]
    for thread in waiting:
        thread.start()
    time.sleep(_SETTLED_S)
    killed_s = time.monotonic()
    child.send_signal(signal.SIGKILL)
    for thread in waiting:
        thread.join()
    child.wait()
    mine.close()
    os.close(process)
    os.close(memory)
    return {name: (at_s - killed_s) * 1e3 for name, at_s in told.items()}


def main(megabytes: int = 300, rounds: int = 20) -> None:
    """Print the median, the ninth decile and the worst of each notice."""
    deaths = [_death(megabytes) for _ in range(rounds)]
    for name in ("robust mutex", "socket", "pidfd"):
        taken = sorted(death[name] for death in deaths)
        ninth = taken[int(0.9 * (len(taken) - 1))]
        middle = statistics.median(taken)
        sys.stdout.write(f"{megabytes} MB, {name}: {middle:.2f} ms, ninth decile {ninth:.2f}, worst {taken[-1]:.2f}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
