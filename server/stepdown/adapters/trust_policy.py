"""The trust policy as it lies on disk: read with the keys it names, and believed only where nobody else can write it.

A policy is either signed, by the key that the configuration names, or it and everything on the way to it belong to
root (in a demonstration: also to whoever runs the server) and can be written by nobody else. Refuses to believe a file
for where it lies: every look is at the descriptor that was read.
"""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stepdown.adapters.keys import read_public_key
from stepdown.domain.errors import TrustError
from stepdown.trust.policy import TrustPolicy, named_files, parse_trust_policy
from stepdown.trust.policy_signature import SUFFIX, check_policy_signature
from stepdown.trust.refusal import TrustRule

_MAXIMUM_FILE_BYTES = 1 << 20
_ROOT = 0
_WRITTEN_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBy:
    """A policy must be signed by the public key in this file; the signature lies beside it, `<policy>.sig`."""

    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedBy:
    """A policy must belong to one of these users, and nobody else may be able to write it.

    `group_may_write`: for a checkout, where the group is often its owner alone.
    """

    users: frozenset[int] = frozenset({_ROOT})
    group_may_write: bool = False


PolicyGuard = SignedBy | OwnedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPolicy:
    """A policy and one digest over it and everything it names."""

    policy: TrustPolicy
    sha256: str


def guard_of(*, key: Path | None, is_demo: bool) -> PolicyGuard:
    """How a server's policy is protected: by a signature where a key is configured, else by who owns it."""
    if key is not None:
        return SignedBy(key=key)
    if is_demo:
        return OwnedBy(users=frozenset({_ROOT, os.geteuid()}), group_may_write=True)
    return OwnedBy()


def read_trust_policy(path: Path, guard: PolicyGuard | None = None) -> StoredPolicy:
    """The trust policy at `path`, with the keys and roots it names, relative to its own folder.

    Without a guard it is taken as it is: whoever names a policy on a command line answers for it.

    Raises: TrustError POLICY_INVALID with every problem found, POLICY_UNPROTECTED, POLICY_UNSIGNED, KEY_UNREADABLE when
    the policy itself cannot be read.
    """
    owned = guard if isinstance(guard, OwnedBy) else None
    text = _read(path, owned)
    files = {path.name: text, **_read_named(path.parent, named_files(text), owned)}
    if isinstance(guard, SignedBy):
        _check_signed(path, files, guard.key)
    keys = {name: content for name, content in files.items() if name != path.name}
    return StoredPolicy(policy=parse_trust_policy(text, keys), sha256=_digest(files))


def policy_files(path: Path) -> Mapping[str, bytes]:
    """The policy and every file it names, by name relative to its folder, to be signed. Raises: TrustError."""
    text = _read(path, None)
    names = named_files(text)
    files = _read_named(path.parent, names, None)
    absent = sorted(set(names) - set(files))
    if absent:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{', '.join(map(ascii, absent))} cannot be read")
    return {path.name: text, **files}


def _read_named(folder: Path, names: tuple[str, ...], owned: OwnedBy | None) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for name in names:
        try:
            files[name] = _read(folder / name, owned)
        except TrustError as error:
            if error.rule == TrustRule.POLICY_UNPROTECTED:
                raise
            continue  # parse_trust_policy reports it beside every other problem
    return files


def _check_signed(path: Path, files: Mapping[str, bytes], key: Path) -> None:
    beside = path.with_name(path.name + SUFFIX)
    try:
        signature = _read(beside, None)
    except TrustError as error:
        raise TrustError(rule=TrustRule.POLICY_UNSIGNED, detail=f"{beside} cannot be read: sign the policy") from error
    check_policy_signature(signature, files, read_public_key(key), now_s=time.time())


def _digest(files: Mapping[str, bytes]) -> str:
    listing = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name!a}\n" for name in sorted(files))
    return hashlib.sha256(listing.encode("ascii")).hexdigest()


def _read(path: Path, owned: OwnedBy | None) -> bytes:
    try:
        with path.open("rb") as file:
            if owned is not None:
                _check_owner(os.fstat(file.fileno()), path, owned)
                _check_way(path, owned)
            content = file.read(_MAXIMUM_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or "not a usable path"
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path} cannot be read: {why}") from error
    if len(content) > _MAXIMUM_FILE_BYTES:
        raise TrustError(rule=TrustRule.KEY_UNREADABLE, detail=f"{path} is longer than {_MAXIMUM_FILE_BYTES} bytes")
    return content


def _check_way(path: Path, owned: OwnedBy) -> None:
    """Whoever can write a folder on the way can put another file, or another folder, in its place."""
    for place in _folders_to(path):
        _check_owner(place.stat(), place, owned)


def _folders_to(path: Path) -> Iterator[Path]:
    """Those of the name as it is written and, where there are links, those it leads to."""
    yield from dict.fromkeys((*path.absolute().parents, *path.resolve().parents))


def _check_owner(status: os.stat_result, path: Path, owned: OwnedBy) -> None:
    if status.st_uid not in owned.users | {_ROOT}:
        raise _unprotected(path, f"belongs to user {status.st_uid}")
    # In a sticky folder (RFC: sticky(7)) everybody may add a file, but nobody may replace another's.
    sticky = stat.S_ISDIR(status.st_mode) and bool(status.st_mode & stat.S_ISVTX)
    forbidden = stat.S_IWOTH if owned.group_may_write else _WRITTEN_BY_OTHERS
    if status.st_mode & forbidden and not sticky:
        raise _unprotected(path, "can be written by others")


def _unprotected(path: Path, problem: str) -> TrustError:
    detail = f"{path} {problem}: make it root's and writable by nobody else, or sign the policy (stepdown trust sign)"
    return TrustError(rule=TrustRule.POLICY_UNPROTECTED, detail=detail)
