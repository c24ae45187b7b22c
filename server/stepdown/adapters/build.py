"""What software runs: a digest over the package's own code, so that a start on record names what answered after it.

Refuses to believe a version number: two installations that say the same and differ in one byte differ here.
"""

import platform
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import stepdown
from stepdown.domain.build import Build

BILL_OF_MATERIALS = Path(sys.prefix) / "share" / "stepdown" / "sbom.cdx.json"
"""Where an image has the list of what is installed in it (CycloneDX)."""


@cache
def this_build(package: Path = Path(stepdown.__file__).parent, bill: Path = BILL_OF_MATERIALS) -> Build:
    """What runs in this process.

    `code_sha256` is over `<digest>  <path>` lines of every Python file of the package in the order of paths: what
    `find . -name '*.py' | sort | xargs sha256sum | sha256sum` prints in the folder of the package, in the C locale.
    """
    files = sorted("./" + file.relative_to(package).as_posix() for file in package.rglob("*.py"))
    lines = (f"{sha256((package / file).read_bytes()).hexdigest()}  {file}\n" for file in files)
    sbom_sha256 = ""
    with suppress(FileNotFoundError):
        sbom_sha256 = sha256(bill.read_bytes()).hexdigest()
    return Build(
        version=stepdown.__version__,
        code_sha256=sha256("".join(lines).encode()).hexdigest(),
        python=platform.python_version(),
        sbom_sha256=sbom_sha256,
    )
