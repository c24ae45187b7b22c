"""PINs of tokens, from files that only their reader can read. Refuses one that everybody on the machine can read."""

import stat
from pathlib import Path

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

_MAXIMUM_BYTES = 1024


def read_pin(path: Path) -> str:
    """The first line of the file. Raises: TrustError PIN_UNREADABLE."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            line = file.read(_MAXIMUM_BYTES).partition(b"\n")[0].removesuffix(b"\r").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "not UTF-8"
        raise TrustError(rule=TrustRule.PIN_UNREADABLE, detail=f"{path}: {why}") from error
    if stat.S_ISREG(mode) and mode & stat.S_IRWXO:
        raise TrustError(rule=TrustRule.PIN_UNREADABLE, detail=f"{path} is open to everybody: chmod o= it")
    if not line:
        raise TrustError(rule=TrustRule.PIN_UNREADABLE, detail=f"{path} holds no PIN in its first line")
    return line
