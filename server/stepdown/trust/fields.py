"""Reading a TOML table key by key, keeping every problem found instead of stopping at the first.

Whoever writes a manifest or a policy by hand wants the whole list. Each read returns a value of the right type even
when the key was wrong, so that reading can go on; the caller looks at the problems before it uses any of them.
Refuses to forgive: a key that nobody read is a problem too, because it is most often a misspelt one.
"""

import math
from collections.abc import Callable, Mapping

from stepdown.trust.documents import quoted

_MAXIMUM_TEXT_CHARACTERS = 4096


class Fields:
    """One table of a document, at `where` in it; problems go to the list shared by the whole document."""

    def __init__(self, table: Mapping[str, object], *, where: str, problems: list[str]) -> None:
        self._table = table
        self._where = where
        self._problems = problems
        self._read: set[str] = set()
        self._children: list[Fields] = []

    def holds(self, key: str) -> bool:
        """Whether the key is there at all."""
        return key in self._table

    def problem(self, key: str, text: str) -> None:
        """Note that `key` is not as it must be."""
        self._problems.append(f"{self._path(key)} {text}")

    def text(
        self,
        key: str,
        *,
        default: str | None = None,
        accepts: Callable[[str], bool] = bool,
        wanted: str = "a string that is not empty",
    ) -> str:
        """A string of printable characters that `accepts` is content with; `wanted` says what that is."""
        value = self._value(key, default)
        if value == default and default is not None:
            return default
        if not isinstance(value, str) or not _is_plain(value) or not accepts(value):
            self._unwanted(key, value, wanted)
            return ""
        return value

    def integer(self, key: str, *, minimum: int, maximum: int, default: int | None = None) -> int:
        """A whole number from `minimum` to `maximum`."""
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            self._unwanted(key, value, f"a whole number from {minimum} to {maximum}")
            return minimum
        return value

    def number(self, key: str, *, default: float | None = None) -> float:
        """A finite number."""
        value = self._value(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not _is_finite(value):
            self._unwanted(key, value, "a finite number")
            return 0.0
        return float(value)

    def optional_number(self, key: str) -> float | None:
        """A finite number, or None when the key is absent."""
        return self.number(key) if self.holds(key) else None

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Strings of printable characters, none empty and none twice."""
        value = self._value(key, None if required else [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item and _is_plain(item) for item in value):
            self._unwanted(key, value, "a list of strings that are not empty")
            return ()
        if len(set(value)) != len(value):
            self.problem(key, "names something twice")
        if required and not value:
            self.problem(key, "must not be empty")
        return tuple(value)

    def integers(self, key: str) -> tuple[int, ...]:
        """Whole numbers."""
        value = self._value(key, None)
        if not isinstance(value, list) or not all(
            isinstance(item, int) and not isinstance(item, bool) for item in value
        ):
            self._unwanted(key, value, "a list of whole numbers")
            return ()
        return tuple(value)

    def table(self, key: str) -> "Fields":
        """The table under `key`; an empty one, and a problem, when it is absent."""
        value = self._value(key, None)
        if not isinstance(value, dict):
            self._unwanted(key, value, "a table")
            value = {}
        return self._child(value, self._path(key))

    def tables(self, key: str) -> tuple["Fields", ...]:
        """The tables of the array `[[key]]`; none when it is absent."""
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._unwanted(key, value, f"an array of tables, [[{key}]]")
            return ()
        return tuple(self._child(item, f"{self._path(key)}[{place}]") for place, item in enumerate(value))

    def finish(self) -> None:
        """Note every key that nobody read, here and in the tables below."""
        for key in sorted(set(self._table) - self._read):
            self._problems.append(f"{self._path(quoted(key).strip(chr(39)))} is not a known key")
        for child in self._children:
            child.finish()

    def _value(self, key: str, default: object) -> object:
        self._read.add(key)
        return self._table.get(key, default)

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _child(self, table: Mapping[str, object], where: str) -> "Fields":
        child = Fields(table, where=where, problems=self._problems)
        self._children.append(child)
        return child

    def _unwanted(self, key: str, value: object, wanted: str) -> None:
        found = "is absent" if value is None else f"is {_shown(value)}"
        self._problems.append(f"{self._path(key)} {found}; it must be {wanted}")


def _is_plain(text: str) -> bool:
    """Printable, of sane length: a control character in a name or description could rewrite an operator's screen."""
    return len(text) <= _MAXIMUM_TEXT_CHARACTERS and all(
        character.isprintable() or character in "\n\t" for character in text
    )


def _shown(value: object) -> str:
    """A scalar as it stands, anything larger by its kind only."""
    return quoted(str(value)) if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
