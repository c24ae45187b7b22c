"""When answers that pass every check still look wrong. Suspicion condemns nobody: it asks for proof sooner.

Two signs are looked for: the same score for one input after another, and a share of answers grossly at odds with the
rules that chance would not give, judged by the tier's own history. Refuses to know what a score means.
"""

from math import sqrt

_SAME_LIMIT = 6
_WINDOW = 32
_HISTORY = 4096.0
_PRIOR_ANSWERS = 40.0
_PRIOR_SHARE = 0.1
_DEVIATIONS = 4.0
_SLACK = 2.0


class ConstancyWatch:
    """Suspects a score that stays the same over `_SAME_LIMIT` inputs in a row of which each differs from the last."""

    __slots__ = ("_last", "_same")

    def __init__(self) -> None:
        """Start having seen nothing."""
        self._last: tuple[object, object] | None = None
        self._same = 0

    def suspects(self, question: object, score: object) -> bool:
        """Note one answer; both are compared by value. Says True once for each run that is long enough."""
        last, self._last = self._last, (question, score)
        if last is None or score != last[1]:
            self._same = 0
            return False
        if question == last[0]:
            return False
        self._same += 1
        if self._same < _SAME_LIMIT:
            return False
        self._same = 0
        return True


class DisagreementWatch:
    """Suspects more gross disagreements among the last 32 answers than four standard deviations above what is usual.

    What is usual is the share over some thousand answers before, with a prior of one in ten that a few dozen answers
    outweigh. The history outlives the worker: it belongs to the model.
    """

    __slots__ = ("_answers", "_bits", "_count", "_disagreed")

    def __init__(self) -> None:
        """Start with the prior."""
        self._answers = _PRIOR_ANSWERS
        self._disagreed = _PRIOR_ANSWERS * _PRIOR_SHARE
        self._bits = 0
        self._count = 0

    def suspects(self, *, disagrees: bool) -> bool:
        """Note one answer; True when the recent ones are improbable. Starts the recent ones afresh when it says so."""
        leaving = self._bits >> (_WINDOW - 1) & 1
        self._bits = (self._bits << 1 | disagrees) & ((1 << _WINDOW) - 1)
        if self._count == _WINDOW:
            self._remember(answers=1, disagreed=leaving)
        else:
            self._count += 1
        usual = self._disagreed / self._answers * self._count
        improbable = usual + _DEVIATIONS * sqrt(usual * (1.0 - usual / self._count)) + _SLACK
        found = self._bits.bit_count()
        if found <= improbable:
            return False
        self._remember(answers=self._count, disagreed=found)
        self._bits = 0
        self._count = 0
        return True

    def _remember(self, *, answers: int, disagreed: int) -> None:
        """What has aged out is history, and so is what was suspected: a model that is contrary by nature is learned."""
        self._answers += answers
        self._disagreed += disagreed
        if self._answers > _HISTORY:
            self._answers /= 2.0
            self._disagreed /= 2.0
