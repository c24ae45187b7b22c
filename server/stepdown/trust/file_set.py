"""What was signed against what is there: exactly the same files, or a refusal that says which differ and how.

Refuses exceptions: no ignored paths, no version-control folders, no hidden files.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stepdown.domain.errors import TrustError
from stepdown.trust.names import is_signature
from stepdown.trust.refusal import TrustRule

_NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifferences:
    """How the files present differ from those signed for. `renamed` pairs (signed name, present name)."""

    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]


def compare_file_sets(*, signed: Mapping[str, str], present: Mapping[str, str]) -> FileDifferences:
    """The differences between two mappings of name -> digest."""
    missing = {name: digest for name, digest in signed.items() if name not in present}
    extra = {name: digest for name, digest in present.items() if name not in signed}
    renamed: list[tuple[str, str]] = []
    for old, digest in sorted(missing.items()):
        new = min((name for name, other in extra.items() if other == digest), default=None)
        if new is not None:
            renamed.append((old, new))
            del missing[old], extra[new]
    return FileDifferences(
        changed=tuple(sorted(name for name in signed.keys() & present.keys() if signed[name] != present[name])),
        renamed=tuple(renamed),
        removed=tuple(sorted(missing)),
        added=tuple(sorted(extra)),
    )


def check_file_set(*, signed: Mapping[str, str], present: Mapping[str, str]) -> None:
    """Accept only the very files signed for; both map names to digests.

    A signature cannot sign for itself, and need not for others: one that it does sign for must be there unchanged.

    Raises: TrustError FILE_CHANGED, FILE_RENAMED, FILE_REMOVED or FILE_ADDED: the gravest that applies, with all the
    differences in its detail.
    """
    covered = {name: digest for name, digest in present.items() if name in signed or not is_signature(name)}
    differences = compare_file_sets(signed=signed, present=covered)
    findings = (
        (TrustRule.FILE_CHANGED, "changed since it was signed", differences.changed),
        (TrustRule.FILE_RENAMED, "renamed", tuple(f"{old} -> {new}" for old, new in differences.renamed)),
        (TrustRule.FILE_REMOVED, "signed for and not there", differences.removed),
        (TrustRule.FILE_ADDED, "there and not signed for", differences.added),
    )
    found = [(rule, f"{text}: {_listing(names)}") for rule, text, names in findings if names]
    if found:
        raise TrustError(rule=found[0][0], detail="; ".join(text for _, text in found))


def _listing(names: tuple[str, ...]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
