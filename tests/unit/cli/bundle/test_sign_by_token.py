"""`stepdown bundle sign --key pkcs11:…` with real tokens of SoftHSM."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from stepdown.adapters.key_store.signing import token_signing_key
from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import parse_token_uri
from stepdown.cli.bundle import token_keys
from stepdown.trust.public_keys import public_pem
from tests.fakes.soft_token import PIN, SoftToken
from tests.unit.cli.bundle.bundle_commands import answer, run
from tests.unit.trust.samples import ANY_BY_SAFETY, POLICY_HEAD, SAFETY, SAFETY_URI, authority, leaf, rules_contents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "news2" / "1.2.0"
    place.mkdir(parents=True)
    for name, content in rules_contents().items():
        (place / name).write_bytes(content)
    return place


def public_half(token: SoftToken, label: str) -> ec.EllipticCurvePublicKey:
    held = TokenKey(parse_token_uri(token.uri(label)))
    try:
        return token_signing_key(held).public_key
    finally:
        held.close()


def test_a_bundle_signed_in_a_token_verifies_with_its_public_key(soft_token: SoftToken, folder: Path) -> None:
    signed = answer("sign", folder, "--key", soft_token.uri("p384", pin=False), "--pin-file", soft_token.pin_file)
    assert signed["signature"].endswith("signatures/p384.sig")
    public = folder.parent / "hsm.pub.pem"
    public.write_bytes(public_pem(public_half(soft_token, "p384")))
    assert answer("verify", folder, "--key", public)["verified"]


def test_the_certificate_comes_from_the_token_or_a_file(soft_token: SoftToken, folder: Path, tmp_path: Path) -> None:
    root = authority()
    holder = SimpleNamespace(public_key=public_half(soft_token, "p256"))
    certificate = leaf(root, holder=holder).certificate  # type: ignore[arg-type] # the private half is in the token
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY_HEAD + SAFETY + ANY_BY_SAFETY)
    (tmp_path / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "leaf.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    soft_token.keep_certificate(certificate.public_bytes(Encoding.DER), label="p256")
    for given in (("--certificate-in-token",), ("--certificate", tmp_path / "leaf.pem")):
        signed = answer("sign", folder, "--key", soft_token.uri("p256"), *given)
        assert signed["identities"] == [f"uri:{SAFETY_URI}"]
        assert answer("verify", folder, "--policy", policy)["signers"][0]["name"] == "safety"


def test_the_pin_is_asked_for_where_no_file_names_it(
    soft_token: SoftToken, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = soft_token.uri("p256", pin=False)
    unattended = run("sign", folder, "--key", uri)
    assert (unattended.exit_code, "--pin-file" in unattended.stderr) == (2, True)
    monkeypatch.setattr(token_keys, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    asked = run("sign", folder, "--key", uri, stdin=PIN + "\n")
    assert asked.exit_code == 0, asked.output
    assert PIN not in asked.output


def test_options_of_files_and_of_tokens_do_not_mix(soft_token: SoftToken, folder: Path, tmp_path: Path) -> None:
    uri = soft_token.uri("p256")
    for arguments in (
        ("--key", uri, "--create-key"),
        ("--key", tmp_path / "me.key.pem", "--create-key", "--certificate-in-token"),
        ("--key", uri, "--chain", soft_token.pin_file),
    ):
        assert run("sign", folder, *arguments).exit_code == 2


def test_a_key_that_cannot_sign_bundles_and_a_pin_in_the_uri_are_refused_with_a_remedy(
    soft_token: SoftToken, folder: Path
) -> None:
    edwards = run("sign", folder, "--key", soft_token.uri("ed25519"))
    assert (edwards.exit_code, "KEY_UNSUPPORTED" in edwards.stderr) == (1, True)
    spoken = run("sign", folder, "--key", soft_token.uri("p256") + f"&pin-value={PIN}")
    assert (spoken.exit_code, "pin-source" in spoken.stderr, PIN in spoken.output) == (1, True, False)
    assert not (folder / "signatures").exists()
