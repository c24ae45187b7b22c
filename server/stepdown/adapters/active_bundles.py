"""Which bundle of each tier is in service, kept on disk so that a restart comes up with what an operator activated.

One small file, replaced whole and flushed to disk before it counts. Refuses to be believed: it names versions and
digests, and what it names is verified like anything else before it is loaded.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stepdown.adapters.whole_files import write_whole

SCHEMA = "stepdown/active-bundles/v1"
FILE = "active-bundles.json"
_MAXIMUM_BYTES = 1 << 20
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class KeptVersion(_Kept):
    """One version, bound by its digest."""

    version: str
    sha256: _Digest


class KeptTier(_Kept):
    """What is active in one tier.

    `configured` is the version that the configuration named at the time (empty: the newest): when an operator writes
    another one there, the configuration counts again. `highest` is the highest version that ever served here.
    """

    pathway: str
    tier: str
    bundle: str
    configured: str
    active: KeptVersion
    previous: KeptVersion | None = None
    highest: str


class _Document(_Kept):
    schema_: Annotated[str, Field(alias="schema", pattern=f"^{SCHEMA}$")] = SCHEMA
    tiers: list[KeptTier]


class ActiveBundles:
    """The file and what stands in it. Not for two servers at once: a state directory is one server's."""

    def __init__(self, directory: Path) -> None:
        """Read what the last run left. `unreadable` says why nothing could be read although there is a file."""
        self._path = directory / FILE
        self.unreadable = ""
        self._tiers: dict[tuple[str, str], KeptTier] = {}
        try:
            document = _Document.model_validate_json(self._content())
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            self.unreadable = f"{self._path}: {type(error).__name__}"
            return
        self._tiers = {(kept.pathway, kept.tier): kept for kept in document.tiers}

    def of(self, pathway: str, tier: str) -> KeptTier | None:
        """What is kept of a tier."""
        return self._tiers.get((pathway, tier))

    def keep(self, kept: KeptTier) -> None:
        """Write it down, unless it stands there already. Raises: OSError, and what was kept before still counts."""
        if self.of(kept.pathway, kept.tier) == kept:
            return
        tiers = {**self._tiers, (kept.pathway, kept.tier): kept}
        write_whole(self._path, _Document(tiers=list(tiers.values())).model_dump_json(by_alias=True, indent=1))
        self._tiers = tiers

    def _content(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(_MAXIMUM_BYTES)
