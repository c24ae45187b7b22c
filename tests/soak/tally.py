"""What callers were told, counted, and every answer held against what it must be.

An answer is mislabelled when it names another request, bundle or signer than its tier's; it differs when the same
question was answered by the same tier with other numbers before. Between an injected wrong output and its discovery
answers may differ, and are counted apart.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import TypeAlias

from stepdown.client import Assessment, AssessmentError

Label: TypeAlias = tuple[str, tuple[str, ...]]
"""What an answer says of its tier's bundle: its digest, and who signed it."""

_PROBLEMS_TOLD = 10
_SAME = 1e-4
_CALLERS_OWN_FAULT = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED"}
)


class Tally:
    """Any thread may report. `problems` are the first things of each kind that should not have been, in words."""

    def __init__(self, labels: Mapping[str, Collection[Label]]) -> None:
        """`labels`: by tier, what its answers may say of themselves."""
        self._labels = labels
        self._lock = threading.Lock()
        self._numbers: dict[tuple[int, str], tuple[int, float]] = {}
        self._doubtful_until_s: dict[str, float] = {}
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []

    def doubt(self, tier: str, *, for_s: float) -> None:
        """A wrong but finite output was put into a tier: its numbers are not compared for a while."""
        with self._lock:
            self._doubtful_until_s[tier] = time.monotonic() + for_s

    def count(self, what: str) -> None:
        """Something that is as it should be, or that proves nothing."""
        with self._lock:
            self.counts[what] += 1

    def problem(self, what: str, detail: str) -> None:
        """Something that should not have been."""
        with self._lock:
            self.counts[what] += 1
            if self.counts[what] <= _PROBLEMS_TOLD:
                self.problems.append(f"{what}: {detail}")

    def answered(self, question: int, request_id: str, answer: Assessment) -> None:
        """Hold an answer against its question and its tier."""
        tier = answer.answered_by.tier
        self.count(f"answered by {tier}")
        self.count("answers recorded" if answer.recorded else "answers not recorded")
        bundle = answer.answered_by.bundle
        label = bundle.sha256, tuple(bundle.signers)
        if answer.request_id != request_id or label not in self._labels.get(tier, ()):
            self.problem("mislabelled", f"{tier} {bundle.sha256[:8]} for {request_id}")
        self._compare(question, tier, (int(answer.band), answer.risk.probability))

    def lost(self, kind: str, error: AssessmentError, *, asked_s: float) -> None:
        """No answer to a good question with ample time; `asked_s` on the monotonic clock."""
        self.problem("lost", f"{kind} after {time.monotonic() - asked_s:.3f} s: {error}")

    def refused(self, kind: str, error: AssessmentError) -> None:
        """What a bad question was answered with: that the fault is its own, or, unread, when to come again."""
        if error.retry_after_s is not None:
            self.count("bad questions sent back unread")
        elif error.code in _CALLERS_OWN_FAULT or error.reason == "TOO_LARGE":
            self.count("bad questions refused")
        else:
            self.problem("blamed on the server", f"{kind}: {error}")

    def _compare(self, question: int, tier: str, told: tuple[int, float]) -> None:
        with self._lock:
            if time.monotonic() < self._doubtful_until_s.get(tier, 0.0):
                self.counts["not compared"] += 1
                return
            band, probability = self._numbers.setdefault((question, tier), told)
        if band != told[0] or abs(probability - told[1]) > _SAME:
            self.problem("differing", f"question {question} by {tier}: {told} after {(band, probability)}")
