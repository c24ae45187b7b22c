"""Where the parts of the engine leave the effects of one event, in order."""

from stepdown.domain.engine_effects import Effect, Tell
from stepdown.domain.notices import Notice


class Outbox:
    """Collects effects until the engine hands them to its driver."""

    __slots__ = ("_effects",)

    def __init__(self) -> None:
        """Start empty."""
        self._effects: list[Effect] = []

    def put(self, effect: Effect) -> None:
        """Add one effect."""
        self._effects.append(effect)

    def tell(self, notice: Notice) -> None:
        """Add a notice to the observers."""
        self._effects.append(Tell(notice=notice))

    def drain(self) -> list[Effect]:
        """Give out what was collected and start afresh."""
        effects, self._effects = self._effects, []
        return effects
