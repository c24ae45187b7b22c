"""`python -m stepdown.worker`: a worker of the pool (`serve`), or one of the commands beside it.

The pool alone runs `serve`; what that takes is a contract between two files of one version. Nothing heavy is imported
before the process is tied to its parent: one that was started in vain ends at once.
"""

import socket
import sys


def main(arguments: list[str]) -> int:
    """Run the command line without the program's name and return the exit code."""
    if arguments and arguments[0] == "serve":
        return _serve(arguments[1:])
    from stepdown.worker.commands import run_command  # noqa: PLC0415 - only the chosen command's modules are loaded

    return run_command(arguments)


def _serve(arguments: list[str]) -> int:
    """`PARENT_PID DOORBELL_FD PARCEL_FD MAILBOX_FD [what `ps` shall show]`."""
    parent_pid, doorbell, parcel, mailbox = map(int, arguments[:4])
    from stepdown.worker import confinement  # noqa: PLC0415

    confinement.die_with(parent_pid)
    confinement.leave_no_trace()
    from stepdown.worker.service import serve  # noqa: PLC0415

    with socket.socket(fileno=doorbell) as bell:
        return serve(bell, parcel, mailbox)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
