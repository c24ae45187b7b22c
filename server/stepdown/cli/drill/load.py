"""Questions at a steady rate that does not wait for answers, as callers do who know nothing of one another.

One thread sends, and answers are kept as they came: they are read when the drill is over, so that this process has
little else to do than to look at the clock.
"""

import gc
import time
from dataclasses import dataclass
from itertools import count
from threading import Event, Lock, Thread
from uuid import uuid4

from stepdown.cli.drill.plan import LoadPlan
from stepdown.cli.drill.questions import Questions, known
from stepdown.cli.drill.record import Asked
from stepdown.client.sending import QuestionSender, Reply

_ENDING_S = 30.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """One question as it was sent."""

    number: int
    request_id: str
    intended_s: float
    sent_s: float


class OpenLoad:
    """Every hour of every stay, again and again, each at its own moment."""

    def __init__(self, sender: QuestionSender, questions: Questions, plan: LoadPlan) -> None:
        """Nothing is asked before `start`."""
        self._sender = sender
        self._questions = questions
        self._encoded = tuple(question.SerializeToString() for question in questions.asked)
        self._plan = plan
        self._lock = Lock()
        self._open = 0
        self._settled: list[tuple[_Sent, float, Reply]] = []
        self._stopped = Event()
        self._pacer = Thread(target=self._pace, name="drill-pacer", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        # What is here lives until the end: looking through it again and again would only hold up the clock.
        gc.collect()
        gc.freeze()
        self._pacer.start()

    def stop(self) -> None:
        """Ask no more, and wait for the answers that are due."""
        self._stopped.set()
        self._pacer.join(_ENDING_S)
        deadline_s = time.monotonic() + _ENDING_S
        while self._waiting() and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        gc.unfreeze()

    def asked(self) -> tuple[Asked, ...]:
        """What has been asked and settled, in the order in which it was due."""
        with self._lock:
            settled = sorted(self._settled, key=lambda each: each[0].intended_s)
        return tuple(self._read(*each) for each in settled)

    def _waiting(self) -> int:
        with self._lock:
            return self._open

    def _pace(self) -> None:
        begun_s = time.time()
        for turn in count():
            intended_s = begun_s + turn / self._plan.rate_per_s
            if self._stopped.wait(max(0.0, intended_s - time.time())):
                return
            self._send(turn % len(self._encoded), intended_s)

    def _send(self, number: int, intended_s: float) -> None:
        sent = _Sent(number=number, request_id=str(uuid4()), intended_s=intended_s, sent_s=time.time())

        def settle(reply: Reply) -> None:
            done_s = time.time()
            with self._lock:
                self._open -= 1
                self._settled.append((sent, done_s, reply))

        with self._lock:
            self._open += 1
        self._sender.send(
            self._encoded[number], request_id=sent.request_id, timeout_s=self._plan.deadline_ms / 1e3, settled=settle
        )

    def _read(self, sent: _Sent, done_s: float, reply: Reply) -> Asked:
        tier, mislabelled, wrong = ("", False, False) if reply.code else self._judged(sent, reply)
        return Asked(
            request_id=sent.request_id,
            intended_s=sent.intended_s,
            sent_s=sent.sent_s,
            done_s=done_s,
            tier=tier,
            mislabelled=mislabelled,
            wrong=wrong,
            failure=f"{reply.code} {reply.text}".strip(),
        )

    def _judged(self, sent: _Sent, reply: Reply) -> tuple[str, bool, bool]:
        """By whom it was answered, whether its label is another's, and whether its number is."""
        answer = reply.assessment()
        identity = answer.answered_by
        label = self._questions.labels.get(identity.tier)
        mislabelled = (
            answer.request_id != sent.request_id
            or label is None
            or (identity.bundle.sha256, tuple(identity.bundle.signers)) != (label.sha256, label.signers)
        )
        expected = self._questions.answers.get((sent.number, identity.tier))
        # A question that this tier has never answered alone cannot have been answered by it now.
        wrong = expected is None or not expected.matches(known(answer))
        return identity.tier, mislabelled, wrong
