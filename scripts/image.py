"""Build Stepdown's image with buildah, podman or docker, from wheels that are fetched and checked beforehand.

The build itself needs no network: it installs from a folder of wheels, each pinned by its sha256. So the same command
builds behind a hospital's firewall once `.build/image/wheels` is filled. It refuses packages that would be compiled.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WHEELS = ROOT / ".build" / "image" / "wheels"
BUILDERS = ("buildah", "podman", "docker")
VARIANTS = ("cpu", "cuda", "migraphx")


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run one step in sight, and end with its exit code when it fails."""
    ended = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False)
    if ended.returncode:
        sys.exit(f"image: failed ({ended.returncode}): {' '.join(str(part) for part in command)}")


def usable_builder() -> str:
    """The first builder that really works: a client without its engine does not."""
    for name in BUILDERS:
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    sys.exit(f"image: none of {', '.join(BUILDERS)} works here; on Debian: apt-get install buildah")


def fetch_wheels(variant: str) -> None:
    """Fill the folder of wheels with what the locks pin, for the Python that runs this."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    for lock in (variant, "image"):
        run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", "--dest", WHEELS),
            *("--requirement", ROOT / "requirements" / f"{lock}.lock"),
        )


def last_commit_s() -> str:
    """When the source was last changed, in seconds of the epoch: the time that the image carries."""
    command = ("git", "log", "-1", "--format=%ct")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout.strip() or "0"


def main(arguments: list[str]) -> int:
    """Build it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, default="cpu")
    parser.add_argument("--base", help="the base image: glibc, and this very minor version of Python with venv")
    parser.add_argument("--tag", default="")
    parser.add_argument("--root", type=Path, help="buildah: where its images are (--root, with --runroot beside it)")
    chosen = parser.parse_args(arguments)
    builder = usable_builder()
    fetch_wheels(chosen.variant)
    stores = ("--root", chosen.root / "images", "--runroot", chosen.root / "run") if chosen.root else ()
    epoch_s = os.environ.get("SOURCE_DATE_EPOCH", last_commit_s())
    base = ("--build-arg", f"BASE={chosen.base}") if chosen.base else ()
    # The health check has no place in OCI's own format.
    form = () if builder == "docker" else ("--format", "docker")
    run(
        *(builder, *stores, "build" if builder == "docker" else "bud", *form, *base),
        *("--build-arg", f"VARIANT={chosen.variant}", "--build-arg", f"SOURCE_DATE_EPOCH={epoch_s}"),
        *("--tag", chosen.tag or f"stepdown:{chosen.variant}", "."),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
