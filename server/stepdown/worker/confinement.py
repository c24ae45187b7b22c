"""What a worker gives up before it touches a model: surviving its parent, core dumps, new privileges, foreign cores.

A core dump or a debugger would show the rows of patients. Refuses to run for a parent that is gone.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Sequence

# <linux/prctl.h>
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class OrphanedError(OSError):
    """The process that ordered this one ended before it could be tied to it."""


def die_with(parent_pid: int) -> None:
    """Have the kernel kill this process when the parent's starting thread ends.

    Raises:
        OrphanedError: the parent is gone already, so the kernel would never tell.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        raise OrphanedError(f"parent {parent_pid} is gone")


def leave_no_trace() -> None:
    """No core dump, no debugger, no memory readable through /proc, no privilege gained by any later exec."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def step_back(*, cores: Sequence[int], niceness: int) -> None:
    """Keep to the given cores (none given: those inherited) and yield to the server by `niceness`. Raises: OSError."""
    if cores:
        os.sched_setaffinity(0, cores)
    if niceness:
        os.nice(niceness)


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")
