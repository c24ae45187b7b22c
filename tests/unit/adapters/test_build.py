import subprocess
from hashlib import sha256
from pathlib import Path

import stepdown
from stepdown.adapters.build import this_build


def test_the_code_is_named_by_what_anybody_can_compute_with_standard_tools(tmp_path: Path) -> None:
    for name in ("b.py", "a/c.py", "a.py", "A.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
    (tmp_path / "notes.txt").write_text("no code")
    script = "find . -name '*.py' | sort | xargs sha256sum | sha256sum"
    said = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert this_build(tmp_path).code_sha256 == said.stdout.split()[0].decode()


def test_one_byte_of_code_makes_another_build(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    before = this_build(tmp_path)
    (tmp_path / "a.py").write_text("x = 2")
    this_build.cache_clear()
    assert this_build(tmp_path).code_sha256 != before.code_sha256


def test_what_runs_is_this_package() -> None:
    assert this_build().version == stepdown.__version__
    assert len(this_build().code_sha256) == 64


def test_an_image_brings_the_digest_of_its_bill_of_materials(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.cdx.json"
    assert this_build(tmp_path, bill).sbom_sha256 == ""
    bill.write_bytes(b"{}")
    this_build.cache_clear()
    assert this_build(tmp_path, bill).sbom_sha256 == sha256(b"{}").hexdigest()
