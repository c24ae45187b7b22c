"""What the end of a process says about its cause: want of memory, where that can be seen.

Refuses to guess: an end that nothing explains is a lost worker.
"""

from stepdown.adapters.worker_pool.limits import oom_kills
from stepdown.adapters.worker_pool.log import WorkerLines
from stepdown.domain.reasons import Reason

_KILLED = "ended by SIGKILL"
_LEFT = "ended with exit code 0"


def cause_of_death(how: str, *, lines: WorkerLines, kills_before: int) -> tuple[Reason, str]:
    """Want of memory shows in the process's last words, or in the kernel's count of its victims.

    That count is the whole machine's, and the victim can have been another: it is said as a probability.

    Args:
        how: the end, as the process's owner words it; nobody here brought it about.
        lines: what the process wrote to its error stream.
        kills_before: the kernel's count when the process was started.
    """
    if how == _KILLED and oom_kills() > kills_before:
        return Reason.OUT_OF_MEMORY, f"{how}, probably by the kernel for want of memory"
    if how not in {_KILLED, _LEFT} and lines.tell_of_memory():
        return Reason.OUT_OF_MEMORY, f"{how} for want of memory"
    return Reason.WORKER_LOST, how
