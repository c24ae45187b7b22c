"""`stepdown trust` as its users type it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stepdown.adapters.trust_state import FILE, TrustState
from stepdown.cli.trust.command import trust
from tests.unit.trust.samples import ANY_BY_TRAINER, POLICY_HEAD, TRAINER, key


def run(*words: object) -> Result:
    return CliRunner().invoke(trust, [str(word) for word in words])


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "trainer.pub.pem").write_bytes(key("trainer").public_pem)
    (tmp_path / "policy.pub.pem").write_bytes(key("officer").public_pem)
    pem = key("officer").private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "policy.key.pem").write_bytes(pem)
    path = tmp_path / "trust.toml"
    path.write_text(POLICY_HEAD + "edition = 3\n" + TRAINER + ANY_BY_TRAINER)
    return path


def test_a_policy_is_signed_and_checked(policy: Path) -> None:
    public = policy.with_name("policy.pub.pem")
    unsigned = run("check", policy, "--policy-key", public)
    assert (unsigned.exit_code, "POLICY_UNSIGNED" in unsigned.stderr) == (1, True)
    signed = run("sign", policy, "--key", policy.with_name("policy.key.pem"))
    assert (signed.exit_code, "trust.toml.sig" in signed.stdout) == (0, True)
    checked = json.loads(run("check", policy, "--policy-key", public, "--json").stdout)
    assert (checked["edition"], checked["signers"], checked["bundles"]) == (3, ["trainer"], ["*"])
    assert "edition  3" in run("check", policy, "--policy-key", public).stdout
    policy.write_text(policy.read_text().replace("edition = 3", "edition = 4"))
    assert "FILE_CHANGED" in run("check", policy, "--policy-key", public).stderr


def test_without_a_key_what_others_can_write_is_refused(policy: Path) -> None:
    policy.chmod(0o666)
    refused = run("check", policy)
    assert (refused.exit_code, "POLICY_UNPROTECTED" in refused.stderr) == (1, True)


def test_a_policy_with_problems_is_not_signed(policy: Path) -> None:
    policy.write_text("schema = 1")
    assert "POLICY_INVALID" in run("sign", policy, "--key", policy.with_name("policy.key.pem")).stderr
    assert not policy.with_name("trust.toml.sig").exists()


def test_a_floor_is_lowered_on_purpose_and_kept_for_the_ledger(tmp_path: Path) -> None:
    TrustState(tmp_path).served("news2", "1.1.0")
    lowered = run("lower-floor", tmp_path, "news2", "1.0.0", "--why", "incident 7")
    assert (lowered.exit_code, "was 1.1.0 and is 1.0.0 now" in lowered.stdout) == (0, True)
    (act,) = json.loads((tmp_path / FILE).read_text())["lowered"]
    assert (act["bundle"], act["before"], act["version"], act["why"]) == ("news2", "1.1.0", "1.0.0", "incident 7")


@pytest.mark.parametrize(
    "words",
    [
        ("News", "1.0.0", "--why", "x"),
        ("news2", "one", "--why", "x"),
        ("news2", "1.0.0", "--why", " "),
        ("news2", "1.0.0", "--why", "a\nb"),
        ("news2", "1.0.0"),
    ],
)
def test_a_floor_is_not_lowered_without_a_name_a_version_and_a_reason(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run("lower-floor", tmp_path, *words).exit_code == 2
    assert not (tmp_path / FILE).exists()
