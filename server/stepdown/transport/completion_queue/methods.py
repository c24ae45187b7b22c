"""Which methods the lane serves, and how: in steps, by the thread of the lane, or by a servicer in a thread of its own.

Refuses a method that was registered with gRPC's public server already.
"""

from dataclasses import dataclass

from stepdown.transport.guard import Handler, MaybeHandler
from stepdown.transport.stepwise import StepwiseMethod


@dataclass(slots=True)
class _Method:
    """`handler`: guarded, taking bytes. `steps` None: only a thread may answer it."""

    steps: StepwiseMethod | None
    handler: MaybeHandler = None


class LaneMethods:
    """By full path."""

    def __init__(self) -> None:
        self._methods: dict[str, _Method] = {}

    def add(self, method: str, steps: StepwiseMethod | None) -> None:
        """Serve it here; its handler follows when its service is added."""
        self._methods[method] = _Method(steps)

    def guard(self, method: str, handler: Handler) -> None:
        """Its handler, behind the guard."""
        self._methods[method].handler = handler

    def __contains__(self, method: str) -> bool:
        """Whether it is served here."""
        return method in self._methods

    @property
    def served(self) -> tuple[str, ...]:
        """Those that have a handler: others belong to no service of this server."""
        return tuple(name for name, method in self._methods.items() if method.handler is not None)

    def steps(self, method: str) -> StepwiseMethod | None:
        """How it is answered in steps; None where it is not."""
        return self._methods[method].steps

    def handler(self, method: str) -> Handler:
        """How it is answered in a thread. Raises: LookupError for a method without a service."""
        handler = self._methods[method].handler
        if handler is None:
            raise LookupError(method)
        return handler
