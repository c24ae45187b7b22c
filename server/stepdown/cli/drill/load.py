"""Questions at a steady rate that does not wait for answers, as callers do who know nothing of one another."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle, zip_longest
from pathlib import Path
from threading import Event, Lock, Thread
from uuid import uuid4

from stepdown.cli.drill.plan import LoadPlan
from stepdown.cli.drill.record import Asked
from stepdown.client import Assessment, AssessmentClient, AssessmentError, AssessRiskRequest
from stepdown.client.drills import TierView
from stepdown.client.psv import read_stay

_SENDERS = 64
_ENDING_S = 30.0


class OpenLoad:
    """Every hour of every stay of a folder, again and again, each at its own moment."""

    def __init__(
        self, client: AssessmentClient, stays: Path, plan: LoadPlan, *, labels: Mapping[str, TierView]
    ) -> None:
        """`labels`: by tier, what its answers must say of themselves."""
        self._client = client
        self._plan = plan
        self._labels = labels
        self._questions = _questions(stays)
        self._lock = Lock()
        self._asked: list[Asked] = []
        self._stopped = Event()
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="drill-sender")
        self._pacer = Thread(target=self._pace, name="drill-pacer", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._pacer.start()

    def stop(self) -> None:
        """Ask no more, and wait for the answers that are due."""
        self._stopped.set()
        self._pacer.join(_ENDING_S)
        self._senders.shutdown()

    def asked(self) -> tuple[Asked, ...]:
        """What has been asked and settled so far, in the order in which it was due."""
        with self._lock:
            return tuple(sorted(self._asked, key=lambda each: each.intended_s))

    def _pace(self) -> None:
        begun_s = time.time()
        for number, question in enumerate(self._questions):
            intended_s = begun_s + number / self._plan.rate_per_s
            if self._stopped.wait(max(0.0, intended_s - time.time())):
                return
            self._senders.submit(self._ask, question, intended_s)

    def _ask(self, question: AssessRiskRequest, intended_s: float) -> None:
        request = AssessRiskRequest()
        request.CopyFrom(question)
        request.request_id = str(uuid4())
        sent_s = time.time()
        tier, failure, mislabelled = "", "", False
        try:
            answer = self._client.assess(request, timeout_s=self._plan.deadline_ms / 1e3)
            tier, mislabelled = answer.answered_by.tier, self._is_mislabelled(request, answer)
        except AssessmentError as error:
            failure = f"{error.code} {error.reason}".strip()
        settled = Asked(
            request_id=request.request_id,
            intended_s=intended_s,
            sent_s=sent_s,
            done_s=time.time(),
            tier=tier,
            mislabelled=mislabelled,
            failure=failure,
        )
        with self._lock:
            self._asked.append(settled)

    def _is_mislabelled(self, request: AssessRiskRequest, answer: Assessment) -> bool:
        identity, label = answer.answered_by, self._labels.get(answer.answered_by.tier)
        return (
            answer.request_id != request.request_id
            or label is None
            or (identity.bundle.sha256, tuple(identity.bundle.signers)) != (label.sha256, label.signers)
        )


def _questions(stays: Path) -> Iterator[AssessRiskRequest]:
    """Hour by hour over all stays, for ever. Every round asks the same, so no encounter changes too often."""
    ending = datetime.now(UTC)
    per_stay = [list(read_stay(path).requests(ending=ending)) for path in sorted(stays.glob("*.psv"))]
    return cycle([hour for hours in zip_longest(*per_stay) for hour in hours if hour is not None])
