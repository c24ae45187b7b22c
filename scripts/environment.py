"""Make a virtual environment hold exactly what its locks name, and nothing when it already does.

Runs on any Python >= 3.11 with the standard library alone, since it is what installs everything else. A stamp with
the digests of the locks is removed before the first change and written after the last: where it is missing, an
installation was interrupted and nothing found there is believed, so the environment is made anew. It refuses packages
without a pinned sha256 and packages that would have to be compiled, and it downloads no Python.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALLER = ROOT / "requirements" / "installer.lock"
STAMP = ".complete"
OLDEST_UV = (0, 9)
IS_SUPPORTED = "--supported"


def run(*command: str | Path) -> None:
    """Run one step with its output in sight, ending this program when the step fails."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    ended = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
    if ended.returncode:
        sys.exit(f"environment: failed ({ended.returncode}): {' '.join(str(part) for part in command)}")


def answers(*command: str | Path) -> str | None:
    """What a program prints, or None where it is absent or fails (a version manager's shim exists and fails)."""
    try:
        ended = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return ended.stdout if ended.returncode == 0 else None


def usable_uv() -> Path | None:
    """The machine's own uv, if it is there, works, and is not older than the locks need."""
    found = shutil.which("uv")
    version = re.match(r"uv (\d+)\.(\d+)", answers(found, "--version") or "") if found else None
    if found is None or version is None or (int(version[1]), int(version[2])) < OLDEST_UV:
        return None
    return Path(found)


def supported(version: tuple[int, int]) -> bool:
    """Whether a Python lies in the range of `requires-python`, which pyproject.toml alone states."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    bounds = re.fullmatch(r">=(\d+)\.(\d+),<(\d+)\.(\d+)", stated)
    if bounds is None:
        sys.exit(f"environment: requires-python is not a range of minor versions: {stated}")
    first, second, third, fourth = map(int, bounds.groups())
    return (first, second) <= version < (third, fourth)


def starts(python: Path) -> bool:
    """Whether an interpreter is there, starts, and is one this package supports."""
    return answers(python, Path(__file__), IS_SUPPORTED) is not None


def contents(locks: list[Path], *, project: bool) -> set[str]:
    """A digest for each thing that the environment shall hold, bound to this place and to this program."""
    parts = [*locks, *([ROOT / "pyproject.toml"] if project else [])]
    bound = str(ROOT).encode() + Path(__file__).read_bytes()
    return {f"{part.name} {hashlib.sha256(bound + part.read_bytes()).hexdigest()}" for part in parts}


def holds(environment: Path, wanted: set[str]) -> bool:
    """Whether a finished installation already has everything wanted (it may have more: `make test` adds tools)."""
    stamp = environment / STAMP
    finished = set(stamp.read_text().splitlines()) if stamp.exists() else set()
    return wanted <= finished and starts(environment / "bin" / "python")


def create(environment: Path, *, with_pip: bool, anew: bool) -> Path:
    """Make the environment where it is absent, broken or unfinished. Returns its Python."""
    python = environment / "bin" / "python"
    if anew or not starts(python):
        run(sys.executable, "-m", "venv", "--clear", *([] if with_pip else ["--without-pip"]), environment)
    if with_pip and answers(python, "-m", "pip", "--version") is None:
        run(python, "-m", "ensurepip")
    return python


def install(environment: Path, locks: list[Path], *, project: bool, anew: bool) -> None:
    """Bring uv if the machine lacks it, then make the environment equal to the locks."""
    uv = usable_uv()
    python = create(environment, with_pip=uv is None, anew=anew)
    if uv is None:
        run(python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", "--require-hashes", "-r", INSTALLER)
        uv = environment / "bin" / "uv"
    run(uv, "pip", "sync", "--python", python, "--require-hashes", "--only-binary", ":all:", *locks)
    if project:
        run(uv, "pip", "install", "--python", python, "--no-deps", "--no-build-isolation", "--editable", ROOT)


def main(arguments: list[str]) -> None:
    """Prepare the environment named on the command line."""
    if arguments == [IS_SUPPORTED]:
        sys.exit(0 if supported(sys.version_info[:2]) else 1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment", type=Path, help="the folder of the environment, for instance .venv")
    parser.add_argument("locks", type=Path, nargs="+", help="the locks it shall hold, and nothing beside them")
    parser.add_argument("--project", action="store_true", help="install this repository's package too, editable")
    asked = parser.parse_args(arguments)
    wanted = contents(asked.locks, project=asked.project)
    if holds(asked.environment, wanted):
        return
    stamp = asked.environment / STAMP
    anew = not stamp.exists()
    stamp.unlink(missing_ok=True)
    install(asked.environment.absolute(), asked.locks, project=asked.project, anew=anew)
    stamp.write_text("\n".join(sorted(wanted)))


if __name__ == "__main__":
    main(sys.argv[1:])
