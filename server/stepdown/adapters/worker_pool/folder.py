"""The empty folder workers stand in, so that a path in a model leads nowhere.

Each pool has its own and holds a lock on it; one that nobody holds was left by a server that was killed, and is
removed by the next. Refuses to remove anything that is not empty.
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "stepdown-workers-"
_READ_AND_ENTER = 0o500
_ATTEMPTS = 10


class EmptyFolder:
    """A new, empty, read-only folder for as long as it is not closed."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make it below `parent` (None: the system's temporary folder), and tidy up after the dead. Raises: OSError."""
        parent = parent or Path(tempfile.gettempdir())
        for left in parent.glob(f"{_PREFIX}*"):
            _remove_if_left(left)
        self.path, self._lock = _made(parent)
        self.path.chmod(_READ_AND_ENTER)

    def close(self) -> None:
        """Remove it. Closing twice is closing once."""
        if self._lock >= 0:
            with suppress(OSError):
                self.path.rmdir()
            os.close(self._lock)
            self._lock = -1


def _made(parent: Path) -> tuple[Path, int]:
    """A new folder and its lock. Until it is locked, a server that tidies up can take it for one that was left."""
    for _ in range(_ATTEMPTS):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        with suppress(FileNotFoundError, BlockingIOError):
            return folder, _locked(folder)
    raise FileExistsError(f"{parent}: no folder could be kept from being tidied up")


def _locked(folder: Path) -> int:
    """A descriptor that holds the folder. Raises: BlockingIOError when somebody else does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):
        descriptor = _locked(folder)
        try:
            folder.rmdir()
        finally:
            os.close(descriptor)
