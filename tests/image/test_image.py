"""The image: built by `make image`, run as an engine runs it, asked by a client from outside."""

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import tomli_w
from packaging.requirements import Requirement

from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.client import AssessmentClient, Credentials
from tests.faults.load import requests
from tests.faults.running_server import ROOT, demo_settings
from tests.image.container import USER, Image, built_image, container, first_process, run, stop
from tests.unit.transport.patience import until

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system"),
    *(
        pytest.mark.skipif(shutil.which(program) is None, reason=f"needs Debian's package {program}")
        for program in ("buildah", "debootstrap")
    ),
]
SHARE = "opt/stepdown/share/stepdown"
SERVE = ("/opt/stepdown/bin/stepdown", "serve", "--config", "/etc/stepdown/stepdown.toml")
PYTHON_OF_THE_BASE = "3.11.2"
_PINNED = re.compile(r"^([a-z0-9._-]+==[^\\\n]+?) \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with built_image(tmp_path_factory.mktemp("image")) as image:
        yield image


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def configured(folder: Path) -> Iterator[Path]:
    """A configuration as a hospital mounts it: readable by the server's user, over the bundles of the image."""
    folder.chmod(0o755)
    pki = ensure_demo_pki(folder / "certificates")
    shutil.copytree(ROOT / "deploy" / "demo", folder / "demo", ignore=shutil.ignore_patterns("stays"))
    settings = demo_settings(pki)
    # The health check reads the address where the server reads it.
    settings["server"]["ops_address"] = f"127.0.0.1:{free_port()}"
    tls = settings["server"]["tls"]
    for name in ("certificate", "key", "client_ca"):
        tls[name] = f"certificates/{Path(tls[name]).name}"
    share = f"/{SHARE}"
    settings["trust"] = {
        "policy": "demo/trust.toml",
        "bundle_directories": [f"{share}/models", f"{share}/fallback_rules"],
    }
    (folder / "stepdown.toml").write_bytes(tomli_w.dumps(settings).encode())
    for path in (folder / "certificates", *(folder / "certificates").iterdir()):
        os.chown(path, USER, USER)
    yield folder


def status(ready: dict[str, str]) -> dict[str, Any]:
    with urlopen(ready["ops"] + "/api/status", timeout=10) as response:  # noqa: S310 - this test's own server
        told: dict[str, Any] = json.load(response)
    return told


def test_a_container_answers_from_all_tiers_as_nobody_on_a_read_only_root_without_tools(
    image: Image, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    (tmp_path / "etc").mkdir()
    with configured(tmp_path / "etc") as etc, container(image, etc, *SERVE, log=log) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        assert line, log.read_text()
        ready = json.loads(line)
        until(lambda: {tier["state"] for tier in status(ready)["pathways"][0]["tiers"]} == {"SERVING"})

        pki = etc / "certificates"
        credentials = Credentials(ca=pki / "ca.pem", certificate=pki / "client.pem", key=pki / "client.key.pem")
        with AssessmentClient(ready["grpc"], credentials) as client:
            assert client.assess(next(requests(1)), timeout_s=30).answered_by.tier == "full"

        pid = first_process(process)
        workers = [tier["worker_pid"] for tier in status(ready)["pathways"][0]["tiers"] if tier["worker_pid"]]
        assert len(workers) == 2
        told = Path(f"/proc/{pid}/status").read_text()
        assert re.search(rf"^Uid:\s+{USER}\s+{USER}", told, re.MULTILINE)
        (root,) = (line for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if line.split()[4] == "/")
        assert "ro" in root.split()[5].split(",")
        bill = (image.file_system / SHARE / "sbom.cdx.json").read_bytes()
        assert status(ready)["server"]["sbom_sha256"] == sha256(bill).hexdigest()

        health = ("/opt/stepdown/bin/stepdown", "health", "--config", "/etc/stepdown/stepdown.toml")
        inside = ("nsenter", "--target", str(pid), "--mount", "--pid", "--root", "--wd")
        assert run(*inside, f"--setuid={USER}", f"--setgid={USER}", *health) == "ok"
        assert stop(process) == 0, log.read_text()


def test_an_engine_is_told_whom_to_run_what_how_to_stop_it_and_how_to_ask_for_its_health(image: Image) -> None:
    told = image.described()
    assert (told["User"], told["StopSignal"]) == (f"{USER}:{USER}", "SIGTERM")
    assert [*told["Entrypoint"], *told["Cmd"]] == list(SERVE)
    assert told["Healthcheck"]["Test"][:3] == ["CMD", "/opt/stepdown/bin/stepdown", "health"]


def test_the_image_holds_what_its_bill_of_materials_says_and_nothing_that_installs(image: Image) -> None:
    bill = json.loads((image.file_system / SHARE / "sbom.cdx.json").read_text())
    listed = {part["name"]: part["version"] for part in bill["components"] if part["purl"].startswith("pkg:pypi")}
    lines = _PINNED.findall((ROOT / "requirements" / "cpu.lock").read_text())
    pinned = [Requirement(line) for line in lines]
    assert listed == {
        each.name: str(each.specifier).removeprefix("==")
        for each in pinned
        if each.marker is None or each.marker.evaluate({"python_full_version": PYTHON_OF_THE_BASE})
    }
    assert any(part["purl"].startswith("pkg:deb/debian/libc6@") for part in bill["components"])
    assert list((image.file_system / "opt/stepdown/lib").glob("*/site-packages/pip*")) == []
