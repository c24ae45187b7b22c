"""How long bodies of records are kept. Digests are kept for ever, so that every proof stays valid.

The floor is that of the EU AI Act, articles 19 and 26(6): six months, here 183 days. Refuses less.
"""

from dataclasses import dataclass

FLOOR_DAYS = 183
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Bodies are kept for `days`; 0 keeps them for ever."""

    days: int = 0

    def __post_init__(self) -> None:
        """Raises: ValueError below the floor."""
        if 0 < self.days < FLOOR_DAYS or self.days < 0:
            raise ValueError(f"records are kept for {FLOOR_DAYS} days at least, or with 0 for ever")

    def before_s(self, now_s: float) -> float | None:
        """Records from before this Unix time may lose their bodies; None: none may."""
        return now_s - self.days * _DAY_S if self.days else None
