"""What is counted per model, and what is not."""

from stepdown.adapters.observers.model_statistics import (
    BACKEND,
    CHAIN,
    OTHER,
    REJECTED,
    Duration,
    ModelCounts,
    ModelStatisticsObserver,
)
from stepdown.domain.assessments import TierAttempt
from stepdown.domain.notices import BatchFinished, Notice
from stepdown.domain.reasons import Reason
from tests.fakes.statuses import PATHWAY, TIERS, answer_given, degradation, tier_identity


def counted(*notices: Notice, tier: str = CHAIN) -> ModelCounts:
    observer = ModelStatisticsObserver(tiers=TIERS, wall_s=lambda: 1_700_000_123.5)
    for notice in notices:
        observer.notice(notice)
    return observer.snapshot()[PATHWAY, tier]


def attempt(tier: str, outcome: Reason | None, elapsed_ms: float) -> TierAttempt:
    return TierAttempt(tier=tier, outcome=outcome, elapsed_ms=elapsed_ms)


def batch(**changes: object) -> BatchFinished:
    fields = {"pathway": PATHWAY, "tier": "full", "requests": 3, "rows": 4, "compute_s": 0.002, "queue_s": 0.001}
    return BatchFinished(**(fields | changes))  # type: ignore[arg-type]


def test_an_answer_counts_for_the_chain_and_for_the_tier_that_gave_it() -> None:
    answer = answer_given(rows=4, elapsed_s=0.003, attempts=(attempt("full", None, 2.0),))
    chain, tier, other = counted(answer), counted(answer, tier="full"), counted(answer, tier="distilled")
    assert (chain.rows, chain.success) == (4, Duration(count=1, ns=3_000_000))
    assert (tier.rows, tier.success) == (4, Duration(count=1, ns=2_000_000))
    assert (other.rows, other.success, other.last_answer_time_s) == (0, Duration(count=0, ns=0), None)
    assert chain.last_answer_time_s == tier.last_answer_time_s == 1_700_000_123.5


def test_a_tier_that_was_asked_and_did_not_answer_has_failed_though_the_chain_has_not() -> None:
    answer = answer_given(
        answered_by=tier_identity("distilled"),
        degradations=(degradation("full", Reason.WORKER_LOST),),
        attempts=(attempt("full", Reason.WORKER_LOST, 1.0), attempt("distilled", None, 0.5)),
    )
    full = counted(answer, tier="full")
    assert (full.success.count, full.failure) == (0, Duration(count=1, ns=1_000_000))
    assert dict(full.failures) == {REJECTED: 0, BACKEND: 1, OTHER: 0}
    assert counted(answer).failure.count == 0


def test_the_rules_answer_without_being_asked_and_are_counted_all_the_same() -> None:
    answer = answer_given(answered_by=tier_identity("rules"), attempts=(attempt("full", Reason.QUEUE_FULL, 0.1),))
    assert counted(answer, tier="rules").success == Duration(count=1, ns=2_000_000)
    assert dict(counted(answer, tier="full").failures)[REJECTED] == 1


def test_a_request_that_nobody_answers_fails_for_the_reason_of_the_last_tier() -> None:
    answer = answer_given(
        answered_by=None,
        degradations=(degradation("full", Reason.WORKER_LOST), degradation("distilled", Reason.QUEUE_FULL)),
    )
    chain = counted(answer)
    assert (chain.success.count, chain.failure.count, chain.rows) == (0, 1, 0)
    assert dict(chain.failures) == {REJECTED: 1, BACKEND: 0, OTHER: 0}


def test_a_failure_without_a_reason_is_of_the_other_class() -> None:
    assert dict(counted(answer_given(answered_by=None)).failures)[OTHER] == 1
    starting = answer_given(answered_by=None, degradations=(degradation("full", Reason.STARTING),))
    assert dict(counted(starting).failures)[OTHER] == 1


def test_a_run_is_charged_to_each_of_its_requests_and_once_to_its_batch_size() -> None:
    full = counted(batch(), batch(rows=1, requests=1), batch(), tier="full")
    assert full.runs == 3
    assert full.queue == Duration(count=7, ns=7_000_000)
    assert full.compute == Duration(count=7, ns=14_000_000)
    assert [(one.rows, one.compute) for one in full.batches] == [
        (1, Duration(count=1, ns=2_000_000)),
        (4, Duration(count=2, ns=4_000_000)),
    ]


def test_a_chain_has_the_runs_of_all_its_tiers() -> None:
    assert counted(batch(), batch(tier="distilled")).runs == 2


def test_what_is_not_configured_is_not_counted() -> None:
    observer = ModelStatisticsObserver(tiers=TIERS, wall_s=lambda: 0.0)
    before = observer.snapshot()
    observer.notice(answer_given(pathway="elsewhere"))
    observer.notice(batch(tier="elsewhere"))
    assert observer.snapshot() == before
    observer.notice(answer_given(attempts=(attempt("elsewhere", None, 1.0),), answered_by=tier_identity("elsewhere")))
    assert set(observer.snapshot()) == set(before)
