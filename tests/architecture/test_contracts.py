"""The walls of the house hold: imports point down, and a corridor back is noticed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT

PLANTED = {
    "layers": ("domain/planted.py", "import stepdown.ports\n"),
    "layers (a room nobody placed)": ("attic/__init__.py", ""),
    "layers (mechanisms are strangers)": ("rules/planted.py", "import stepdown.trust\n"),
    "siblings": ("domain/planted.py", "import stepdown.domain.planted_too\n"),
    "api": ("cli/planted.py", "import stepdown.api.v1\n"),
    "client": ("client/planted.py", "import stepdown.domain\n"),
    "inference-edge": ("adapters/planted.py", "import onnxruntime\n"),
    "cryptography-edge": ("cli/planted.py", "import cryptography\n"),
    "observers-edge": ("transport/planted.py", "import logging\n"),
    "serving": ("cli/planted.py", "import stepdown.serving\n"),
    "pure-core": ("serving/planted.py", "import time\n"),
    "pure-rules": ("rules/planted.py", "import numpy\n"),
}


def broken_contracts(server: Path, cache: Path) -> str:
    """What import-linter says of a source root; empty when every contract is kept."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    ended = subprocess.run(
        [*command, "--cache-dir", str(cache)],
        cwd=server,
        env={"PYTHONPATH": str(server)},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def test_every_import_contract_is_kept(tmp_path: Path) -> None:
    assert broken_contracts(ROOT / "server", tmp_path) == ""


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_corridor_is_noticed(contract: str, tmp_path: Path) -> None:
    server = tmp_path / "server"
    shutil.copytree(ROOT / "server", server, ignore=shutil.ignore_patterns("__pycache__"))
    name, text = PLANTED[contract]
    planted = server / "stepdown" / name
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(text)
    (server / "stepdown" / "domain" / "planted_too.py").write_text(
        "import stepdown.domain.planted\n" if contract == "siblings" else ""
    )
    said = broken_contracts(server, tmp_path / "cache")
    assert "Broken contracts" in said
    assert "planted" in said or "attic" in said
