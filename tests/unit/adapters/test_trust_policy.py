"""Trust policies on disk: read with what they name, and believed only where nobody else can have written them."""

import os
from pathlib import Path

import pytest

from stepdown.adapters import trust_policy
from stepdown.adapters.trust_policy import OwnedBy, PolicyGuard, SignedBy, guard_of, policy_files, read_trust_policy
from stepdown.domain.errors import TrustError
from stepdown.trust.policy_signature import sign_policy
from tests.unit.trust.samples import ANY_BY_TRAINER, NOW_S, POLICY_HEAD, SAFETY, TRAINER, authority, key, key_files

MINE = OwnedBy(users=frozenset({os.geteuid()}))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir(mode=0o755)
    for name, content in key_files([authority().certificate]).items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o644)
    path = folder / "trust.toml"
    path.write_text(POLICY_HEAD + TRAINER + SAFETY + ANY_BY_TRAINER)
    path.chmod(0o644)
    return path


def refused(path: Path, guard: PolicyGuard | None = None) -> TrustError:
    with pytest.raises(TrustError) as error:
        read_trust_policy(path, guard)
    return error.value


def test_a_policy_is_read_with_the_files_it_names_beside_it(policy: Path) -> None:
    stored = read_trust_policy(policy)
    assert [signer.name for signer in stored.policy.signers] == ["trainer", "safety"]
    assert read_trust_policy(policy).sha256 == stored.sha256
    (policy.parent / "trainer.pub.pem").write_bytes(key("officer").public_pem)
    assert read_trust_policy(policy).sha256 != stored.sha256


def test_missing_files_are_reported_with_the_other_problems(policy: Path) -> None:
    policy.write_text(POLICY_HEAD + TRAINER + ANY_BY_TRAINER + "extra = 1\n")
    (policy.parent / "trainer.pub.pem").unlink()
    detail = refused(policy).detail
    assert "'trainer.pub.pem' could not be read" in detail
    assert "extra is not a known key" in detail
    with pytest.raises(TrustError, match=r"'trainer\.pub\.pem' cannot be read"):
        policy_files(policy)


def test_what_cannot_be_read_or_is_too_long_is_refused(policy: Path) -> None:
    assert refused(policy.with_name("absent.toml")).rule == "KEY_UNREADABLE"
    assert "not a usable path" in refused(Path("a\0b")).detail
    policy.write_bytes(b"#" * ((1 << 20) + 1))
    assert "is longer than" in refused(policy).detail


def test_a_policy_that_only_its_owner_can_write_is_believed(policy: Path) -> None:
    assert read_trust_policy(policy, MINE).policy.signers


@pytest.mark.parametrize("what", ["trust.toml", "trainer.pub.pem", "."])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_what_others_can_write_is_not_believed_nor_what_lies_in_a_folder_they_can_write(
    policy: Path, what: str, mode: int
) -> None:
    place = policy.parent / what
    place.chmod(place.stat().st_mode | mode)
    refusal = refused(policy, MINE)
    assert (refusal.rule, "can be written by others" in refusal.detail) == ("POLICY_UNPROTECTED", True)
    group = OwnedBy(users=MINE.users, group_may_write=True)
    if mode == 0o020:
        assert read_trust_policy(policy, group).policy.signers
    else:
        assert refused(policy, group).rule == "POLICY_UNPROTECTED"


def test_a_policy_of_another_user_is_not_believed(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust_policy, "_ROOT", -1)
    refusal = refused(policy, OwnedBy(users=frozenset({os.geteuid() + 1})))
    assert (refusal.rule, "belongs to user" in refusal.detail) == ("POLICY_UNPROTECTED", True)


def test_a_link_is_followed_and_the_place_it_leads_to_is_judged_as_well(policy: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "trust.toml"
    link.symlink_to(policy)
    for name in ("trainer.pub.pem", "root.pem"):
        (elsewhere / name).symlink_to(policy.parent / name)
    assert read_trust_policy(link, MINE).policy.signers
    policy.parent.chmod(0o777)
    assert refused(link, MINE).rule == "POLICY_UNPROTECTED"


def test_a_signed_policy_needs_no_owner_and_covers_the_keys_it_names(policy: Path, tmp_path: Path) -> None:
    policy_key = tmp_path / "policy.pub.pem"
    policy_key.write_bytes(key("officer").public_pem)
    guard = SignedBy(key=policy_key)
    assert refused(policy, guard).rule == "POLICY_UNSIGNED"
    signature = policy.with_name("trust.toml.sig")
    signature.write_bytes(sign_policy(policy_files(policy), key("officer"), now_s=NOW_S))
    policy.chmod(0o666)
    assert read_trust_policy(policy, guard).policy.signers
    (policy.parent / "trainer.pub.pem").write_bytes(key("stranger").public_pem)
    refusal = refused(policy, guard)
    assert (refusal.rule, "trainer.pub.pem" in refusal.detail) == ("POLICY_UNSIGNED", True)


def test_production_wants_root_or_a_signature_and_a_demonstration_trusts_its_own_user(tmp_path: Path) -> None:
    assert guard_of(key=None, is_demo=False) == OwnedBy(users=frozenset({0}), group_may_write=False)
    assert guard_of(key=None, is_demo=True) == OwnedBy(users=frozenset({0, os.geteuid()}), group_may_write=True)
    for is_demo in (True, False):
        assert guard_of(key=tmp_path, is_demo=is_demo) == SignedBy(key=tmp_path)
