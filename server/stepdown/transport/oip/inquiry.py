"""One inference put to the chain, and the place where its outcome arrives. Refuses to wait for ever."""

from collections.abc import Callable
from queue import Empty, SimpleQueue

from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.ports import Asked
from stepdown.transport.deadlines import LONGEST_WAIT_S
from stepdown.transport.oip.requests import Inference

GRACE_S = 0.25
"""How long past the deadline the outcome is still waited for: the chain's timer may be late, its answer is not lost."""


class Inquiry:
    """Asks at once; `outcome` waits. A caller that goes away withdraws it, from any thread."""

    def __init__(
        self,
        chain: Asked,
        inference: Inference,
        *,
        remaining_s: float | None,
        is_stream: bool = False,
        caller: str = "",
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        """Submit. `remaining_s`: what is left of the deadline of the call, None when it has none.

        `is_stream`: that deadline is of a whole stream, so a request without a timeout has the pathway's budget.
        `caller` shares the tiers with others. `arrived` is called when the outcome is there, from any thread.
        Raw tensors pass no intake: what they do to a model is not held against it.
        """
        self.inference = inference
        self._chain = chain
        self._arrived = arrived
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
        self._ended = False
        wait_s = _wait_s(inference, remaining_s=remaining_s, is_stream=is_stream)
        deadline_s = chain.now_s() + wait_s
        self._patience_s = max(wait_s, 0.0) + GRACE_S
        self.until_s = chain.now_s() + self._patience_s
        self._request = Request(
            pathway=inference.model.pathway,
            payload=inference.payload,
            deadline_s=deadline_s,
            reply_to=self._reply,
            minimum_tier=inference.limits.minimum_tier,
            only_tier=inference.model.tier,
            urgency=inference.limits.urgency,
            client=caller,
            vetted=False,
        )
        chain.submit((self._request,))

    @property
    def has_outcome(self) -> bool:
        """Whether `outcome` would not wait."""
        return not self._outcomes.empty()

    def expire(self) -> None:
        """Wait no longer: `outcome` gives what is there by now, at once."""
        self._patience_s = 0.0

    def outcome(self) -> Outcome | None:
        """How it ended; None when it was withdrawn. Raises TimeoutError when the chain broke its promise to answer."""
        try:
            outcome = self._outcomes.get(timeout=self._patience_s)
        except Empty:
            self.withdraw()
            raise TimeoutError("the chain gave no outcome by the deadline") from None
        self._ended = True
        return outcome

    def withdraw(self) -> None:
        """Nobody waits any more. Does nothing when the outcome was had already."""
        if not self._ended:
            self._ended = True
            self._chain.cancel(self._request)
            self._outcomes.put(None)

    def _reply(self, outcome: Outcome) -> None:
        self._outcomes.put(outcome)
        self._arrived()


def _wait_s(inference: Inference, *, remaining_s: float | None, is_stream: bool) -> float:
    bounds_s = [LONGEST_WAIT_S]
    if remaining_s is not None:
        bounds_s.append(remaining_s)
    if inference.limits.timeout_s is not None:
        bounds_s.append(inference.limits.timeout_s)
    elif remaining_s is None or is_stream:
        bounds_s.append(inference.model.budget_ms / 1e3)
    return min(bounds_s)
