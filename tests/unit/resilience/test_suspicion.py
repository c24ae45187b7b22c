from random import Random

from stepdown.resilience.suspicion import ConstancyWatch, DisagreementWatch


def test_one_score_for_seven_inputs_in_a_row_is_suspected_once() -> None:
    watch = ConstancyWatch()
    assert [watch.suspects(question, b"0.3") for question in range(8)] == [False] * 6 + [True, False]


def test_the_same_input_again_is_no_sign_and_another_score_ends_the_run() -> None:
    watch = ConstancyWatch()
    assert not any(watch.suspects("the same patient", b"0.3") for _ in range(100))
    for question in range(5):
        watch.suspects(question, b"0.3")
    assert not watch.suspects(5, b"0.4")
    assert not any(watch.suspects(question, b"0.4") for question in range(6, 11))


def test_disagreement_as_usual_is_hardly_ever_suspected() -> None:
    draw, watch = Random(5), DisagreementWatch()
    suspicions = sum(watch.suspects(disagrees=draw.random() < 0.15) for _ in range(20_000))
    assert suspicions <= 4


def test_a_tier_that_suddenly_disagrees_is_suspected_within_its_window() -> None:
    draw, watch = Random(5), DisagreementWatch()
    for _ in range(2000):
        watch.suspects(disagrees=draw.random() < 0.1)
    assert any(watch.suspects(disagrees=True) for _ in range(20))


def test_what_is_usual_is_learned_from_the_models_own_history() -> None:
    draw, contrary = Random(5), DisagreementWatch()
    for _ in range(10_000):
        contrary.suspects(disagrees=draw.random() < 0.6)
    assert not any(contrary.suspects(disagrees=draw.random() < 0.6) for _ in range(500))


def test_a_fresh_tier_is_suspected_only_for_much_disagreement() -> None:
    assert not any(DisagreementWatch().suspects(disagrees=True) for _ in range(1))
    watch = DisagreementWatch()
    assert not any(watch.suspects(disagrees=number % 4 == 0) for number in range(32))
    assert any(DisagreementWatch.suspects(watch, disagrees=True) for _ in range(32))


def test_a_suspicion_starts_the_recent_answers_afresh() -> None:
    watch = DisagreementWatch()
    while not watch.suspects(disagrees=True):
        pass
    assert not watch.suspects(disagrees=True)
