"""Wrapping keys in files, and in real tokens of SoftHSM in every form that a token may know."""

from pathlib import Path

import pytest

from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import parse_token_uri
from stepdown.adapters.key_store.wrapping_key import (
    FileWrappingKey,
    TokenWrappingKey,
    new_data_key,
    released_data_key,
    wrapping_key,
)
from stepdown.domain.errors import TrustError
from stepdown.trust.encryption import Encryption, WrappedKey
from stepdown.trust.encryption_wrapping import Wrapping
from tests.fakes.sealed_bundles import key_file
from tests.fakes.soft_token import SoftToken
from tests.unit.trust.test_encryption_keys import RSA_KEY, private_pem, public_pem

DATA_KEY = new_data_key()


def encryption(wrapped: WrappedKey, *, version: str = "1.0.0") -> Encryption:
    return Encryption(bundle="full", version=version, salt=bytes(32), data_key=wrapped, members=())


def token_key(token: SoftToken, label: str) -> TokenWrappingKey:
    return TokenWrappingKey(key=TokenKey(parse_token_uri(token.uri(label))))


def test_a_token_wraps_and_unwraps_in_each_form_and_binds_where_it_can(soft_token: SoftToken) -> None:
    aes, rsa = token_key(soft_token, "aes"), token_key(soft_token, "rsa")
    by_gcm = aes.wrap(DATA_KEY, bundle="full", version="1.0.0")
    by_key_wrap = aes.wrap(DATA_KEY, bundle="full", version="1.0.0", key_wrap=True)
    by_rsa = rsa.wrap(DATA_KEY, bundle="full", version="1.0.0", oaep_sha1=True)
    forms = (Wrapping.AES_256_GCM, Wrapping.AES_KEY_WRAP, Wrapping.RSA_OAEP_SHA1)
    assert tuple(each.wrapping for each in (by_gcm, by_key_wrap, by_rsa)) == forms
    for wrapped in (by_gcm, by_key_wrap, by_rsa):
        assert released_data_key(encryption(wrapped), (aes, rsa)) == DATA_KEY
        assert DATA_KEY not in wrapped.wrapped
    with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
        released_data_key(encryption(by_gcm, version="1.0.1"), (aes, rsa))
    # SoftHSM knows OAEP with SHA-1 only: what it cannot open is refused, and it goes on afterwards.
    by_sha256 = rsa.wrap(DATA_KEY, bundle="full", version="1.0.0")
    with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
        released_data_key(encryption(by_sha256), (aes, rsa))
    away = soft_token.store.rename(soft_token.folder / "away")
    for key in (aes, rsa):
        key.key.close()
    with pytest.raises(TrustError, match="DATA_KEY_UNAVAILABLE: TOKEN_UNAVAILABLE"):
        released_data_key(encryption(by_gcm), (aes,))
    with pytest.raises(TrustError, match="TOKEN_UNAVAILABLE"):
        aes.wrap(DATA_KEY, bundle="full", version="1.0.0")
    away.rename(soft_token.store)
    assert released_data_key(encryption(by_gcm), (aes,)) == DATA_KEY
    for key in (aes, rsa):
        key.key.close()


@pytest.mark.parametrize("oaep_sha1", [False, True])
def test_a_public_key_is_enough_to_wrap_and_its_private_half_opens(tmp_path: Path, *, oaep_sha1: bool) -> None:
    public, private = tmp_path / "theirs.pub.pem", tmp_path / "theirs.key.pem"
    public.write_bytes(public_pem(RSA_KEY))
    private.write_bytes(private_pem(RSA_KEY))
    ours = FileWrappingKey(path=private)
    for path in (public, private):
        wrapped = FileWrappingKey(path=path).wrap(DATA_KEY, bundle="full", version="1.0.0", oaep_sha1=oaep_sha1)
        assert ours.unwrap(encryption(wrapped)) == DATA_KEY
        neither = FileWrappingKey(path=public), FileWrappingKey(path=key_file(tmp_path))
        with pytest.raises(TrustError, match="DATA_KEY_REFUSED"):
            released_data_key(encryption(wrapped), neither)


def test_a_key_in_a_file_opens_no_form_that_only_tokens_know(tmp_path: Path) -> None:
    wrapped = WrappedKey(wrapping=Wrapping.AES_KEY_WRAP, key="theirs", wrapped=bytes(40))
    with pytest.raises(TrustError, match="KEY_UNSUPPORTED: AES-KEY-WRAP is opened in a token only"):
        FileWrappingKey(path=key_file(tmp_path)).unwrap(encryption(wrapped))


def test_a_key_is_named_by_its_path_or_its_uri(tmp_path: Path) -> None:
    assert str(wrapping_key(str(tmp_path / "kek"))) == "kek"
    assert str(wrapping_key("pkcs11:token=t;object=k?module-path=/lib.so")) == "pkcs11:token=t;object=k"
