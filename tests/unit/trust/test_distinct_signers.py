"""The two-person rule: who counts as one, and who can fill which roles."""

import pytest

from stepdown.domain.bundles import SignerIdentity
from stepdown.trust.distinct_signers import people, unfilled_roles
from tests.unit.trust.samples import OFFICER, SAFETY, TRAINER, authority, policy

ROLES = {"trainer": "trainer", "officer": "safety", "safety": "safety"}
ANY = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer", "safety"]\n'


def known(*, same_person: bool = False) -> tuple[str, ...]:
    person = 'person = "jo"\n' if same_person else ""
    return tuple(
        text + f'roles = ["{ROLES[name]}"]\n' + (person if name != "safety" else "")
        for name, text in (("trainer", TRAINER), ("officer", OFFICER), ("safety", SAFETY))
    )


def signer(name: str, *, key: str = "", identities: tuple[str, ...] = ()) -> SignerIdentity:
    return SignerIdentity(key_id=key or f"key of {name}", name=name, identities=frozenset(identities))


def roles_of(*signers: SignerIdentity, same_person: bool = False) -> list[list[str]]:
    by = policy(*known(same_person=same_person), ANY, roots=[authority().certificate])
    return sorted(sorted(roles) for roles in people(signers, by))


def test_two_signers_with_keys_of_their_own_are_two() -> None:
    assert roles_of(signer("trainer"), signer("officer")) == [["safety"], ["trainer"]]


@pytest.mark.parametrize(
    "second",
    [
        signer("trainer", key="another key"),
        signer("officer", key="key of trainer"),
    ],
)
def test_one_name_with_two_keys_and_two_names_with_one_key_are_one(second: SignerIdentity) -> None:
    assert len(roles_of(signer("trainer"), second)) == 1


def test_one_person_with_two_certificates_is_one_by_any_name_they_share() -> None:
    first = signer("officer", identities=("uri:a", "email:jo@hospital.example"))
    second = signer("safety", identities=("uri:b", "email:JO@hospital.example"))
    assert roles_of(first, second) == [["safety"]]
    assert len(roles_of(first, signer("safety", identities=("uri:b",)))) == 2


def test_one_person_by_the_policy_s_own_word_is_one_and_holds_both_roles() -> None:
    assert roles_of(signer("trainer"), signer("officer"), same_person=True) == [["safety", "trainer"]]


def test_a_third_signature_can_show_that_two_were_of_one_person() -> None:
    bridge = signer("safety", key="key of trainer", identities=("uri:b",))
    assert len(roles_of(signer("trainer"), signer("officer", identities=("uri:b",)), bridge)) == 1


@pytest.mark.parametrize(
    ("wanted", "roles", "unfilled"),
    [
        ((), (), ()),
        (("a",), ({"a"},), ()),
        (("a", "b"), ({"a", "b"},), ("b",)),
        (("a", "b"), ({"a", "b"}, {"a"}), ()),
        (("a", "b"), ({"a"}, {"a"}), ("b",)),
        (("a", "b", "c"), ({"a", "b"}, {"b", "c"}, {"a"}), ()),
        (("a", "b"), ({"a", "b"}, {"c"}), ("b",)),
    ],
)
def test_each_role_needs_a_person_of_its_own(
    wanted: tuple[str, ...], roles: tuple[set[str], ...], unfilled: tuple[str, ...]
) -> None:
    assert unfilled_roles(wanted, tuple(map(frozenset, roles))) == unfilled
