"""Waits in the thread of a call for the answers that its flow began. Refuses to wait for a caller that has left."""

from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue

from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.questions import CallTerms, Question


def answer_all(
    flow: AssessmentFlow,
    messages: Sequence[AssessRiskRequest],
    terms: CallTerms,
    *,
    when_gone: Callable[[Callable[[], None]], bool],
) -> tuple[Question, ...]:
    """Every message's question, settled; unless the caller left, when nobody will read them.

    `when_gone` takes what to call when the call ends before its time, and says False if it has ended already.
    """
    arrivals: SimpleQueue[Question | None] = SimpleQueue()
    if not when_gone(partial(arrivals.put, None)):
        return ()
    questions = flow.begin(messages, terms, arrivals.put)
    until_s = max((question.until_s for question in questions), default=0.0)
    for _ in questions:
        try:
            arrived = arrivals.get(timeout=max(0.0, until_s - flow.now_s()))
        except Empty:
            break
        if arrived is None:
            flow.abandon(questions)
            return questions
        flow.conclude(arrived, terms)
    for late in questions:
        flow.conclude(late, terms)
    return questions
