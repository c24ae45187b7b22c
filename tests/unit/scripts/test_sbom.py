"""The bill of materials: what is listed, which licences are refused, and that the same content gives the same bytes."""

import json
import sysconfig
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.sbom import LICENCES, ROOT, LicencePolicy, debian_packages, main

SITE_PACKAGES = sysconfig.get_path("purelib")
STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


def written(folder: Path, *options: str) -> tuple[int, str]:
    file = folder / "bill" / "sbom.cdx.json"
    code = main(["--site-packages", SITE_PACKAGES, "--output", str(file), *options])
    return code, file.read_text()


def cpu(lock: str = "cpu") -> tuple[str, str]:
    return "--only", str(ROOT / "requirements" / f"{lock}.lock")


def test_the_bill_of_the_server_is_whole_valid_and_under_allowed_licences(tmp_path: Path) -> None:
    code, text = written(tmp_path, *cpu())
    assert code == 0
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert all(part["licenses"] for part in bill["components"])
    asks_for = {each["ref"].partition("@")[0]: each.get("dependsOn", []) for each in bill["dependencies"]}
    names = {ref.partition("@")[0] for ref in asks_for["pkg:pypi/stepdown"]}
    assert {"pkg:pypi/grpcio", "pkg:pypi/onnxruntime"} <= names
    assert not any("pytest" in part["name"] for part in bill["components"])


def test_the_same_content_gives_the_same_bytes_and_the_time_is_given_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, again = written(tmp_path, *cpu())[1], written(tmp_path, *cpu())[1]
    assert first == again
    assert json.loads(first)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_a_licence_that_is_not_allowed_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    narrow = tmp_path / "licences.toml"
    narrow.write_text('allowed = ["MIT"]\n[stated]\nh11 = "GPL-3.0-only"\n')
    code, _ = written(tmp_path, *cpu(), "--licences", str(narrow))
    told = capsys.readouterr().err
    assert code == 1
    assert "h11" in told
    assert "GPL-3.0-only" in told
    assert "flatbuffers" in told
    assert "says no licence in SPDX terms" in told
    assert "pydantic" not in told


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-2.0-only", True),
        ("Apache-2.0 AND GPL-2.0-only", False),
        ("MIT AND (BSD-3-Clause OR GPL-3.0-or-later)", True),
        ("GPL-3.0-only WITH GCC-exception-3.1", False),
        ("AGPL-3.0-only", False),
        ("LicenseRef-NVIDIA-Proprietary", True),
        ("MIT AND", False),
        ("", False),
    ],
)
def test_all_terms_that_bind_must_be_allowed_and_one_of_those_that_may_be_chosen(
    expression: str, allowed: bool
) -> None:
    assert LicencePolicy.read(LICENCES).allows(expression) is allowed


def test_what_the_base_image_brings_is_listed_and_what_it_has_removed_is_not(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(STATUS)
    (part,) = debian_packages(status)
    assert part.purl is not None
    assert part.purl.to_string() == "pkg:deb/debian/libc6@2.36-9?arch=amd64"
    listed = json.loads(written(tmp_path, *cpu(), "--dpkg-status", str(status))[1])["components"]
    assert "libc6" in {each["name"] for each in listed}
