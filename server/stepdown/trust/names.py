"""Names of the files in a bundle: relative, plain, and the same file on every operating system.

A name is judged before anything is looked up by it, whether a disk, a manifest or a signer offers it.
Refuses to touch a file system and to repair a name: there is no normal form, only acceptable names.
"""

import re
from collections.abc import Iterable

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import quoted
from stepdown.trust.refusal import TrustRule

SIGNATURE_DIRECTORY = "signatures"
MAXIMUM_NAME_CHARACTERS = 255
MAXIMUM_DEPTH = 8

_FORBIDDEN_CHARACTERS = frozenset('\\:*?"<>|')
_BUNDLE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


def is_bundle_name(text: str) -> bool:
    """Whether `text` can name a bundle: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit at both ends."""
    return _BUNDLE_NAME.fullmatch(text) is not None and ".." not in text


def is_signature(name: str) -> bool:
    """Whether a file lies among the signatures, which are over everything else."""
    return name.startswith(SIGNATURE_DIRECTORY + "/")


def name_problem(name: str) -> str | None:
    """What is wrong with a file's name in a bundle, or None. `name` is a POSIX path relative to the bundle."""
    if not name or len(name) > MAXIMUM_NAME_CHARACTERS:
        return f"is empty or longer than {MAXIMUM_NAME_CHARACTERS} characters"
    if not name.isascii() or not name.isprintable():
        return "holds characters other than printable ASCII"
    if _FORBIDDEN_CHARACTERS & set(name):
        return 'holds one of \\ : * ? " < > |'
    segments = name.split("/")
    if len(segments) > MAXIMUM_DEPTH:
        return f"is more than {MAXIMUM_DEPTH} levels deep"
    return next((problem for segment in segments if (problem := _segment_problem(segment))), None)


def check_names(names: Iterable[str]) -> None:
    """Accept a set of file names that can lie side by side on any file system.

    Raises: TrustError FILE_NAME_UNSAFE for a name that is not plain and relative, FILE_NAME_COLLISION for two that
    some file system would take for one, or for a name that is a file here and a directory there.
    """
    files: set[str] = set()
    spellings = {SIGNATURE_DIRECTORY: SIGNATURE_DIRECTORY}
    directories: set[str] = set()
    for name in names:
        problem = name_problem(name)
        if problem is not None:
            raise TrustError(rule=TrustRule.FILE_NAME_UNSAFE, detail=f"the name {quoted(name)} {problem}")
        if name in files:
            raise TrustError(rule=TrustRule.FILE_NAME_COLLISION, detail=f"{name} is listed twice")
        files.add(name)
        parents = _parents(name)
        directories.update(parents)
        for path in (*parents, name):
            _check_spelling(path, spellings)
    both = files & directories
    if both:
        raise TrustError(rule=TrustRule.FILE_NAME_COLLISION, detail=f"{min(both)} is a file and a directory")


def _segment_problem(segment: str) -> str | None:
    if segment in {"", ".", ".."}:
        return "is absolute, or has an empty, '.' or '..' part"
    if segment != segment.strip(" ") or segment.endswith("."):
        return "has a part that begins or ends with a space, or ends with a dot"
    return None


def _parents(name: str) -> tuple[str, ...]:
    segments = name.split("/")
    return tuple("/".join(segments[:depth]) for depth in range(1, len(segments)))


def _check_spelling(path: str, spellings: dict[str, str]) -> None:
    known = spellings.setdefault(path.casefold(), path)
    if known != path:
        raise TrustError(rule=TrustRule.FILE_NAME_COLLISION, detail=f"{path} and {known} differ in letter case only")
