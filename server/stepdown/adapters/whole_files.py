"""Files that are replaced whole and flushed to disk before they count: no reader and no power cut sees half of one."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` in the place of the file, readable by its owner alone. Raises: OSError, and the old file stands."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
