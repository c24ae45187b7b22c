"""The files of a bundle, told apart from the signatures over them, and the one digest that names them all.

Refuses anything among the signatures that is not a signature file.
"""

import hashlib
from collections.abc import Mapping

from stepdown.domain.errors import TrustError
from stepdown.trust.names import SIGNATURE_DIRECTORY, is_signature
from stepdown.trust.refusal import TrustRule

MAXIMUM_SIGNATURES = 16
_SIGNATURE_SUFFIX = ".sig"


def split_signatures(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The signature files and the rest, both in order of name.

    Raises: TrustError SIGNATURE_MISSING when there are none, SIGNATURE_MALFORMED when there are too many or something
    else lies among them.
    """
    signatures = {path: bytes(files[path]) for path in sorted(files) if is_signature(path)}
    contents = {path: bytes(files[path]) for path in sorted(files) if not is_signature(path)}
    if not signatures:
        raise TrustError(
            rule=TrustRule.SIGNATURE_MISSING, detail=f"the bundle holds no {SIGNATURE_DIRECTORY}/*{_SIGNATURE_SUFFIX}"
        )
    if len(signatures) > MAXIMUM_SIGNATURES:
        raise TrustError(
            rule=TrustRule.SIGNATURE_MALFORMED,
            detail=f"{len(signatures)} signatures, at most {MAXIMUM_SIGNATURES} are read",
        )
    for path in signatures:
        if not path.endswith(_SIGNATURE_SUFFIX) or path.count("/") != 1:
            raise TrustError(
                rule=TrustRule.SIGNATURE_MALFORMED,
                detail=f"{path} is not a {SIGNATURE_DIRECTORY}/<signer>{_SIGNATURE_SUFFIX}",
            )
    return signatures, contents


def bundle_digest(digests: Mapping[str, str]) -> str:
    """One digest for a bundle: hex sha256 over its `sha256sum` listing, files in order of name, signatures left out.

    `digests` maps every file's name to its hex sha256.
    """
    listing = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests) if not is_signature(path))
    return hashlib.sha256(listing.encode("ascii")).hexdigest()
