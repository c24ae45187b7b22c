"""`ModelInfer` in steps. The answers are those of `InferenceCalls`, which a thread would wait for."""

from collections.abc import Callable

from google.rpc.status_pb2 import Status

from stepdown.api.oip import infer_pb2 as pb
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.tiers import Urgency
from stepdown.transport.oip.inference import InferenceCalls
from stepdown.transport.oip.parameters import urgency_of
from stepdown.transport.stepwise import StepTerms

MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"


class ModelInferSteps:
    """Meets `StepwiseMethod`."""

    def __init__(self, calls: InferenceCalls) -> None:
        self._calls = calls

    def parse(self, message: bytes) -> pb.ModelInferRequest:
        """One request."""
        return pb.ModelInferRequest.FromString(message)

    def urgency(self, request: pb.ModelInferRequest) -> Urgency:
        """As its `priority` says; routine where that is none, which is refused when it is understood."""
        return urgency_of(request)

    def begin(
        self, request: pb.ModelInferRequest, terms: StepTerms, arrived: Callable[[object], None]
    ) -> "InferenceAnswer":
        """Ask the chain. Raises: RequestRejectedError, NoAnswerError as `InferenceCalls.ask`."""
        return InferenceAnswer(self._calls, request, terms, arrived)


class InferenceAnswer:
    """Meets `StepwiseAnswer`."""

    def __init__(
        self,
        calls: InferenceCalls,
        request: pb.ModelInferRequest,
        terms: StepTerms,
        arrived: Callable[[object], None],
    ) -> None:
        self._calls = calls
        self._request = request
        self._failed: NoAnswerError | None = None
        self._late = False
        try:
            self._inquiry = calls.ask(
                request,
                remaining_s=terms.remaining_s,
                caller=terms.call.caller.name,
                arrived=lambda: arrived(None),
            )
        except NoAnswerError as error:
            self._failed = error
            arrived(None)

    @property
    def until_s(self) -> float:
        """Until when the outcome is waited for."""
        return 0.0 if self._failed is not None else self._inquiry.until_s

    def arrived(self, what: object) -> None:
        """The outcome is where `ending` finds it."""

    def expire(self) -> None:
        """Do without the outcome."""
        if self._failed is None:
            self._inquiry.expire()
            self._late = True

    def give_up(self) -> None:
        """Do without the outcome."""
        self.expire()

    def ending(self) -> bytes | Status | None:
        """Once there is an outcome. Raises: TimeoutError where there is none in time, which is a fault of ours."""
        if self._failed is not None:
            return self._calls.no_answer(self._failed, self._request)
        if not self._inquiry.has_outcome and not self._late:
            return None
        try:
            return self._calls.reply(self._inquiry, self._request).SerializeToString()
        except NoAnswerError as error:
            return self._calls.no_answer(error, self._request)

    def abandon(self) -> None:
        """Take the question back."""
        if self._failed is None:
            self._inquiry.withdraw()
