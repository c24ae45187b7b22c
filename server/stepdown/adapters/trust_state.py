"""What a server remembers of what it trusted: the highest version of each bundle that served, and the policy's edition.

One small file in the state directory, replaced whole and flushed to disk before it counts. Refuses to start from a file
it cannot read: whoever could spoil it could bring old versions back.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stepdown.adapters.whole_files import write_whole
from stepdown.domain.errors import TrustError
from stepdown.trust.names import is_bundle_name
from stepdown.trust.policy import MAXIMUM_EDITION
from stepdown.trust.refusal import TrustRule
from stepdown.trust.semantic_version import is_version, precedence

SCHEMA = "stepdown/trust-state/v1"
FILE = "trust-state.json"
_LOCK = "trust-state.lock"
_MAXIMUM_BYTES = 1 << 20


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class LoweredFloor(_Kept):
    """An operator's act while the server was down, not on the ledger yet."""

    bundle: str
    before: str
    version: str
    by: str
    why: str
    time: str


class _Document(_Kept):
    schema_: Annotated[str, Field(alias="schema", pattern=f"^{SCHEMA}$")] = SCHEMA
    edition: Annotated[int, Field(ge=0, le=MAXIMUM_EDITION)] = 0
    floors: dict[str, str] = Field(default_factory=dict)
    lowered: tuple[LoweredFloor, ...] = ()


class TrustState:
    """The file and what stands in it. Without a directory everything is forgotten with the process."""

    def __init__(self, directory: Path | None) -> None:
        """Read what the last run left. Raises: TrustError STATE_UNREADABLE when there is a file that makes no sense."""
        self._path = directory / FILE if directory is not None else None
        self._lock = Lock()
        self._held: int | None = None
        self._document = self._read()

    def hold(self) -> None:
        """Keep others off the file until `release`. Raises: TrustError STATE_UNREADABLE while somebody holds it."""
        if self._path is None or self._held is not None:
            return
        descriptor = os.open(self._path.with_name(_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise _unreadable(self._path, "another process holds it; a state directory is one server's") from error
        self._held = descriptor
        self._document = self._read()

    def release(self) -> None:
        """Let others have the file."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    # --- floors ------------------------------------------------------------------------------------------------------

    def floors(self) -> Mapping[str, str]:
        """Bundle name -> the version below which nothing may serve."""
        return dict(self._document.floors)

    def served(self, bundle: str, version: str) -> bool:
        """A version serves: nothing older may come back by itself. Returns whether that is news. Raises: OSError."""
        with self._lock:
            floor = self._document.floors.get(bundle)
            if floor is not None and precedence(version) <= precedence(floor):
                return False
            self._put_floor(bundle, version)
            return True

    def went_back(self, bundle: str, version: str) -> str | None:
        """An operator brought an older version back. Returns the floor before, if it was higher. Raises: OSError."""
        with self._lock:
            floor = self._document.floors.get(bundle)
            if floor is None or precedence(version) >= precedence(floor):
                return None
            self._put_floor(bundle, version)
            return floor

    def lower(self, act: LoweredFloor) -> None:
        """An operator's act, to be put on the ledger by the next server. Raises: OSError."""
        with self._lock:
            floors = {**self._document.floors, act.bundle: act.version}
            self._put(self._document.model_copy(update={"floors": floors, "lowered": (*self._document.lowered, act)}))

    def take_lowered(self) -> tuple[LoweredFloor, ...]:
        """The acts that are not on the ledger yet; they are from now on the caller's to record. Raises: OSError."""
        with self._lock:
            acts = self._document.lowered
            if acts:
                self._put(self._document.model_copy(update={"lowered": ()}))
            return acts

    # --- edition of the policy ---------------------------------------------------------------------------------------

    def check_edition(self, edition: int) -> None:
        """Whether a policy is not an older one. Raises: TrustError POLICY_ROLLED_BACK."""
        if edition < self._document.edition:
            raise TrustError(
                rule=TrustRule.POLICY_ROLLED_BACK,
                detail=f"the policy is edition {edition}, and edition {self._document.edition} was in force here",
            )

    def keep_edition(self, edition: int) -> None:
        """This edition is in force: nothing older counts any more. Raises: OSError."""
        with self._lock:
            if edition > self._document.edition:
                self._put(self._document.model_copy(update={"edition": edition}))

    # --- the file ----------------------------------------------------------------------------------------------------

    def _put_floor(self, bundle: str, version: str) -> None:
        self._put(self._document.model_copy(update={"floors": {**self._document.floors, bundle: version}}))

    def _put(self, document: _Document) -> None:
        if self._path is not None:
            write_whole(self._path, document.model_dump_json(by_alias=True, indent=1))
        self._document = document

    def _read(self) -> _Document:
        if self._path is None:
            return _Document()
        try:
            with self._path.open("rb") as file:
                document = _Document.model_validate_json(file.read(_MAXIMUM_BYTES))
        except FileNotFoundError:
            return _Document()
        except (OSError, ValidationError) as error:
            raise _unreadable(self._path, type(error).__name__) from error
        if not all(is_bundle_name(name) and is_version(floor) for name, floor in document.floors.items()):
            raise _unreadable(self._path, "it holds what is no bundle's name or version")
        return document


def _unreadable(path: Path, problem: str) -> TrustError:
    return TrustError(rule=TrustRule.STATE_UNREADABLE, detail=f"{path}: {problem}")
