"""What a caller says of its call's urgency beside the message. Refuses to believe more than the message says."""

from collections.abc import Iterable

from stepdown.domain.tiers import Urgency

URGENCY_KEY = "stepdown-urgency"

ASCENDING = (Urgency.ROUTINE, Urgency.URGENT, Urgency.EMERGENCY)
_NAMES = {urgency.value: urgency for urgency in ASCENDING}


def declared_urgency(metadata: Iterable[tuple[str, str | bytes]]) -> Urgency | None:
    """The one that the metadata name; None where they name none that is known, or several."""
    named = [value for key, value in metadata if key == URGENCY_KEY]
    return _NAMES.get(str(named[0])) if len(named) == 1 else None


def lesser(one: Urgency, other: Urgency) -> Urgency:
    """The less urgent of two."""
    return min(one, other, key=ASCENDING.index)
