"""How renewing the server's own certificates goes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsStatus:
    """`is_stale`: what lies on disk cannot be used, so that older material serves on.

    `reloads` and `failed_reloads` count since start; the same faulty files count once.
    """

    reloads: int = 0
    failed_reloads: int = 0
    is_stale: bool = False
