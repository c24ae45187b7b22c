"""The questions of a drill and what each tier answers to them, learned before anything is made to fail.

A tier is asked alone by taking the better ones out of service for a moment. So an answer under a fault can be held
against what its tier really says, and not only against its label. Refuses to judge: it compares.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from uuid import uuid4

from stepdown.client import Assessment, AssessmentClient, AssessmentError, AssessRiskRequest, Credentials
from stepdown.client.drills import DrillClient, TierView
from stepdown.client.operations import disable_tier, enable_tier
from stepdown.client.psv import read_stay
from stepdown.domain.errors import StepdownError

SERVING = "SERVING"
_LEARNING = "drill: asking each tier alone"
_BATCH = 16
_PATIENCE_S = 20.0
_ROUNDS = 4
_READY_S = 120.0
_POLL_S = 0.05
# The same model, the same input and another batch may differ in the last bits of a float32; clinicians see two digits.
TOLERANCE = 1e-4


class DrillNotPlayedError(StepdownError):
    """The drill could not be played, so it says nothing about the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a tier answers to a question: a probability, None if it gives none, and a band."""

    probability: float | None
    band: int

    def matches(self, other: "Known") -> bool:
        """Whether it is the same answer."""
        if self.probability is None or other.probability is None:
            return self == other
        return abs(self.probability - other.probability) <= TOLERANCE and self.band == other.band


def known(answer: Assessment) -> Known:
    """The part of an answer that its tier alone decides."""
    risk = answer.risk.probability if answer.HasField("risk") else None
    return Known(probability=risk, band=answer.band)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Every hour of every stay, and by tier what it answers to each; a question that a tier does not take has none."""

    asked: tuple[AssessRiskRequest, ...]
    answers: dict[tuple[int, str], Known]
    labels: dict[str, TierView]

    def is_of(self, tiers: Sequence[TierView]) -> bool:
        """Whether what was learned still holds: the same bundles serve."""
        return {tier.name: (tier.sha256, tier.signers) for tier in tiers} == {
            name: (label.sha256, label.signers) for name, label in self.labels.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Whom a drill talks to, in which roles, and about which pathway."""

    address: str
    assessor: Credentials
    operator: Credentials
    client: AssessmentClient
    operations: DrillClient
    pathway: str


def learn(desk: Desk, stays: Path, tell: Callable[[str], None]) -> Questions:
    """Ask each tier alone. Raises: DrillNotPlayedError, AssessmentError."""
    questions, answers = _read(stays, desk.pathway), dict[tuple[int, str], Known]()
    tiers = whole_chain(desk)
    tell(f"asking each tier alone, {len(questions)} questions")
    with _given_back(desk) as disabled:
        for tier in tiers:
            for _ in range(_ROUNDS):
                unanswered = [number for number in range(len(questions)) if (number, tier.name) not in answers]
                if not _ask(desk.client, questions, unanswered, answers):
                    break  # the rest is left to lower tiers, whoever serves
            if tier is not tiers[-1]:
                disabled.append(tier.name)
                disable_tier(desk.address, desk.operator, pathway=desk.pathway, tier=tier.name, detail=_LEARNING)
    whole_chain(desk)
    if not answers:
        raise DrillNotPlayedError(
            f"no tier of {desk.pathway} answers these questions; drills ask clinical pathways only"
        )
    return Questions(asked=questions, answers=answers, labels={tier.name: tier for tier in tiers})


def refresh(desk: Desk) -> tuple[TierView, ...]:
    """Give every tier but the last a new beginning: what an earlier drill did to it must not be held against it."""
    tiers = whole_chain(desk)
    for tier in tiers[:-1]:
        disable_tier(desk.address, desk.operator, pathway=desk.pathway, tier=tier.name, detail="between drills")
        enable_tier(desk.address, desk.operator, pathway=desk.pathway, tier=tier.name)
    return whole_chain(desk)


def whole_chain(desk: Desk) -> tuple[TierView, ...]:
    """Wait until every tier serves and no fault is in. Raises: DrillNotPlayedError, AssessmentError."""
    deadline_s = time.monotonic() + _READY_S
    while True:
        now = desk.operations.situation(desk.pathway)
        if all(tier.state == SERVING for tier in now.tiers) and not now.injected:
            return now.tiers
        if time.monotonic() > deadline_s:
            states = ", ".join(f"{tier.name} {tier.state} {tier.reason}".strip() for tier in now.tiers)
            faults = ", ".join(sorted(now.injected)) or "no fault"
            raise DrillNotPlayedError(f"a drill begins with every tier serving and no fault, but {states}; {faults}")
        time.sleep(_POLL_S)


def _read(stays: Path, pathway: str) -> tuple[AssessRiskRequest, ...]:
    """Hour by hour over all stays. Every round asks the same, so no encounter changes too often."""
    ending = datetime.now(UTC)
    per_stay = [list(read_stay(path).requests(ending=ending)) for path in sorted(stays.glob("*.psv"))]
    hours = tuple(hour for hours in zip_longest(*per_stay) for hour in hours if hour is not None)
    if not hours:
        raise DrillNotPlayedError(f"{stays} holds no stays")
    for hour in hours:
        hour.pathway = pathway
    return hours


def _ask(
    client: AssessmentClient,
    questions: Sequence[AssessRiskRequest],
    numbers: Sequence[int],
    answers: dict[tuple[int, str], Known],
) -> bool:
    """Ask, and keep what is answered by whom. Returns whether anything was new."""
    before = len(answers)
    for first in range(0, len(numbers), _BATCH):
        batch = numbers[first : first + _BATCH]
        for number, answer in zip(batch, _answered(client, [questions[each] for each in batch]), strict=True):
            if not isinstance(answer, AssessmentError):
                answers[number, answer.answered_by.tier] = known(answer)
    return len(answers) > before


def _answered(
    client: AssessmentClient, questions: Sequence[AssessRiskRequest]
) -> tuple[Assessment | AssessmentError, ...]:
    requests = []
    for question in questions:
        request = AssessRiskRequest()
        request.CopyFrom(question)
        request.request_id = str(uuid4())
        requests.append(request)
    return client.assess_batch(requests, timeout_s=_PATIENCE_S)


@contextmanager
def _given_back(desk: Desk) -> Iterator[list[str]]:
    """Whatever happens, no tier stays out because a drill looked at another."""
    disabled: list[str] = []
    try:
        yield disabled
    finally:
        for name in disabled:
            enable_tier(desk.address, desk.operator, pathway=desk.pathway, tier=name)
