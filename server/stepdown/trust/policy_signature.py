"""The signature over a trust policy and every key and root it names: one file, made as the signatures of bundles are.

Refuses a policy that was changed, or any of whose files were, and any key but the one that the configuration names.
"""

import hashlib
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from stepdown.domain.errors import TrustError
from stepdown.trust.file_set import check_file_set
from stepdown.trust.policy import policy_of_one_key
from stepdown.trust.refusal import TrustRule
from stepdown.trust.signers import verify_signature
from stepdown.trust.signing import SigningKey, sign_files

SUFFIX = ".sig"


def sign_policy(files: Mapping[str, bytes], key: SigningKey, *, now_s: float) -> bytes:
    """The signature file over a policy and the files it names, by name relative to its folder.

    Raises: TrustError FILE_NAME_UNSAFE for a file outside that folder, FILE_NAME_COLLISION, KEY_UNSUPPORTED.
    """
    return sign_files(files, key, subject="trust policy", signed_time_s=now_s)


def check_policy_signature(
    signature: bytes, files: Mapping[str, bytes], key: EllipticCurvePublicKey, *, now_s: float
) -> None:
    """Whether `key` signed exactly these files. Raises: TrustError POLICY_UNSIGNED saying what does not hold."""
    by = policy_of_one_key("policy key", key)
    try:
        _, signed = verify_signature(signature, policy=by, now_s=now_s, what="the policy's signature")
        check_file_set(signed=signed, present={name: _digest(content) for name, content in files.items()})
    except TrustError as error:
        raise TrustError(rule=TrustRule.POLICY_UNSIGNED, detail=str(error)) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
