"""Semantic Versioning 2.0.0: which version text is well formed, and which of two is newer.

Refuses ranges, wildcards and guesses: a version is exact or it is not one.
"""

import re
from typing import TypeAlias

_MAXIMUM_CHARACTERS = 64
_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = re.compile(
    rf"(?P<release>{_NUMBER}\.{_NUMBER}\.{_NUMBER})"
    rf"(?:-(?P<prerelease>{_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)

Precedence: TypeAlias = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def is_version(text: str) -> bool:
    """Whether `text` is a semantic version of at most 64 characters."""
    return len(text) <= _MAXIMUM_CHARACTERS and _VERSION.fullmatch(text) is not None


def precedence(version: str) -> Precedence:
    """A key that sorts versions as the standard's §11 does; build metadata does not count.

    Raises: ValueError when `version` is not one.
    """
    parts = _VERSION.fullmatch(version)
    if parts is None or not is_version(version):
        raise ValueError("not a semantic version")
    release = tuple(int(number) for number in parts["release"].split("."))
    prerelease = parts["prerelease"]
    if prerelease is None:
        return release, True, ()
    return release, False, tuple(_identifier_precedence(identifier) for identifier in prerelease.split("."))


def _identifier_precedence(identifier: str) -> tuple[bool, int, str]:
    """Numbers compare as numbers and come before words, which compare in ASCII order."""
    if identifier.isdecimal():
        return False, int(identifier), ""
    return True, 0, identifier
