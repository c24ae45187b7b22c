"""Typed access to the members of a parsed JSON document, refusing the first that is not as it must be.

Refuses to skip a member nobody asked for where the caller says which are known.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import quoted
from stepdown.trust.refusal import TrustRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """One JSON object, where it stands in its document, and the rule it breaks when it is not as expected."""

    values: dict[str, object]
    where: str
    rule: TrustRule

    @classmethod
    def of(cls, value: object, *, where: str, rule: TrustRule, known: AbstractSet[str] | None = None) -> "Members":
        """Take `value` as an object; with `known`, no other member may be there. Raises: TrustError with `rule`."""
        if not isinstance(value, dict):
            raise TrustError(rule=rule, detail=f"{where} is not an object")
        unknown = set(value) - known if known is not None else ()
        if unknown:
            raise TrustError(rule=rule, detail=f"{where} has the unknown member {quoted(min(unknown))}")
        return cls(values=value, where=where, rule=rule)

    def text(self, key: str) -> str:
        """The string under `key`. Raises: TrustError when it is absent or something else."""
        value = self.values.get(key)
        if not isinstance(value, str):
            raise self.refusal(key, "a string")
        return value

    def list(self, key: str) -> list[object]:
        """The array under `key`. Raises: TrustError when it is absent or something else."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.refusal(key, "an array")
        return value

    def object(self, key: str, *, known: AbstractSet[str] | None = None) -> "Members":
        """The object under `key`. Raises: TrustError when it is absent or something else."""
        return Members.of(self.values.get(key), where=f"{self.where}.{key}", rule=self.rule, known=known)

    def only_object(self, key: str, *, known: AbstractSet[str] | None = None) -> "Members":
        """The one object in the array under `key`. Raises: TrustError when there are none or several."""
        values = self.list(key)
        if len(values) != 1:
            raise TrustError(
                rule=self.rule, detail=f"{self.where}.{key} holds {len(values)} entries, exactly 1 is read"
            )
        return Members.of(values[0], where=f"{self.where}.{key}[0]", rule=self.rule, known=known)

    def require(self, key: str, expected: str) -> None:
        """Insist that the string under `key` says `expected`: a format's name, version or algorithm.

        Raises: TrustError SIGNATURE_FORMAT_UNSUPPORTED when it says something else.
        """
        found = self.text(key)
        if found != expected:
            raise TrustError(
                rule=TrustRule.SIGNATURE_FORMAT_UNSUPPORTED,
                detail=f"{self.where}.{key} is {quoted(found)}, only {expected} is read",
            )

    def refusal(self, key: str, expected: str) -> TrustError:
        """The error that says `key` is not what was expected."""
        return TrustError(rule=self.rule, detail=f"{self.where}.{key} is not {expected}")
