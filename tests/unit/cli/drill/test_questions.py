"""What counts as the same answer of a tier, and when what was learned of the tiers still holds."""

from dataclasses import replace

from stepdown.cli.drill.questions import Known, Questions
from stepdown.client.drills import TierView

FULL = TierView(
    name="full",
    state="SERVING",
    reason="",
    state_time_s=0.0,
    pid=1,
    sha256="ab",
    signers=("one",),
    restarts=0,
    injected_fault="",
)


def test_the_last_bits_of_a_number_may_differ_and_nothing_else() -> None:
    given = Known(probability=0.25, band=2)
    assert given.matches(Known(probability=0.250_05, band=2))
    assert not given.matches(Known(probability=0.251, band=2))
    assert not given.matches(Known(probability=0.25, band=3))
    assert not given.matches(Known(probability=None, band=2))
    assert Known(probability=None, band=2).matches(Known(probability=None, band=2))


def test_what_was_learned_holds_for_the_same_bundles_whatever_became_of_the_workers() -> None:
    questions = Questions(asked=(), answers={}, labels={"full": FULL})
    assert questions.is_of((replace(FULL, pid=2, restarts=1),))
    assert not questions.is_of((replace(FULL, sha256="cd"),))
    assert not questions.is_of((FULL, replace(FULL, name="distilled")))
