"""One inference put to the chain, and the place where its outcome arrives. Refuses to wait for ever."""

from queue import Empty, SimpleQueue

from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.ports import Chain
from stepdown.transport.deadlines import answer_by_s
from stepdown.transport.oip.requests import Inference

GRACE_S = 0.25
"""How long past the deadline the outcome is still waited for: the chain's timer may be late, its answer is not lost."""


class Inquiry:
    """Asks at once; `outcome` waits. A caller that goes away withdraws it, from any thread."""

    def __init__(self, chain: Chain, inference: Inference, *, remaining_s: float | None) -> None:
        """Submit. `remaining_s`: what is left of the caller's deadline, None when it set none."""
        self.inference = inference
        self._chain = chain
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
        self._ended = False
        given_s = [limit_s for limit_s in (inference.limits.timeout_s, remaining_s) if limit_s is not None]
        now_s = chain.now_s()
        deadline_s = answer_by_s(
            min(given_s, default=None),
            begun_s=now_s,
            now_s=now_s,
            budget_ms=inference.model.budget_ms,
            encounters=1,
        )
        self._wait_s = max(deadline_s - now_s, 0.0) + GRACE_S
        self._request = Request(
            pathway=inference.model.pathway,
            payload=inference.payload,
            deadline_s=deadline_s,
            reply_to=self._outcomes.put,
            minimum_tier=inference.limits.minimum_tier,
            only_tier=inference.model.tier,
            urgency=inference.limits.urgency,
        )
        chain.submit((self._request,))

    def outcome(self) -> Outcome | None:
        """How it ended; None when it was withdrawn. Raises TimeoutError when the chain broke its promise to answer."""
        try:
            outcome = self._outcomes.get(timeout=self._wait_s)
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
