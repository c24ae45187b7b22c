"""What software a server is made of. Refuses to be a version number alone: two builds may carry the same one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What runs. The digests are lower-case hexadecimal; empty is what nobody knows.

    `code_sha256` is over the package's own code. `sbom_sha256` is that of the bill of materials which an image brings
    with it; an installation from source has none.
    """

    version: str
    code_sha256: str = ""
    python: str = ""
    sbom_sha256: str = ""
