"""Waits in the thread of a call for the answers that its flow began. Refuses to wait for a caller that has left."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
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
    # Until the chain is done with each, and then until each one's record is on the disk.
    for is_done in (attrgetter("is_concluded"), attrgetter("is_settled")):
        if not _wait(flow, questions, terms, arrivals=arrivals, is_done=is_done):
            flow.abandon(questions)
            break
    return questions


def _wait(
    flow: AssessmentFlow,
    questions: Sequence[Question],
    terms: CallTerms,
    *,
    arrivals: "SimpleQueue[Question | None]",
    is_done: Callable[[Question], bool],
) -> bool:
    """Conclude what arrives until all are done, and what is late without it. False once the caller has left."""
    open_count = sum(not is_done(question) for question in questions)
    until_s = max((question.until_s for question in questions), default=0.0)
    while open_count:
        try:
            arrived = arrivals.get(timeout=max(0.0, until_s - flow.now_s()))
        except Empty:
            break
        if arrived is None:
            return False
        was_done = is_done(arrived)
        flow.conclude(arrived, terms)
        open_count -= is_done(arrived) and not was_done
    for late in questions:
        if not is_done(late):
            flow.conclude(late, terms)
    return True
