"""An image built from this checkout over a Debian of our own, and a container of it as an engine would run it.

No engine is needed: the container's file system is mounted, made read-only, and entered as another user in namespaces
of its own. It shares the loopback interface, by which a client asks from outside.
"""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.running_server import ROOT

USER = 10001
_BUILDAH = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
# A program that the base brings and the server must not need: all of /usr/bin but the interpreter.
_ENTER = """
set -eu
mount --bind "$ROOT_FS" "$ROOT_FS"
mount --bind "$CONFIGURATION" "$ROOT_FS/etc/stepdown"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT_FS/tmp"
mount -t tmpfs -o mode=0700,uid=10001,gid=10001 tmpfs "$ROOT_FS/var/lib/stepdown"
mount -t proc proc "$ROOT_FS/proc"
mkdir "$ROOT_FS/tmp/bin"
cp -a "$ROOT_FS"/usr/bin/python3* "$ROOT_FS/tmp/bin/"
mount --bind "$ROOT_FS/tmp/bin" "$ROOT_FS/usr/bin"
mount -t tmpfs tmpfs "$ROOT_FS/usr/sbin"
mount -o remount,ro,bind "$ROOT_FS"
exec env -i PATH=/opt/stepdown/bin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin HOME=/nonexistent \
    PYTHONDONTWRITEBYTECODE=1 XDG_STATE_HOME=/var/lib/stepdown chroot --userspec=10001:10001 "$ROOT_FS" "$@"
"""


def run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    """Run a step; its output. Fails with what it said."""
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **_BUILDAH, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, f"{command}: {ended.stdout[-2000:]} {ended.stderr[-4000:]}"
    return ended.stdout.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image in a store of its own, and its file system."""

    store: Path
    tag: str
    file_system: Path

    def described(self) -> dict[str, Any]:
        """Its configuration, as every engine reads it."""
        told = json.loads(buildah(self.store, "inspect", "--type", "image", self.tag))
        config: dict[str, Any] = told["Docker"]["config"]
        return config


def buildah(store: Path, *command: str | Path) -> str:
    """One command of buildah on a store of ours."""
    return run("buildah", "--root", store / "images", "--runroot", store / "run", *command)


def debian_base(store: Path, folder: Path) -> str:
    """A minimal Debian with Python, from the mirror that this machine uses. Returns its tag."""
    mirror = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages").splitlines()[0]
    # In memory: a package manager syncs each file that it unpacks.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:  # noqa: S108
        rootfs = Path(name) / "rootfs"
        run("debootstrap", "--variant=minbase", "--include=python3,python3-venv", "bookworm", rootfs, mirror)
        run("tar", "-C", rootfs, "-cf", folder / "base.tar", ".")
    (folder / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    buildah(store, "bud", "--quiet", "--tag", "localhost/debian-python:test", folder)
    return "localhost/debian-python:test"


@contextmanager
def built_image(folder: Path) -> Iterator[Image]:
    """Build it by `make image`, as its user does."""
    store, context = folder / "store", folder / "context"
    context.mkdir()
    tag = "localhost/stepdown:test"
    base = debian_base(store, context)
    run("make", "image", f"BASE={base}", f"TAG={tag}", f"ARGS=--root {store}")
    container = buildah(store, "from", tag)
    try:
        yield Image(store=store, tag=tag, file_system=Path(buildah(store, "mount", container)))
    finally:
        buildah(store, "rm", container)
        buildah(store, "rmi", "--all", "--force")


@contextmanager
def container(image: Image, configuration: Path, *command: str, log: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run the image's command: not as root, on a read-only root, without a single tool of the base."""
    environment = {**os.environ, "ROOT_FS": str(image.file_system), "CONFIGURATION": str(configuration)}
    enter = ("unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", _ENTER, "enter")
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*enter, *command], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        yield process
    finally:
        # Who changes his user outlives his parent's death, whatever was asked of the kernel before.
        with suppress(ProcessLookupError, IndexError, FileNotFoundError):
            os.kill(first_process(process), signal.SIGKILL)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def first_process(process: "subprocess.Popen[str]") -> int:
    """The container's process 1, as this machine numbers it."""
    return int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])


def stop(process: "subprocess.Popen[str]") -> int:
    """What an engine does: the stop signal to process 1, and wait."""
    os.kill(first_process(process), signal.SIGTERM)
    return process.wait(60)
