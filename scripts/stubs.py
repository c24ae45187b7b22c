"""Generate `server/stepdown/api` from `proto/`, or check that what is committed is what `proto/` says.

The generated package is committed, so that a server installs without a compiler. This program is the one description
of how it is made; it edits nothing that the compiler wrote.
"""

import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(into: Path) -> None:
    """Compile every file of `proto/`: messages and services, each with its types."""
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    plugins = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"-I{well_known}"]
    command += [f"--{kind}_out={into}" for kind in ("python", "pyi", "grpc_python")]
    command += [f"--mypy_grpc_out=quiet:{into}", *sources]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": plugins}, check=True)


def written(root: Path) -> dict[str, bytes]:
    """Every generated file under a folder, by its path in the package."""
    found = {path for pattern in GENERATED for path in (root / "stepdown" / "api").rglob(pattern)}
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(found)}


def faults() -> list[str]:
    """Where the committed package differs from `proto/`; empty when it does not."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        wanted, committed = written(Path(folder)), written(ROOT / "server")
    return [
        f"server/{name} is not what proto/ says"
        for name in sorted(wanted.keys() | committed.keys())
        if wanted.get(name) != committed.get(name)
    ]


def main(arguments: list[str]) -> int:
    """`write` generates into `server/`; `check` compares."""
    if arguments == ["write"]:
        generate(ROOT / "server")
    elif arguments != ["check"]:
        print("usage: stubs.py write|check", file=sys.stderr)
        return 2
    found = faults()
    print("\n".join([*found, "run `make proto`"]) if found else "generated stubs agree with proto/")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
