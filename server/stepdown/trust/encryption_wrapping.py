"""How the data key of an encrypted bundle is wrapped, by published names. Refuses to wrap anything itself.

AES-256-GCM binds the data key to the bundle's name and version. The others bind nothing themselves (RFC 3394 has no
place for it, and few tokens take an OAEP label); there the keys derived for each member do: see `encryption_chunks.py`.
"""

from enum import StrEnum


class Wrapping(StrEnum):
    """NIST SP 800-38D; RFC 3394; RFC 8017 §7.1 with the hash named (some tokens know OAEP with SHA-1 only)."""

    AES_256_GCM = "AES-256-GCM"
    AES_KEY_WRAP = "AES-KEY-WRAP"
    RSA_OAEP_SHA256 = "RSA-OAEP-SHA256"
    RSA_OAEP_SHA1 = "RSA-OAEP-SHA1"


GCM_NONCE_BYTES = 12
