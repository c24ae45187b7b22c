"""A signed policy is that policy, with those keys, signed by that key; anything else is refused."""

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.policy_signature import check_policy_signature, sign_policy
from tests.unit.trust.samples import NOW_S, key

FILES = {"trust.toml": b"policy", "keys/a.pub.pem": b"key"}


def refused(signature: bytes, files: dict[str, bytes], by: str = "officer") -> str:
    with pytest.raises(TrustError) as error:
        check_policy_signature(signature, files, key(by).public_key, now_s=NOW_S)
    assert error.value.rule == "POLICY_UNSIGNED"
    return error.value.detail


def test_what_was_signed_is_accepted_and_nothing_else() -> None:
    signature = sign_policy(FILES, key("officer"), now_s=NOW_S)
    check_policy_signature(signature, FILES, key("officer").public_key, now_s=NOW_S)
    assert "SIGNER_UNKNOWN" in refused(signature, FILES, by="stranger")
    assert "FILE_CHANGED: changed since it was signed: keys/a.pub.pem" in refused(
        signature, {**FILES, "keys/a.pub.pem": b"other"}
    )
    assert "FILE_ADDED" in refused(signature, {**FILES, "keys/b.pub.pem": b"another"})
    assert "FILE_REMOVED" in refused(signature, {"trust.toml": b"policy"})
    assert "SIGNATURE_MALFORMED" in refused(b"", FILES)


def test_keys_outside_the_policy_s_folder_cannot_be_signed_for() -> None:
    with pytest.raises(TrustError, match="FILE_NAME_UNSAFE"):
        sign_policy({"trust.toml": b"", "/etc/key.pem": b""}, key("officer"), now_s=NOW_S)
