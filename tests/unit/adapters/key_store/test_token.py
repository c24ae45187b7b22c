"""Keys in real tokens of SoftHSM, through the child process that loads its library."""

import os
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stepdown.adapters.key_store import token as token_module
from stepdown.adapters.key_store.messages import decode_line, encode_line
from stepdown.adapters.key_store.signing import token_certificate, token_note_signer, token_signing_key
from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import parse_token_uri
from stepdown.domain.errors import TrustError
from stepdown.trust.public_keys import is_signed_by
from tests.fakes.soft_token import LABEL, PIN, SoftToken


def key(held: SoftToken, label: str, *, token: str = LABEL) -> TokenKey:
    return TokenKey(parse_token_uri(held.uri(label, token=token)))


def refused(call: object, rule: str) -> str:
    assert callable(call)
    with pytest.raises(TrustError, match=rule) as refusal:
        call()
    assert PIN not in str(refusal.value)
    return refusal.value.detail


@pytest.mark.parametrize("label", ["p256", "p384"])
def test_an_ec_key_of_a_token_signs_as_one_in_a_file_would(soft_token: SoftToken, label: str) -> None:
    held = key(soft_token, label)
    signer = token_signing_key(held)
    assert is_signed_by(signer.public_key, signature=signer.sign(b"message"), message=b"message")
    held.close()


def test_an_ed25519_key_signs_notes_and_no_bundle_and_an_ec_key_no_note(soft_token: SoftToken) -> None:
    held = key(soft_token, "ed25519")
    signer = token_note_signer(held, name="hospital.example/ledger")
    Ed25519PublicKey.from_public_bytes(signer.key.public_key).verify(signer.sign(b"note"), b"note")
    assert "only EC keys" in refused(lambda: token_signing_key(held), "KEY_UNSUPPORTED")
    held.close()
    other = key(soft_token, "p256")
    assert "only an Ed25519 key" in refused(lambda: token_note_signer(other, name="n"), "KEY_UNSUPPORTED")
    other.close()


def test_a_key_token_or_library_that_is_not_there_is_named(soft_token: SoftToken) -> None:
    absent = key(soft_token, "nobody")
    assert "0 objects of class PUBLIC_KEY" in refused(lambda: token_signing_key(absent), "TOKEN_KEY_NOT_FOUND")
    assert "0 objects of class CERTIFICATE" in refused(lambda: token_certificate(absent), "TOKEN_KEY_NOT_FOUND")
    absent.close()
    elsewhere = key(soft_token, "p256", token="another-token")  # noqa: S106 - a label
    assert "0 tokens fit" in refused(lambda: token_signing_key(elsewhere), "TOKEN_UNAVAILABLE")
    unknown = TokenKey(parse_token_uri("pkcs11:token=t;object=k?module-path=/nowhere/hsm.so"))
    assert "no library /nowhere/hsm.so" in refused(lambda: token_signing_key(unknown), "TOKEN_UNAVAILABLE")


def test_a_token_is_found_by_its_serial_number_too(soft_token: SoftToken) -> None:
    wrong = TokenKey(parse_token_uri(soft_token.uri("p256").replace("pkcs11:", "pkcs11:serial=0;model=SoftHSM v2;")))
    assert "0 tokens fit" in refused(lambda: token_signing_key(wrong), "TOKEN_UNAVAILABLE")


def test_a_refused_pin_is_not_tried_again_until_the_file_says_another(soft_token: SoftToken) -> None:
    held = key(soft_token, "p256")
    soft_token.pin_file.write_text("wrong-pin")
    assert "PinIncorrect" in refused(lambda: token_signing_key(held), "PIN_REFUSED")
    assert "not tried again" in refused(lambda: token_signing_key(held), "PIN_REFUSED")
    soft_token.pin_file.write_text(PIN)
    assert token_signing_key(held).sign(b"message")
    held.close()


def test_a_token_that_went_away_is_used_again_once_it_is_back(soft_token: SoftToken) -> None:
    held = key(soft_token, "p256")
    signer = token_signing_key(held)
    away = soft_token.store.rename(soft_token.folder / "away")
    held.close()
    refused(lambda: signer.sign(b"message"), "TOKEN_UNAVAILABLE")
    away.rename(soft_token.store)
    assert is_signed_by(signer.public_key, signature=signer.sign(b"message"), message=b"message")
    held.close()


def test_an_attendant_that_dies_costs_one_call(soft_token: SoftToken) -> None:
    held = key(soft_token, "p256")
    signer = token_signing_key(held)
    assert held.process_id is not None
    os.kill(held.process_id, signal.SIGKILL)
    assert "its attendant ended" in refused(lambda: signer.sign(b"message"), "TOKEN_UNAVAILABLE")
    assert signer.sign(b"message")
    held.close()
    assert held.process_id is None


def test_a_token_that_hangs_is_given_up_in_time(soft_token: SoftToken) -> None:
    held = key(soft_token, "p256")
    signer = token_signing_key(held)
    assert held.process_id is not None
    os.kill(held.process_id, signal.SIGSTOP)
    held.patience_s = 0.05
    assert "no answer within 0.05 s" in refused(lambda: signer.sign(b"message"), "TOKEN_UNAVAILABLE")
    held.patience_s = token_module.PATIENCE_S
    assert signer.sign(b"message")
    held.close()


def test_the_pin_stands_in_no_command_line_and_no_environment(soft_token: SoftToken) -> None:
    held = key(soft_token, "p256")
    token_signing_key(held)
    process = Path(f"/proc/{held.process_id}")
    shown = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
    assert b"attendant" in shown
    assert PIN.encode() not in shown
    held.close()


def test_without_the_library_of_the_extra_the_refusal_says_how_to_get_it(
    soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_module, "find_spec", lambda _name: None)
    assert "stepdown[hsm]" in refused(lambda: token_signing_key(key(soft_token, "p256")), "TOKEN_UNAVAILABLE")


def test_where_no_process_can_be_started_the_token_is_unavailable(
    soft_token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_module, "_PROGRAM", ("/nowhere/python",))
    assert "no process for it" in refused(lambda: token_signing_key(key(soft_token, "p256")), "TOKEN_UNAVAILABLE")


def test_messages_carry_bytes_and_nothing_else_that_is_not_json() -> None:
    assert decode_line(encode_line({"a": b"\x00\xff", "b": {"c": [1]}})) == {"a": b"\x00\xff", "b": {"c": [1]}}
    with pytest.raises(TypeError):
        encode_line({"a": object()})
    with pytest.raises(ValueError, match="not an object"):
        decode_line(b"[]")
