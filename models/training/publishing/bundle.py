"""Put one bundle folder together. Signing is another program's work: `stepdown bundle sign`."""

import shutil
from collections.abc import Mapping
from pathlib import Path

SIGNATURES = "signatures"


def write_bundle(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold exactly `files`; signatures over what lay there before no longer hold and go."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Return the files of a bundle, signatures left out."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
