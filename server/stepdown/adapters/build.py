"""What software runs: a digest over the package's own code, so that a start on record names what answered after it.

Refuses to believe a version number: two installations that say the same and differ in one byte differ here.
"""

import platform
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import stepdown


def build_facts(package: Path | None = None) -> Mapping[str, str]:
    """`version`, `code_sha256` and `python` of what runs.

    `code_sha256` is over `<digest>  <path>` lines of every Python file of the package in the order of paths: what
    `find . -name '*.py' | sort | xargs sha256sum | sha256sum` prints in the folder of the package, in the C locale.
    """
    folder = package or Path(stepdown.__file__).parent
    files = sorted("./" + file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))
    lines = (f"{sha256((folder / file).read_bytes()).hexdigest()}  {file}\n" for file in files)
    return {
        "version": stepdown.__version__,
        "code_sha256": sha256("".join(lines).encode()).hexdigest(),
        "python": platform.python_version(),
    }
