from pathlib import Path

import pytest

from stepdown.adapters.key_store.pins import read_pin
from stepdown.adapters.key_store.uri import is_token_uri, parse_token_uri
from stepdown.domain.errors import TrustError

PLACE = "?module-path=/usr/lib/hsm.so"


def test_a_uri_names_the_token_the_key_the_library_and_the_pin_s_file() -> None:
    uri = parse_token_uri(
        "pkcs11:token=My%20Token;serial=01;object=wrap;id=%01%FF;type=private"
        "?module-path=/usr/lib/hsm.so&pin-source=file:/run/secrets/pin"
    )
    assert (dict(uri.token), uri.label, uri.key_id) == ({"token": "My Token", "serial": "01"}, "wrap", b"\x01\xff")
    assert (uri.module, uri.pin_source) == (Path("/usr/lib/hsm.so"), Path("/run/secrets/pin"))
    assert str(uri) == "pkcs11:serial=01;token=My Token;object=wrap;id=01ff"
    assert str(parse_token_uri(f"pkcs11:token=t;id=%01{PLACE}")) == "pkcs11:token=t;id=01"
    assert parse_token_uri(f"pkcs11:token=t;object=k{PLACE}&pin-source=/run/pin").pin_source == Path("/run/pin")


def test_a_file_is_no_uri() -> None:
    assert is_token_uri("PKCS11:token=t")
    assert not is_token_uri("keys/pkcs11.pem")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keys/signer.pem", "does not begin with pkcs11:"),
        (f"pkcs11:token=t;object=k{PLACE}&pin-value=1234", "carries a PIN"),
        (f"pkcs11:object=k{PLACE}", "names no token"),
        (f"pkcs11:token=t{PLACE}", "names no key"),
        (f"pkcs11:token=t;token=u;object=k{PLACE}", "says token twice"),
        (f"pkcs11:token=t;object=k;slot-id=3{PLACE}", "'slot-id' is not an attribute"),
        (f"pkcs11:token=t;object{PLACE}", "'object' is not an attribute"),
        (f"pkcs11:token=t;object=%4{PLACE}", "object holds a %"),
        (f"pkcs11:token=t;object=%zz{PLACE}", "object holds a %"),
        (f"pkcs11:token=%ff;object=k{PLACE}", "token is not UTF-8"),
        (f"pkcs11:token=t%0a;object=k{PLACE}", "cannot be printed"),
        (f"pkcs11:token=t;object=k;type=secret{PLACE}", "type must be one of"),
        ("pkcs11:token=t;object=k", "must name the module's library"),
        ("pkcs11:token=t;object=k?module-path=hsm.so", "must name the module's library"),
        (f"pkcs11:token=t;object=k{PLACE}&pin-source=|cat pin", "pin-source must be a file"),
    ],
)
def test_whatever_it_cannot_mean_is_refused_by_name_and_without_the_pin(text: str, says: str) -> None:
    with pytest.raises(TrustError, match="KEY_URI_INVALID") as refusal:
        parse_token_uri(text)
    assert says in refusal.value.detail
    assert "1234" not in str(refusal.value)


def test_a_pin_is_the_first_line_of_a_file_that_not_everybody_can_read(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    file.write_bytes(b"12 34\r\nrest")
    file.chmod(0o640)
    assert read_pin(file) == "12 34"


@pytest.mark.parametrize(
    ("content", "mode", "says"), [(b"1234", 0o644, "chmod o="), (b"\n", 0o600, "no PIN"), (b"\xff", 0o600, "UTF-8")]
)
def test_another_pin_file_is_refused_without_showing_it(tmp_path: Path, content: bytes, mode: int, says: str) -> None:
    file = tmp_path / "pin"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(TrustError, match="PIN_UNREADABLE") as refusal:
        read_pin(file)
    assert says in refusal.value.detail
    assert "1234" not in refusal.value.detail


def test_a_pin_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="PIN_UNREADABLE"):
        read_pin(tmp_path / "absent")
