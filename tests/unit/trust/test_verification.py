"""What a verified bundle is, and that every way of meddling with one is refused by the rule it breaks."""

from collections.abc import Callable

import pytest

from stepdown import __version__
from stepdown.domain.errors import TrustError
from stepdown.trust.digests import MAXIMUM_SIGNATURES, bundle_digest
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.public_keys import key_id
from stepdown.trust.semantic_version import is_version
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import (
    ANY_BY_TRAINER,
    NOW_S,
    OFFICER,
    TRAINER,
    key,
    model_contents,
    policy,
    rules_contents,
    signed,
)

Files = dict[str, bytes]


def refusal(files: Files, *, by: TrustPolicy | None = None, name: str = "news2", version: str = "1.2.0") -> TrustError:
    with pytest.raises(TrustError) as refused:
        verify_bundle(name, version, files, by or policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    return refused.value


def test_a_signed_bundle_is_verified_and_holds_the_bytes_that_were_checked() -> None:
    files = signed(rules_contents())
    verified = verify_bundle("news2", "1.2.0", files, policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    assert dict(verified.files) == rules_contents()
    assert verified.manifest.name == "news2"
    assert [(signer.name, signer.key_id) for signer in verified.signers] == [("trainer", key_id(key().public_key))]
    assert verified.identity.signers == ("trainer",)


def test_what_was_verified_cannot_be_changed_through_the_mapping_that_was_handed_in() -> None:
    files = signed(rules_contents())
    verified = verify_bundle("news2", "1.2.0", files, policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    files["rules.toml"] = b"other"
    assert verified.files["rules.toml"] == b"# bands\n"
    with pytest.raises(TypeError):
        verified.files["rules.toml"] = b"other"  # type: ignore[index]


def test_a_model_with_external_weights_in_a_folder_is_verified() -> None:
    verified = verify_bundle("sepsis-full", "1.0.0", signed(model_contents()), policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    assert verified.files["weights/w.bin"] == bytes(range(256))


def test_the_digest_is_that_of_the_sha256sum_listing() -> None:
    # printf '' | sha256sum; then sha256sum of the line "<that>  a\n"
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert bundle_digest({"a": empty}) == "fba1930570cf2d33a2a05ff43a4fea532382611f43876988fc9c31fd9ce102d1"


def flip_a_byte(files: Files) -> None:
    files["rules.toml"] = b"# bandt\n"


def cut_a_file_short(files: Files) -> None:
    files["rules.toml"] = b""


def add_a_file(files: Files) -> None:
    files["notes.txt"] = b""


def add_a_file_that_version_control_hides(files: Files) -> None:
    files[".git/config"] = b"[core]"


def add_a_hidden_file(files: Files) -> None:
    files[".gitignore"] = b""


def remove_a_file(files: Files) -> None:
    del files["known_answers.json"]


def rename_a_file(files: Files) -> None:
    files["rules2.toml"] = files.pop("rules.toml")


def move_a_file_into_a_folder(files: Files) -> None:
    files["sub/rules.toml"] = files.pop("rules.toml")


def swap_two_files(files: Files) -> None:
    files["rules.toml"], files["card.toml"] = files["card.toml"], files["rules.toml"]


def take_the_signature_away(files: Files) -> None:
    del files["signatures/trainer.sig"]


def take_the_signature_of_another_bundle(files: Files) -> None:
    files["signatures/trainer.sig"] = signed(model_contents())["signatures/trainer.sig"]


def sign_with_a_key_nobody_knows(files: Files) -> None:
    files["signatures/trainer.sig"] = signed(rules_contents(), signer="stranger")["signatures/stranger.sig"]


def add_a_stranger_s_signature(files: Files) -> None:
    files.update(signed(rules_contents(), signer="stranger"))


def lay_another_file_among_the_signatures(files: Files) -> None:
    files["signatures/readme.txt"] = b""


def hide_a_signature_deeper(files: Files) -> None:
    files["signatures/old/trainer.sig"] = files["signatures/trainer.sig"]


def pile_up_signatures(files: Files) -> None:
    for number in range(MAXIMUM_SIGNATURES):
        files[f"signatures/{number}.sig"] = files["signatures/trainer.sig"]


def name_a_file_outside(files: Files) -> None:
    files["../rules.toml"] = b""


def spell_a_file_twice(files: Files) -> None:
    files["Rules.toml"] = files["rules.toml"]


@pytest.mark.parametrize(
    ("meddle", "rule", "named"),
    [
        (flip_a_byte, "FILE_CHANGED", "rules.toml"),
        (cut_a_file_short, "FILE_CHANGED", "rules.toml"),
        (add_a_file, "FILE_ADDED", "notes.txt"),
        (add_a_file_that_version_control_hides, "FILE_ADDED", ".git/config"),
        (add_a_hidden_file, "FILE_ADDED", ".gitignore"),
        (remove_a_file, "FILE_REMOVED", "known_answers.json"),
        (rename_a_file, "FILE_RENAMED", "rules.toml -> rules2.toml"),
        (move_a_file_into_a_folder, "FILE_RENAMED", "rules.toml -> sub/rules.toml"),
        (swap_two_files, "FILE_CHANGED", "card.toml, rules.toml"),
        (take_the_signature_away, "SIGNATURE_MISSING", "signatures/*.sig"),
        (take_the_signature_of_another_bundle, "FILE_CHANGED", "manifest.toml"),
        (sign_with_a_key_nobody_knows, "SIGNER_UNKNOWN", "signatures/trainer.sig"),
        (add_a_stranger_s_signature, "SIGNER_UNKNOWN", "signatures/stranger.sig"),
        (lay_another_file_among_the_signatures, "SIGNATURE_MALFORMED", "signatures/readme.txt"),
        (hide_a_signature_deeper, "SIGNATURE_MALFORMED", "signatures/old/trainer.sig"),
        (pile_up_signatures, "SIGNATURE_MALFORMED", "17 signatures"),
        (name_a_file_outside, "FILE_NAME_UNSAFE", "../rules.toml"),
        (spell_a_file_twice, "FILE_NAME_COLLISION", "rules.toml"),
    ],
)
def test_meddling_is_refused_by_rule_and_name(meddle: Callable[[Files], None], rule: str, named: str) -> None:
    files = signed(rules_contents())
    meddle(files)
    refused = refusal(files)
    assert refused.rule == rule
    assert named in refused.detail


def test_a_bundle_is_not_taken_for_another_name_or_version() -> None:
    files = signed(rules_contents())
    assert refusal(files, name="qsofa").rule == "NAME_MISMATCH"
    assert refusal(files, version="1.3.0").rule == "VERSION_MISMATCH"


def test_a_good_signature_over_contents_that_make_no_sense_is_refused() -> None:
    contents = rules_contents()
    contents["manifest.toml"] = b"schema = 1"
    assert refusal(signed(contents)).rule == "MANIFEST_INVALID"


def test_a_bundle_no_rule_names_is_not_accepted() -> None:
    narrow = policy(TRAINER, '[[bundle]]\nnames = ["qsofa"]\nsigners = ["trainer"]\n')
    assert refusal(signed(rules_contents()), by=narrow).rule == "BUNDLE_NOT_IN_POLICY"


def test_a_known_signer_is_not_accepted_for_bundles_of_others() -> None:
    files = signed(rules_contents(), signer="officer")
    refused = refusal(files, by=policy(TRAINER, OFFICER, ANY_BY_TRAINER))
    assert (refused.rule, "'officer'" in refused.detail) == ("SIGNER_NOT_ACCEPTED", True)


TWO_OF_TWO = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer"]\nminimum_signers = 2\n'


def test_two_signers_are_two_people_and_not_one_signature_twice() -> None:
    contents = rules_contents()
    two = policy(TRAINER, OFFICER, TWO_OF_TWO)
    alone = signed(contents)
    twice = {**alone, "signatures/again.sig": signed(contents)["signatures/trainer.sig"]}
    both = {**alone, **signed(contents, signer="officer")}
    assert refusal(alone, by=two).rule == "SIGNERS_TOO_FEW"
    assert refusal(twice, by=two).rule == "SIGNERS_TOO_FEW"
    assert verify_bundle("news2", "1.2.0", both, two, NOW_S).identity.signers == ("officer", "trainer")


def test_the_second_signature_must_be_over_the_same_files() -> None:
    files = signed(rules_contents())
    files["signatures/officer.sig"] = signed(model_contents(), signer="officer")["signatures/officer.sig"]
    assert refusal(files, by=policy(TRAINER, OFFICER, TWO_OF_TWO)).rule == "FILE_CHANGED"


def test_the_denylist_acts_whoever_signed() -> None:
    files = signed(rules_contents())
    verified = verify_bundle("news2", "1.2.0", files, policy(TRAINER, ANY_BY_TRAINER), NOW_S)
    by_key = f'[denylist]\nkey_ids = ["{key_id(key().public_key).upper()}"]\n'
    by_digest = f'[denylist]\nbundle_digests = ["{verified.sha256}"]\n'
    assert refusal(files, by=policy(TRAINER, ANY_BY_TRAINER, by_key)).rule == "KEY_DENIED"
    assert refusal(files, by=policy(TRAINER, ANY_BY_TRAINER, by_digest)).rule == "BUNDLE_DENIED"


def test_versions_below_the_floor_are_refused() -> None:
    files = signed(rules_contents())
    floor = policy(TRAINER, ANY_BY_TRAINER + 'minimum_version = "1.10.0"\n')
    level = policy(TRAINER, ANY_BY_TRAINER + 'minimum_version = "1.2.0"\n')
    assert refusal(files, by=floor).rule == "VERSION_TOO_LOW"
    assert verify_bundle("news2", "1.2.0", files, level, NOW_S).manifest.version == "1.2.0"


def test_a_bundle_for_a_newer_server_is_refused() -> None:
    assert is_version(__version__)
    contents = rules_contents(manifest=rules_contents()["manifest.toml"].replace(b'"0.1.0"', b'"99.0.0"'))
    assert refusal(signed(contents)).rule == "SERVER_TOO_OLD"
