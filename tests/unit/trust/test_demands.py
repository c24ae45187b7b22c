"""What a policy demands of a bundle whose signatures are good."""

from dataclasses import replace
from datetime import datetime

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import (
    ANY_BY_TRAINER,
    DAY,
    NOW,
    NOW_S,
    OFFICER,
    TRAINER,
    policy,
    provenance,
    rules_contents,
    signed,
)

Files = dict[str, bytes]


def refusal(files: Files, *, by: TrustPolicy) -> TrustError:
    with pytest.raises(TrustError) as refused:
        verify_bundle("news2", "1.2.0", files, by, NOW_S)
    return refused.value


def demanding(demand: str, *signers: str) -> TrustPolicy:
    names = ", ".join(f'"{name}"' for name in ("trainer", "officer"))
    rule = f'[[bundle]]\nnames = ["*"]\nsigners = [{names}]\n{demand}\n'
    return policy(TRAINER + 'roles = ["trainer"]\n', OFFICER + 'roles = ["safety"]\n', rule, *signers)


@pytest.mark.parametrize(
    ("demand", "rule"),
    [
        ("minimum_signers = 2", "SIGNERS_TOO_FEW"),
        ('roles = ["safety"]', "SIGNER_ROLE_MISSING"),
        ('builders = ["urn:somebody:else"]', "BUILDER_NOT_ALLOWED"),
        ("maximum_age_days = 1", ""),
        ('roles = ["trainer"]\nbuilders = ["urn:hospital.example:builder"]', ""),
        ('provenance = ["hardware", "source_commit", "data_digests", "finished_on"]', ""),
    ],
)
def test_what_the_policy_demands_of_a_well_signed_bundle_is_held_against_it(demand: str, rule: str) -> None:
    files = signed(rules_contents())
    if rule:
        assert refusal(files, by=demanding(demand)).rule == rule
    else:
        assert verify_bundle("news2", "1.2.0", files, demanding(demand), NOW_S).identity.signers == ("trainer",)


def built(moment: datetime | None) -> Files:
    contents = {name: content for name, content in rules_contents().items() if name != "provenance.json"}
    metadata = {"finishedOn": moment.isoformat()} if moment else {}
    details = {"builder": {"id": "urn:x"}, "metadata": metadata}
    return signed({**contents, "provenance.json": provenance(contents, runDetails=details)})


@pytest.mark.parametrize(
    ("moment", "demand", "rule"),
    [
        (NOW - 2 * DAY, "maximum_age_days = 1", "BUNDLE_TOO_OLD"),
        (NOW + DAY, "", "PROVENANCE_INVALID"),
        (None, "maximum_age_days = 1", "PROVENANCE_INCOMPLETE"),
        (None, 'provenance = ["finished_on"]', "PROVENANCE_INCOMPLETE"),
    ],
)
def test_a_bundle_says_when_it_was_built_and_may_not_be_too_old(
    moment: datetime | None, demand: str, rule: str
) -> None:
    assert refusal(built(moment), by=demanding(demand)).rule == rule


def test_what_has_served_here_does_not_come_back_older() -> None:
    by = policy(TRAINER, ANY_BY_TRAINER)
    files = signed(rules_contents())
    assert refusal(files, by=replace(by, floors={"news2": "1.10.0"})).rule == "VERSION_ROLLED_BACK"
    for floors in ({"news2": "1.2.0"}, {"qsofa": "9.0.0"}):
        assert verify_bundle("news2", "1.2.0", files, replace(by, floors=floors), NOW_S).sha256
