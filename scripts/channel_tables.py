"""Render the channel table, `docs/channels.md`, or check that it still says what the server reads.

Usage: `channel_tables.py` writes the file, `channel_tables.py --check` exits 1 where it is missing or stale.
"""

import sys
from pathlib import Path

from stepdown.clinical.markdown import channel_document

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/channels.md"


def is_stale(root: Path) -> bool:
    """Whether the document below `root` is missing or holds something else than the channel table."""
    document = root / DOCUMENT
    return not document.is_file() or document.read_text("utf-8") != channel_document()


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write or check, and return the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if not is_stale(root):
        print(f"{DOCUMENT} is up to date")
        return 0
    if arguments:
        print(f"{DOCUMENT}: stale or missing; run python scripts/channel_tables.py", file=sys.stderr)
        return 1
    (root / DOCUMENT).parent.mkdir(exist_ok=True)
    (root / DOCUMENT).write_text(channel_document(), "utf-8")
    print(f"wrote {DOCUMENT}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
