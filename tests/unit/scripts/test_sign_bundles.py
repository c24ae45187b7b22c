"""Signing all bundles of a repository at once, with a key that stays out of it."""

import sys
from pathlib import Path

import pytest

from scripts import sign_bundles
from stepdown.adapters.keys import read_public_key
from stepdown.trust.public_keys import key_id
from tests.unit.trust.samples import model_contents, rules_contents

POLICY = """\
schema = "stepdown/trust-policy/v1"
[[signer]]
name = "demo-signer"
key = "keys/demo-signer.pub.pem"
[[bundle]]
names = ["*"]
signers = ["demo-signer"]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repository"
    shelves = {"models/sepsis-full/1.0.0": model_contents(), "fallback_rules/news2/1.2.0": rules_contents()}
    for place, contents in shelves.items():
        for name, content in contents.items():
            path = root / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    (root / "models" / "training" / "drafts").mkdir(parents=True)
    (root / "models" / "training" / "drafts" / "manifest.toml").touch()
    policy = root / "deploy" / "demo" / "trust.toml"
    policy.parent.mkdir(parents=True)
    policy.write_text(POLICY)
    monkeypatch.setattr(sign_bundles, "ROOT", root)
    monkeypatch.setattr(sign_bundles, "SHELVES", (root / "models", root / "fallback_rules"))
    monkeypatch.setattr(sign_bundles, "POLICY", policy)
    monkeypatch.setattr(sign_bundles, "PUBLIC_KEY", policy.parent / "keys" / "demo-signer.pub.pem")
    return root


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["sign_bundles", *arguments])
    sign_bundles.main()


def published_key(repository: Path) -> str:
    return key_id(read_public_key(repository / "deploy/demo/keys/demo-signer.pub.pem"))


def test_every_bundle_is_signed_and_the_key_that_did_it_is_published(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["signed", "sepsis-full"],
        ["signed", "news2"],
        ["key", "id"],
        ["verified", "sepsis-full"],
        ["verified", "news2"],
    ]
    assert published_key(repository) in lines[2]
    run(monkeypatch, "--check")


def test_no_private_key_is_left_in_the_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch)
    written = [path for path in repository.rglob("*") if path.is_file()]
    assert not [path for path in written if b"PRIVATE" in path.read_bytes()]
    with pytest.raises(SystemExit, match="lies in the repository"):
        run(monkeypatch, "--key", str(repository / "demo.key.pem"))


def test_a_key_kept_elsewhere_signs_again_as_itself(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = str(tmp_path / "kept" / "demo.key.pem")
    run(monkeypatch, "--key", kept)
    first = published_key(repository)
    run(monkeypatch, "--key", kept)
    assert published_key(repository) == first
    run(monkeypatch)
    assert published_key(repository) != first


def test_a_bundle_changed_since_fails_the_check_by_name(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    (repository / "fallback_rules/news2/1.2.0/rules.toml").write_text("other")
    with pytest.raises(SystemExit, match="1 refused"):
        run(monkeypatch, "--check")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("refused")]
    assert all(word in line for word in ("news2", "1.2.0", "FILE_CHANGED", "rules.toml"))


def test_a_bundle_that_makes_no_sense_is_not_signed(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "fallback_rules/news2/1.2.0/card.toml").unlink()
    with pytest.raises(SystemExit, match="FILE_MISSING"):
        run(monkeypatch)
