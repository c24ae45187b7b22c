"""`stepdown bundle inspect`, `sign` and `verify` as their users type them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from stepdown.cli.bundle import sign as bundle_sign
from stepdown.trust.public_keys import public_pem
from tests.unit.cli.bundle.bundle_commands import answer, run
from tests.unit.trust.samples import (
    ANY_BY_SAFETY,
    POLICY_HEAD,
    SAFETY,
    SAFETY_URI,
    Issued,
    authority,
    key,
    leaf,
    rules_contents,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rule bundle that nobody has signed yet, in the place its name and version give it."""
    place = tmp_path / "news2" / "1.2.0"
    place.mkdir(parents=True)
    for name, content in rules_contents().items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "trainer.key.pem"
    path.write_bytes(key().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "trainer.pub.pem").write_bytes(public_pem(key().public_key))
    return path


@pytest.fixture
def public_key(key_file: Path) -> Path:
    return key_file.with_name("trainer.pub.pem")


def test_a_bundle_is_signed_verified_and_shown(folder: Path, key_file: Path, public_key: Path) -> None:
    signed = run("sign", folder, "--key", key_file)
    assert (signed.exit_code, "Signed news2 1.2.0" in signed.stdout) == (0, True)
    verified = run("verify", folder, "--key", public_key)
    assert (verified.exit_code, "exactly those that were signed" in verified.stdout) == (0, True)
    shown = run("inspect", folder)
    assert (shown.exit_code, "signatures/trainer.sig: by a key" in shown.stdout.replace("\n", " ")) == (0, True)
    facts = answer("inspect", folder)
    assert facts["sha256"] == answer("verify", folder, "--key", public_key)["sha256"]
    assert facts["card"] == {"disclosed": 0, "attributes": 31}


def test_a_refusal_names_rule_file_and_remedy(folder: Path, key_file: Path, public_key: Path) -> None:
    run("sign", folder, "--key", key_file)
    (folder / "rules.toml").write_text("other")
    result = run("verify", folder, "--key", public_key, "--json")
    assert result.exit_code == 1
    refusal = json.loads(result.stdout)
    assert (refusal["verified"], refusal["rule"]) == (False, "FILE_CHANGED")
    assert "rules.toml" in refusal["detail"]
    assert "Restore the files" in refusal["remedy"]
    assert "refused: FILE_CHANGED" in result.stderr
    assert "FILE_CHANGED" in run("inspect", folder).stdout


def test_every_step_is_said_to_have_passed_or_not(folder: Path, key_file: Path, public_key: Path) -> None:
    run("sign", folder, "--key", key_file)
    passed = answer("verify", folder, "--key", public_key)
    assert [step["outcome"] for step in passed["steps"]] == ["passed"] * 12
    (folder / "rules.toml").write_text("other")
    refused = json.loads(run("verify", folder, "--key", public_key, "--json").stdout)
    ended = {step["step"]: (step["outcome"], step["rule"]) for step in refused["steps"]}
    assert ended["signatures"] == ("passed", "")
    assert ended["files"] == ("refused", "FILE_CHANGED")
    assert ended["provenance"] == ("refused", "PROVENANCE_MISMATCH")
    assert ended["builder"] == ("not reached", "")
    shown = run("verify", folder, "--key", public_key).stdout
    assert "refused" in shown
    assert "not reached" in shown


def test_where_a_bundle_came_from_is_shown(folder: Path) -> None:
    shown = " ".join(run("inspect", folder).stdout.split())
    for said in ("built by urn:hospital.example:builder", "gitCommit:cdcdcdcdcdcdcdcd", 'built on {"cores": 2}'):
        assert said in shown
    origin = answer("inspect", folder)["provenance"]
    assert (origin["finished_time"], origin["edited"]) == ("2026-11-21T12:00:00+00:00", [])
    assert origin["materials"][0]["digests"] == {"sha256": "ab" * 32}
    (folder / "card.toml").write_bytes(rules_contents()["card.toml"] + b"\n")
    assert "edited since card.toml" in " ".join(run("inspect", folder).stdout.split())
    (folder / "rules.toml").write_text("other")
    assert "PROVENANCE_MISMATCH" in run("inspect", folder).stdout
    assert answer("inspect", folder)["provenance"]["rule"] == "PROVENANCE_MISMATCH"


def test_a_bundle_in_another_s_place_is_refused_and_a_loose_one_speaks_for_itself(
    folder: Path, key_file: Path, public_key: Path
) -> None:
    run("sign", folder, "--key", key_file)
    moved = folder.rename(folder.with_name("1.3.0"))
    assert "VERSION_MISMATCH" in run("verify", moved, "--key", public_key).stderr
    assert run("verify", moved, "--key", public_key, "--version", "1.2.0").exit_code == 0
    loose = moved.rename(folder.parent / "loose")
    assert run("verify", loose, "--key", public_key).exit_code == 0
    (loose / "manifest.toml").write_text("[")
    assert "FILE_CHANGED" in run("verify", loose, "--key", public_key).stderr


def test_a_stale_signature_must_be_discarded_by_name(folder: Path, key_file: Path, tmp_path: Path) -> None:
    run("sign", folder, "--key", key_file)
    (folder / "card.toml").write_bytes(rules_contents()["card.toml"] + b"\n")
    (folder / "signatures" / "junk.sig").write_text("{}")
    second = ("sign", folder, "--key", tmp_path / "officer.key.pem", "--create-key")
    refused = run(*second)
    assert (refused.exit_code, "junk.sig, signatures/trainer.sig" in refused.stderr) == (1, True)
    accepted = run(*second, "--discard-stale")
    assert (accepted.exit_code, "removed signatures/trainer.sig" in accepted.stdout) == (0, True)
    assert [path.name for path in (folder / "signatures").iterdir()] == ["officer.sig"]


def test_signing_again_puts_the_new_signature_in_the_old_one_s_place(folder: Path, key_file: Path) -> None:
    first = answer("sign", folder, "--key", key_file)
    (folder / "card.toml").write_bytes(rules_contents()["card.toml"] + b"\n")
    second = answer("sign", folder, "--key", key_file)
    assert first["signature"] == second["signature"]
    assert first["sha256"] != second["sha256"]


def test_two_people_sign_one_bundle_and_the_file_s_name_is_plain(folder: Path, key_file: Path, tmp_path: Path) -> None:
    officer = tmp_path / "officer.key.pem"
    assert run("sign", folder, "--key", key_file).exit_code == 0
    assert run("sign", folder, "--key", officer, "--create-key").exit_code == 0
    assert sorted(path.name for path in (folder / "signatures").iterdir()) == ["officer.sig", "trainer.sig"]
    for signer in ("a/b", "../a"):
        result = run("sign", folder, "--key", key_file, "--signer", signer)
        assert (result.exit_code, "FILE_NAME_UNSAFE" in result.stderr) == (1, True)


def test_what_no_server_would_load_is_not_signed(folder: Path, key_file: Path) -> None:
    (folder / "card.toml").unlink()
    result = run("sign", folder, "--key", key_file)
    assert (result.exit_code, "FILE_MISSING" in result.stderr) == (1, True)
    assert not (folder / "signatures").exists()


def certificate_file(folder: Path, issued: Issued) -> Path:
    path = folder / f"{issued.certificate.serial_number:x}.pem"
    path.write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    return path


def test_a_certificate_binds_the_signature_to_its_name(folder: Path, key_file: Path, tmp_path: Path) -> None:
    since, until = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
    root = authority(start=since, end=until)
    between = authority("between", issuer=root, start=since, end=until)
    certificate = certificate_file(tmp_path, leaf(between, start=since, end=until))
    chain = ("--certificate", certificate, "--chain", certificate_file(tmp_path, between))
    signed = run("sign", folder, "--key", key_file, "--signer", "safety", *chain)
    assert (signed.exit_code, f"uri:{SAFETY_URI}" in signed.stdout) == (0, True), signed.stderr
    certificate_file(tmp_path, root).rename(tmp_path / "root.pem")
    (tmp_path / "trust.toml").write_text(POLICY_HEAD + SAFETY + ANY_BY_SAFETY)
    assert answer("verify", folder, "--policy", tmp_path / "trust.toml")["signers"][0]["name"] == "safety"
    assert "by the certificate with serial number" in run("inspect", folder).stdout.replace("\n", " ")
    other = run("sign", folder, "--key", tmp_path / "o.key.pem", "--create-key", "--certificate", certificate)
    assert (other.exit_code, "certifies another key" in other.stderr) == (1, True)


def test_a_passphrase_comes_from_a_file_or_a_prompt(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked.key.pem"
    encryption = BestAvailableEncryption(b"open sesame")
    path.write_bytes(key().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (tmp_path / "passphrase").write_text("open sesame\r\n")
    assert run("sign", folder, "--key", path, "--passphrase-file", tmp_path / "passphrase").exit_code == 0
    unattended = run("sign", folder, "--key", path)
    assert (unattended.exit_code, "needs a passphrase" in unattended.stderr) == (1, True)
    monkeypatch.setattr(bundle_sign, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    asked = run("sign", folder, "--key", path, stdin="open sesame\n")
    assert (asked.exit_code, "open sesame" in asked.output) == (0, False)


def test_options_that_need_one_another_are_told(folder: Path, key_file: Path, public_key: Path) -> None:
    for arguments, told in (
        (("sign", folder, "--key", key_file, "--chain", public_key), "--chain goes with --certificate"),
        (("sign", folder, "--key", folder / "absent.pem"), "--create-key makes one"),
        (("verify", folder), "--policy"),
    ):
        result = run(*arguments)
        assert (result.exit_code, told in result.stderr) == (2, True)
