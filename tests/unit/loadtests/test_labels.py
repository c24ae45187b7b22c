"""Answers that are not what they say are told from those that are."""

import pytest

from loadtests.labels import TierLabel, is_unsuited, label_faults
from stepdown.api.v1.assessments_pb2 import Abstention, Assessment
from stepdown.api.v1.tiers_pb2 import BundleIdentity, Degradation, Reason, TierIdentity

CHAIN = tuple(TierLabel(name=name, sha256=name * 2, signers=("demo",)) for name in ("full", "distilled", "rules"))


def answer(tier: str = "distilled", **changes: object) -> Assessment:
    better = [label.name for label in CHAIN][: [label.name for label in CHAIN].index(tier)]
    made = Assessment(
        request_id="r1",
        pathway="p",
        answered_by=TierIdentity(tier=tier, bundle=BundleIdentity(sha256=tier * 2, signers=["demo"])),
        degradations=[Degradation(tier=name, reason=Reason.REASON_WORKER_LOST) for name in better],
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def faults(made: Assessment) -> tuple[str, ...]:
    return label_faults(made, request_id="r1", pathway="p", chain=CHAIN)


@pytest.mark.parametrize("tier", ["full", "distilled", "rules"])
def test_an_honest_answer_of_any_tier_has_no_fault(tier: str) -> None:
    assert faults(answer(tier)) == ()


def test_each_lie_is_found() -> None:
    assert faults(answer(request_id="r2")) == ("answers another request",)
    assert faults(answer(pathway="q")) == ("names another pathway",)
    unknown, digest, signer, silent, wrong_order = answer(), answer(), answer(), answer("rules"), answer("rules")
    unknown.answered_by.tier = "other"
    assert "names a tier that the chain has not" in faults(unknown)
    digest.answered_by.bundle.sha256 = "fullfull"
    assert faults(digest) == ("names a bundle or signer that its tier has not",)
    signer.answered_by.bundle.signers[:] = ["somebody"]
    assert faults(signer) == ("names a bundle or signer that its tier has not",)
    del silent.degradations[0]
    assert faults(silent) == ("does not name the better tiers",)
    wrong_order.degradations.reverse()
    assert faults(wrong_order) == ("does not name the better tiers",)


def test_a_degraded_answer_that_hides_it_is_found_unless_it_abstains_before_any_tier_was_asked() -> None:
    hidden = answer("rules")
    hidden.ClearField("degradations")
    assert faults(hidden) == ("does not name the better tiers",)
    hidden.abstention.CopyFrom(Abstention(text="no score"))
    assert faults(hidden) == ()


def test_a_step_down_for_the_patients_data_is_told_from_one_for_the_server() -> None:
    assert not is_unsuited(answer("rules"))
    unsuited = answer("rules")
    unsuited.degradations[0].reason = Reason.REASON_INPUT_UNSUITABLE
    assert is_unsuited(unsuited)
    abstained = answer("full")
    abstained.abstention.CopyFrom(Abstention())
    assert is_unsuited(abstained)
