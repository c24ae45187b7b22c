"""The newest checkpoint in a second place: one file that is replaced whole, so that no reader sees half of it.

A folder that is mounted from elsewhere does as well. Refuses nothing: what cannot be written is told to the caller.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from stepdown.adapters.keys import replace_file

CHECKPOINT_FILE = "checkpoint"
_MAXIMUM_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFolder:
    """Holds `checkpoint`, the newest one, for whoever keeps watch. `path` None: there is no second place."""

    path: Path | None

    def newest(self) -> str | None:
        """The checkpoint that is there, None where there is none. Raises: OSError, UnicodeDecodeError."""
        if self.path is None:
            return None
        try:
            with (self.path / CHECKPOINT_FILE).open("rb") as file:
                return file.read(_MAXIMUM_BYTES).decode()
        except FileNotFoundError:
            return None

    def put(self, note: str) -> None:
        """Replace it. Raises: OSError."""
        if self.path is None:
            return
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        file = self.path / CHECKPOINT_FILE
        replace_file(file, note.encode(), mode=0o644)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
