"""Write the hash-pinned locks in `requirements/`, or check that none has fallen behind `pyproject.toml`.

A lock holds names, versions and sha256 digests. It names no index and no host, so that a hospital installs from its
own mirror without editing a file. The first line of a lock carries the digest of the lists it was resolved from:
`check` compares that digest and needs no network. It refuses to resolve anything in `check`.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUBJECT = re.compile(r"^# resolved from sha256:(?P<digest>[0-9a-f]{64})$", re.MULTILINE)
PINNED = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]*==[^\s;]+(?: ;[^\\]*)?(?: \\)?$")
HASHED = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
OLDEST_PYTHON = "3.11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """One file of `requirements/`: the extras and groups it resolves, with or without the server's own dependencies."""

    name: str
    runtime: bool = False
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    agrees_with: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where the lock stands."""
        return ROOT / "requirements" / f"{self.name}.lock"


LOCKS = (
    Lock(name="dev", runtime=True, groups=("build", "dev")),
    Lock(name="cpu", runtime=True, extras=("cpu",), agrees_with=("dev",)),
    Lock(name="cuda", runtime=True, extras=("cuda",), agrees_with=("dev",)),
    Lock(name="migraphx", runtime=True, extras=("migraphx",), agrees_with=("dev",)),
    Lock(name="hsm", extras=("hsm",), agrees_with=("dev",)),
    Lock(name="build", groups=("build",), agrees_with=("dev",)),
    Lock(name="image", groups=("image",), agrees_with=("dev",)),
    Lock(name="installer", groups=("installer",)),
    Lock(name="peers", groups=("peers",)),
    Lock(name="loadtest", runtime=True, groups=("loadtest",), agrees_with=("dev",)),
    Lock(name="train", runtime=True, extras=("train",), left_out=("torch",), agrees_with=("cpu",)),
)


def requirements(lock: Lock, project: dict[str, object]) -> list[str]:
    """Every requirement that the lock answers for, sorted."""
    table = project["project"]
    groups = project["dependency-groups"]
    if not isinstance(table, dict) or not isinstance(groups, dict):
        message = "pyproject.toml: [project] and [dependency-groups] must be tables"
        raise TypeError(message)
    wanted = list(table["dependencies"]) if lock.runtime else []
    for extra in lock.extras:
        wanted += table["optional-dependencies"][extra]
    for group in lock.groups:
        wanted += groups[group]
    return sorted(wanted)


def digest(lock: Lock, project: dict[str, object]) -> str:
    """The digest of what the lock is resolved from: requirements, Python range, and what is left out."""
    table = project["project"]
    python = table["requires-python"] if isinstance(table, dict) else ""
    subject = [requirements(lock, project), python, lock.left_out]
    return hashlib.sha256(json.dumps(subject).encode()).hexdigest()


def resolve(lock: Lock, project: dict[str, object], options: list[str]) -> None:
    """Resolve one lock with uv for every supported Python and write it, moving only the pins that must move."""
    command = ["uv", "pip", "compile", "-", "--universal", "--python-version", OLDEST_PYTHON, *options]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]
    command += ["--output-file", str(lock.path)]
    for name in lock.left_out:
        command += ["--no-emit-package", name]
    for name in lock.agrees_with:
        command += ["--constraints", str(ROOT / "requirements" / f"{name}.lock")]
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    asked = "\n".join(requirements(lock, project))
    subprocess.run(command, cwd=ROOT, env=environment, input=asked, text=True, check=True, stdout=subprocess.DEVNULL)
    lock.path.write_text(f"# resolved from sha256:{digest(lock, project)}\n{lock.path.read_text()}")


def faults(lock: Lock, project: dict[str, object]) -> list[str]:
    """What is wrong with one lock; empty when nothing is."""
    where = lock.path.relative_to(ROOT)
    if not lock.path.exists():
        return [f"{where}: missing: run `make lock`"]
    text = lock.path.read_text()
    found = []
    subject = SUBJECT.search(text)
    if subject is None or subject["digest"] != digest(lock, project):
        found.append(f"{where}: pyproject.toml has changed since it was resolved: run `make lock`")
    found += [
        f"{where}:{number}: neither a pinned name nor a sha256: {line}"
        for number, line in enumerate(text.splitlines()[1:], start=2)
        if not (PINNED.match(line) or HASHED.match(line))
    ]
    return found


def main(arguments: list[str]) -> int:
    """`write` resolves every lock (needs an index); `check` compares, and says what is stale."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    if arguments in (["write"], ["write", "--upgrade"]):
        for lock in LOCKS:
            resolve(lock, project, arguments[1:])
    elif arguments != ["check"]:
        print("usage: locks.py write [--upgrade] | check", file=sys.stderr)
        return 2
    found = [fault for lock in LOCKS for fault in faults(lock, project)]
    print("\n".join(found) if found else f"{len(LOCKS)} locks agree with pyproject.toml")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
