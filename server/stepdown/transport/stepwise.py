"""Unary methods that are answered in steps, by one thread that answers many: begun, told what arrived, concluded.

Whoever can wait in a thread calls the servicer; a transport that has one thread for all calls comes here. Refuses to
wait for anything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from google.rpc.status_pb2 import Status

from stepdown.domain.tiers import Urgency
from stepdown.ports import Asked
from stepdown.transport.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTerms:
    """A call as its transport knows it: who calls, how long it waited, and what is left until its deadline."""

    call: Call
    remaining_s: float | None


class StepwiseAnswer(Protocol):
    """An answer on its way. Every method is called by the thread that began it, with the call as the current one."""

    @property
    def until_s(self) -> float:
        """Until when something may still arrive, on the chain's time line; after that `expire` is called."""

    def arrived(self, what: object) -> None:
        """Take in what `begin` was told of from wherever it happened."""

    def expire(self) -> None:
        """What has not arrived by now is not waited for any longer."""

    def give_up(self) -> None:
        """The chain could not be asked: do without it."""

    def ending(self) -> bytes | Status | None:
        """The answer, serialised, or the status in its place; None while something is still on its way."""

    def abandon(self) -> None:
        """The caller has left."""


class StepwiseMethod(Protocol):
    """One method. What it raises becomes a status, as with any servicer."""

    # The generated messages of different methods have no type in common but this.
    def parse(self, message: bytes) -> Any:  # noqa: ANN401
        """The request. Raises: DecodeError."""

    def urgency(self, request: Any) -> Urgency:  # noqa: ANN401
        """The urgency that the request itself names."""

    def begin(self, request: Any, terms: StepTerms, arrived: Callable[[object], None]) -> StepwiseAnswer:  # noqa: ANN401
        """Put the question. `arrived` may be called from any thread, also before this returns."""


@runtime_checkable
class StepwiseRegistry(Protocol):
    """What a server offers, beside what gRPC's own do, to those who add services to it."""

    @property
    def asked(self) -> Asked:
        """What methods that are answered in steps must ask, so that all of one turn ask at once."""

    def add_stepwise(self, method: str, answers: StepwiseMethod | None) -> None:
        """Serve a method of a service that is added next: in steps, or (None) in a thread once it can be in time."""
