"""One child process as its owner holds it: how it is started, rung, killed and reaped.

The child gets three descriptors and an almost empty environment; its working directory is empty. It must be started by
a thread that lives as long as the pool, because the kernel ends it with the thread that started it. Refuses to wait.
"""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import stepdown
from stepdown.adapters.worker_pool.limits import confine
from stepdown.worker.frames import Operation, batch_frame
from stepdown.worker.mailbox import Layout, Mailbox, create_memory
from stepdown.worker.parcel import Content, seal_parcel

_INHERITED = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH"})
_INHERITED_PREFIXES = ("CUDA_", "NVIDIA_", "HIP_", "ROCR_", "ROCM_", "HSA_", "GPU_", "MIGRAPHX_", "ORT_")
# NumPy's own threads would only compete with ONNX Runtime's, whose number is chosen.
_SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_READ_BYTES = 65_536
_SOURCE_ROOT = str(Path(stepdown.__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """What to start: the program, where it stands, what it is told, what it loads, and what `ps` shows of it.

    `memory_bytes` and `oom_score` are as `limits.confine` takes them.
    """

    program: tuple[str, ...]
    working_directory: Path
    environment: Mapping[str, str]
    order: bytes
    files: Mapping[str, Content]
    layout: Layout
    label: str
    memory_bytes: int = 0
    oom_score: int = 0


def worker_environment(inherited: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """What a worker may know of the server's environment: paths, language, and what drivers read. No secrets."""
    kept = {
        name: value for name, value in inherited.items() if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }
    return {**kept, **_SINGLE_THREADED, "PYTHONPATH": _SOURCE_ROOT, **added}


class WorkerProcess:
    """A started child. All that speaks to it may be called from any thread, also while another hangs up."""

    def __init__(
        self, child: subprocess.Popen[bytes], *, doorbell: socket.socket, errors: int, memory: Mailbox
    ) -> None:
        """Take over a child, this side of its doorbell and the reading end of its error pipe. Raises: OSError."""
        self._child = child
        self._lock = threading.Lock()
        self._connected = True
        self._watched = True
        self.pidfd = os.pidfd_open(child.pid)
        self.doorbell = doorbell
        self.errors = errors
        self.mailbox = memory
        self.pid = child.pid
        self.unconfined: tuple[str, ...] = ()
        """What the kernel would not set for it, in words."""

    def ring(self, *, sequence: int, rows: int, slot: int) -> bool:
        """Announce a batch without waiting. False: nobody reads the doorbell any more."""
        return self.send(batch_frame(Operation.RUN, sequence=sequence, rows=rows, slot=slot))

    def send(self, frame: bytes) -> bool:
        """Put a frame through the doorbell without waiting. False: nobody reads it any more, or it is full."""
        with self._lock:
            try:
                return self._connected and self.doorbell.send(frame) == len(frame)
            except OSError:
                return False

    def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives. By descriptor: the number could belong to another process by now."""
        with self._lock, suppress(ProcessLookupError):
            if self._watched:
                signal.pidfd_send_signal(self.pidfd, number)

    def ending(self) -> str | None:
        """How the process ended, reaping it; None while it lives."""
        if self._has_ended():
            # Before it is reaped, so that its number is still its own: whatever it started goes with it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        status = self._child.poll()
        if status is None:
            return None
        return f"ended by {_signal_name(-status)}" if status < 0 else f"ended with exit code {status}"

    def _has_ended(self) -> bool:
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return False

    def read_errors(self) -> bytes | None:
        """What came down the error pipe; None: nothing yet, empty: it was closed."""
        try:
            return os.read(self.errors, _READ_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def hang_up(self) -> None:
        """Close the doorbell and the error pipe; the process is still watched."""
        with self._lock:
            if self._connected:
                self._connected = False
                self.doorbell.close()
                os.close(self.errors)

    def release(self) -> None:
        """Close every descriptor. The memory goes when the last view of it does."""
        self.hang_up()
        with self._lock:
            if self._watched:
                self._watched = False
                os.close(self.pidfd)

    def disown(self) -> None:
        """Stop waiting for a process that SIGKILL does not end: the kernel keeps it, nobody else can."""
        self.release()
        self._child.returncode = -signal.SIGKILL


def _signal_name(number: int) -> str:
    """Its name, or its number: most real-time signals have no name of their own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def start_process(plan: ProcessPlan) -> WorkerProcess:
    """Start a worker. Raises: OSError when there is no process, memory or descriptor left."""
    with _closed_afterwards() as mine, ExitStack() as on_failure:
        parcel = mine(seal_parcel(plan.order, plan.files))
        memory = mine(create_memory(plan.layout.total_bytes))
        mailbox = Mailbox(memory, plan.layout)
        doorbell, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        on_failure.callback(doorbell.close)
        far_end = mine(theirs.detach())
        errors, written = os.pipe2(os.O_CLOEXEC)
        on_failure.callback(os.close, errors)
        mine(written)
        os.set_blocking(errors, False)
        doorbell.setblocking(False)  # noqa: FBT003 - the standard library takes it by position
        child = _spawned(plan, descriptors=(far_end, parcel, memory), errors=written)
        try:
            process = WorkerProcess(child, doorbell=doorbell, errors=errors, memory=mailbox)
        except OSError:
            child.kill()
            child.wait()
            raise
        process.unconfined = tuple(confine(child.pid, memory_bytes=plan.memory_bytes, oom_score=plan.oom_score))
        on_failure.pop_all()
        return process


def _spawned(plan: ProcessPlan, *, descriptors: tuple[int, int, int], errors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*plan.program, str(os.getpid()), *map(str, descriptors), plan.label],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        cwd=plan.working_directory,
        env=plan.environment,
        pass_fds=descriptors,
        start_new_session=True,
    )


@contextmanager
def _closed_afterwards() -> Iterator[Callable[[int], int]]:
    """Descriptors that are the child's: closed here once it has them, or when it could not be started."""
    descriptors: list[int] = []

    def keep(descriptor: int) -> int:
        descriptors.append(descriptor)
        return descriptor

    try:
        yield keep
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
