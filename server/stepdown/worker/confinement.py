"""What a process gives up before it touches a model, a patient's row or a key.

A worker: surviving its parent, core dumps, new privileges, foreign cores, and swap where its model is encrypted at
rest. The server, and whoever else holds a key: core dumps and debuggers, which would show it. Refuses to run for a
parent that is gone.
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
# <bits/mman-linux.h>
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


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


def stay_out_of_swap() -> bool:
    """Keep every page that is ever touched in memory. False: this process may not, and nothing was changed.

    Only without a limit: under one, later allocations would fail instead (mlockall(2), MCL_FUTURE).
    """
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        return False
    return int(ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)) == 0


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
