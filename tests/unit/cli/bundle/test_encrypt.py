"""`stepdown bundle encrypt` as its users type it."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stepdown.trust.public_keys import public_pem
from tests.fakes.sealed_bundles import key_file
from tests.fakes.soft_token import SoftToken
from tests.unit.cli.bundle.bundle_commands import answer, run
from tests.unit.trust.samples import key, model_contents, rules_contents


def laid_out(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return laid_out(tmp_path / "plain", model_contents())


def test_an_encrypted_bundle_shows_nothing_of_its_model_and_is_signed_and_verified_like_any_other(
    plain: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sealed"
    said = run("encrypt", plain, "--key", key_file(tmp_path), "--out", out)
    assert said.exit_code == 0, said.output
    assert "stepdown bundle sign" in said.output
    model = (plain / "model.onnx").read_bytes()
    assert model not in (out / "model.onnx").read_bytes()
    assert b"k" * 32 not in (out / "encryption.json").read_bytes()
    signer = tmp_path / "trainer.key.pem"
    signer.write_bytes(key().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "trainer.pub.pem").write_bytes(public_pem(key().public_key))
    answer("sign", out, "--key", signer)
    assert answer("verify", out, "--key", tmp_path / "trainer.pub.pem")["verified"]


def test_a_key_in_a_token_wraps_too(plain: Path, tmp_path: Path, soft_token: SoftToken) -> None:
    said = answer("encrypt", plain, "--key", soft_token.uri("aes"), "--out", tmp_path / "sealed")
    assert (said["wrapping"], said["sealed"][0]) == ("AES-256-GCM", "model.onnx")
    assert json.loads((tmp_path / "sealed" / "encryption.json").read_text())["data_key"]["key"] == said["key"]


def test_what_cannot_be_encrypted_is_refused_and_nothing_is_left_behind(plain: Path, tmp_path: Path) -> None:
    wrapping, out = key_file(tmp_path), tmp_path / "out"
    rules = laid_out(tmp_path / "rules", rules_contents())
    refused = run("encrypt", rules, "--key", wrapping, "--out", out)
    assert (refused.exit_code, "rules are published" in refused.stderr) == (1, True)
    no_key = run("encrypt", plain, "--key", tmp_path / "absent", "--out", out)
    assert (no_key.exit_code, "KEY_UNREADABLE" in no_key.stderr) == (1, True)
    assert not out.exists()
    assert run("encrypt", plain, "--key", wrapping, "--out", out).exit_code == 0
    assert run("encrypt", plain, "--key", wrapping, "--out", out).exit_code == 2
    twice = run("encrypt", out, "--key", wrapping, "--out", tmp_path / "twice")
    assert (twice.exit_code, "encrypted already" in twice.stderr) == (1, True)
