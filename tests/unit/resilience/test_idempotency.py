"""A repetition gets the answer it had, another payload is refused, and memory stays bounded."""

import pytest

from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import RejectReason
from stepdown.resilience.idempotency import FRESH, Fresh, IdempotencyStore, Replay

STAY, OTHER_STAY = "e-51c0de77a2", "e-9"


def claim(
    store: IdempotencyStore[str], key: str = "a", digest: str = "d1", *, now_s: float = 0.0, stay: str = STAY
) -> Fresh | Replay[str]:
    return store.begin(key, digest, encounter_token=stay, now_s=now_s)


def answered(store: IdempotencyStore[str], key: str, *, stay: str = STAY, valid_until_s: float = 100.0) -> None:
    claim(store, key, stay=stay)
    store.complete(key, f"answer to {key}", valid_until_s=valid_until_s)


def test_row_27_the_same_request_is_answered_with_the_same_answer() -> None:
    store = IdempotencyStore[str]()
    assert claim(store) is FRESH
    store.complete("a", "first", valid_until_s=100.0)
    assert claim(store, now_s=99.9) == Replay(answer="first")


def test_row_27_another_payload_under_the_same_id_is_refused_whether_answered_or_not() -> None:
    store = IdempotencyStore[str]()
    claim(store)
    for _ in range(2):
        with pytest.raises(RequestRejectedError) as caught:
            claim(store, digest="d2")
        assert caught.value.reason is RejectReason.IDEMPOTENCY_PAYLOAD_MISMATCH
        assert caught.value.retry_after_s is None
        store.complete("a", "first", valid_until_s=100.0)


def test_row_27_a_request_still_under_way_is_to_be_asked_again_later() -> None:
    store = IdempotencyStore[str](retry_after_s=0.25)
    claim(store)
    with pytest.raises(RequestRejectedError) as caught:
        claim(store)
    assert caught.value.reason is RejectReason.REQUEST_IN_PROGRESS
    assert caught.value.retry_after_s == 0.25
    assert STAY not in str(caught.value.violations)


def test_an_answer_that_is_no_longer_valid_is_not_given_again() -> None:
    store = IdempotencyStore[str]()
    answered(store, "a", valid_until_s=100.0)
    assert claim(store, digest="d2", now_s=100.0) is FRESH


def test_a_request_that_ended_without_an_answer_may_be_tried_again() -> None:
    store = IdempotencyStore[str]()
    claim(store)
    store.abandon("a")
    assert claim(store, digest="d2") is FRESH


def test_abandoning_does_not_undo_an_answer_and_unknown_keys_do_nothing() -> None:
    store = IdempotencyStore[str]()
    answered(store, "a")
    store.abandon("a")
    store.abandon("unknown")
    store.complete("unknown", "nobody asked", valid_until_s=100.0)
    assert claim(store) == Replay(answer="answer to a")
    assert len(store) == 1


def test_the_oldest_answer_makes_room_for_a_new_request() -> None:
    store = IdempotencyStore[str](maximum_entries=2)
    claim(store, "under way")
    answered(store, "a")
    answered(store, "b")
    assert len(store) == 2
    with pytest.raises(RequestRejectedError):
        claim(store, "under way")
    assert claim(store, "b") == Replay(answer="answer to b")


def test_when_everything_is_under_way_a_new_request_goes_through_unremembered() -> None:
    store = IdempotencyStore[str](maximum_entries=1)
    claim(store, "a")
    for _ in range(2):
        assert claim(store, "b") is FRESH
        store.complete("b", "answer", valid_until_s=100.0)
    assert len(store) == 1


def test_row_21_answers_for_an_encounter_are_forgotten_when_they_rest_on_another_patient() -> None:
    store = IdempotencyStore[str]()
    answered(store, "a")
    answered(store, "b")
    answered(store, "c", stay=OTHER_STAY)
    assert store.invalidate(STAY) == 2
    assert claim(store, "a") is FRESH
    assert claim(store, "c", stay=OTHER_STAY) == Replay(answer="answer to c")


def test_row_21_what_was_under_way_meanwhile_is_answered_once_and_not_again() -> None:
    store = IdempotencyStore[str]()
    claim(store, "a")
    assert store.invalidate(STAY) == 0
    with pytest.raises(RequestRejectedError):
        claim(store, "a")
    store.complete("a", "rests on what was taken back", valid_until_s=100.0)
    assert claim(store, "a") is FRESH
