"""File descriptors: as many as the system lets this process have, and how many of them connections may use.

Workers, pipes and logs need descriptors too: a server whose clients have taken all of them cannot replace a worker that
died. Refuses to leave fewer than `KEPT_BACK`.
"""

import resource
from contextlib import suppress

KEPT_BACK = 512
_LEAST = 64


def raise_descriptor_limit() -> int:
    """Take all that the hard limit allows, for this process and its children. Returns what there is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # some systems call a limit hard that they do not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft


def permitted_connections(wanted: int) -> int:
    """How many connections there may be at a time: those wanted, or fewer where descriptors run short."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(_LEAST, min(wanted, soft - KEPT_BACK))
