"""Why a bundle is accepted or not: every step, in order, with how it ended."""

from stepdown.trust.examination import Outcome
from stepdown.trust.verification import explain_bundle
from tests.unit.trust.samples import ANY_BY_TRAINER, NOW_S, TRAINER, policy, rules_contents, signed

STEPS = [
    "names",
    "signatures",
    "files",
    "denylist",
    "documents",
    "provenance",
    "identity",
    "signers",
    "people",
    "version",
    "builder",
    "age",
]


def test_an_explanation_makes_every_step_and_says_how_each_ended() -> None:
    good = explain_bundle("news2", "1.2.0", signed(rules_contents()), policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    assert [finding.step for finding in good] == STEPS
    assert {finding.outcome for finding in good} == {Outcome.PASSED}
    assert all(finding.detail and not finding.rule for finding in good)


def test_an_explanation_goes_on_after_a_refusal_and_says_what_it_could_not_reach() -> None:
    files = signed(rules_contents(), signer="stranger") | {"notes.txt": b""}
    found = explain_bundle("news2", "1.3.0", files, policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    ended = {finding.step: (finding.outcome.value, finding.rule) for finding in found}
    assert ended["names"] == ("passed", "")
    assert ended["signatures"] == ("refused", "SIGNER_UNKNOWN")
    assert ended["files"] == ("not reached", "")
    assert ended["identity"] == ("refused", "VERSION_MISMATCH")
    assert ended["people"] == ("not reached", "")
    assert ended["age"] == ("passed", "")
    nameless = explain_bundle("news2", "1.3.0", {"../x": b""}, policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    assert [finding.outcome for finding in nameless] == [Outcome.REFUSED] + [Outcome.NOT_REACHED] * (len(STEPS) - 1)
