"""Trust policies: what they say, and everything that is wrong with one at once."""

import pytest

from stepdown.domain.errors import TrustError
from stepdown.domain.provenance import ProvenanceField
from stepdown.trust.bundle_rules import BundleRule
from stepdown.trust.denylist import Denylist
from stepdown.trust.policy import named_files, parse_trust_policy, policy_of_one_key
from stepdown.trust.public_keys import key_id
from tests.unit.trust.samples import (
    ANY_BY_TRAINER,
    OFFICER,
    POLICY_HEAD,
    SAFETY,
    SAFETY_URI,
    TRAINER,
    authority,
    key,
    key_files,
    policy,
)

ROOT = authority().certificate


def problems(*parts: str, head: str = POLICY_HEAD, files: dict[str, bytes] | None = None) -> str:
    with pytest.raises(TrustError) as refused:
        parse_trust_policy((head + "".join(parts)).encode(), key_files([ROOT]) if files is None else files)
    assert refused.value.rule == "POLICY_INVALID"
    return refused.value.detail


def test_a_policy_names_signers_by_key_and_by_certificate() -> None:
    read = policy(TRAINER, OFFICER, SAFETY, ANY_BY_TRAINER, roots=[ROOT])
    assert [(signer.name, signer.key_id) for signer in read.key_signers] == [
        ("trainer", key_id(key("trainer").public_key)),
        ("officer", key_id(key("officer").public_key)),
    ]
    assert [(signer.name, signer.roots, signer.identities) for signer in read.certificate_signers] == [
        ("safety", (ROOT,), frozenset({f"uri:{SAFETY_URI}"}))
    ]


def test_a_bundle_s_own_rule_comes_before_the_one_for_any() -> None:
    read = policy(
        TRAINER,
        OFFICER,
        ANY_BY_TRAINER,
        '[[bundle]]\nnames = ["sepsis-full"]\nsigners = ["trainer", "officer"]\n'
        'minimum_signers = 2\nminimum_version = "1.1.0"\n',
    )
    assert read.rule_for("news2") == BundleRule(signers=frozenset({"trainer"}))
    assert read.rule_for("sepsis-full") == BundleRule(
        signers=frozenset({"trainer", "officer"}), minimum_signers=2, minimum_version="1.1.0"
    )


def test_a_rule_can_ask_for_roles_builders_provenance_and_youth() -> None:
    read = policy(
        TRAINER + 'roles = ["trainer"]\nperson = "jo"\n',
        OFFICER + 'roles = ["safety"]\n',
        '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer"]\nroles = ["trainer", "safety"]\n'
        'maximum_age_days = 2\nbuilders = ["urn:x"]\nprovenance = ["hardware"]\n',
    )
    assert read.rule_for("news2") == BundleRule(
        signers=frozenset({"trainer", "officer"}),
        roles=("trainer", "safety"),
        maximum_age_s=172_800.0,
        builders=frozenset({"urn:x"}),
        provenance=(ProvenanceField.HARDWARE,),
    )
    assert [(signer.person, sorted(signer.roles)) for signer in read.signers] == [
        ("jo", ["trainer"]),
        ("officer", ["safety"]),
    ]


def test_an_edition_is_a_number_that_counts_up_from_nought() -> None:
    assert policy(TRAINER, ANY_BY_TRAINER).edition == 0
    text = POLICY_HEAD + "edition = 7\n" + TRAINER + ANY_BY_TRAINER
    assert parse_trust_policy(text.encode(), key_files()).edition == 7


def test_a_key_can_be_bound_by_its_id() -> None:
    own = key_id(key("trainer").public_key)
    assert policy(TRAINER + f'key_id = "{own.upper()}"\n', ANY_BY_TRAINER).signer("trainer").name == "trainer"
    assert "signer[0].key_id is not that of the key" in problems(TRAINER + f'key_id = "{"0" * 64}"\n', ANY_BY_TRAINER)


def test_a_certificate_is_denied_by_its_issuer_and_number_as_programs_print_them() -> None:
    read = policy(
        TRAINER,
        ANY_BY_TRAINER,
        '[[denylist.certificates]]\nissuer = "CN=Signing CA,O=Hospital"\nserial = "0A:FF"\n',
    )
    assert read.denylist.certificates == frozenset({("cn=signingca,o=hospital", "aff")})


def test_a_bundle_that_no_rule_names_is_refused() -> None:
    with pytest.raises(TrustError, match="BUNDLE_NOT_IN_POLICY"):
        policy(TRAINER, '[[bundle]]\nnames = ["news2"]\nsigners = ["trainer"]\n').rule_for("qsofa")


def test_denied_numbers_are_read_as_people_paste_them() -> None:
    digest = "AB" * 32
    read = policy(
        TRAINER,
        ANY_BY_TRAINER,
        f'[denylist]\nkey_ids = ["{digest}"]\nbundle_digests = ["{digest.lower()}"]\n'
        'certificate_serials = ["00:0A:FF", "1c", "00"]\n',
    )
    assert read.denylist == Denylist(
        key_ids=frozenset({digest.lower()}),
        bundle_digests=frozenset({digest.lower()}),
        certificate_serials=frozenset({"aff", "1c", "0"}),
    )


def test_the_files_to_read_are_named_once_each() -> None:
    text = POLICY_HEAD + TRAINER + TRAINER + SAFETY + '[[signer]]\nroots = [3, "", "a.pem"]\nkey = 5\n'
    assert named_files(text.encode()) == ("trainer.pub.pem", "root.pem", "a.pem")


@pytest.mark.parametrize("text", ["signer = 3", "signer = [3]", "", "[signer]\nkey = 'x'"])
def test_a_policy_of_another_shape_names_no_files(text: str) -> None:
    assert named_files(text.encode()) == ()


def test_what_is_not_toml_is_refused_at_once() -> None:
    with pytest.raises(TrustError, match="POLICY_INVALID"):
        named_files(b"[")


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((TRAINER,), "bundle must be given at least once"),
        ((TRAINER, ANY_BY_TRAINER, "[extra]\n"), "extra is not a known key"),
        ((TRAINER, ANY_BY_TRAINER, ANY_BY_TRAINER), "which another [[bundle]] has already"),
        ((TRAINER, '[[bundle]]\nnames = ["A B"]\nsigners = ["trainer"]\n'), "'A B', which is no bundle's name"),
        ((TRAINER, '[[bundle]]\nnames = []\nsigners = ["trainer"]\n'), "bundle[0].names must not be empty"),
        ((TRAINER, '[[bundle]]\nnames = ["*"]\nsigners = []\n'), "bundle[0].signers must not be empty"),
        ((TRAINER, '[[bundle]]\nnames = ["*"]\n'), "bundle[0].signers is absent"),
        ((TRAINER, '[[bundle]]\nnames = ["*"]\nsigners = ["nobody"]\n'), "no usable [[signer]] is called that"),
        ((TRAINER, ANY_BY_TRAINER + "minimum_signers = 2\n"), "it must be a whole number from 1 to 1"),
        ((TRAINER, ANY_BY_TRAINER + 'minimum_version = "1"\n'), "it must be a semantic version"),
        ((TRAINER, TRAINER, ANY_BY_TRAINER), "lists two signers with the same name"),
        ((TRAINER, TRAINER.replace('"trainer"', '"twin"'), ANY_BY_TRAINER), "lists two signers with the same key"),
        ((TRAINER, SAFETY, SAFETY.replace('"safety"', '"twin"'), ANY_BY_TRAINER), "with the same identity"),
        (('[[signer]]\nname = "x"\n', TRAINER, ANY_BY_TRAINER), "signer[0].roots is absent"),
        (('[[signer]]\nname = ""\nkey = "trainer.pub.pem"\n', ANY_BY_TRAINER), "signer[0].name is ''"),
        ((TRAINER + 'roots = ["root.pem"]\n', ANY_BY_TRAINER), "and roots exclude each other"),
        ((TRAINER.replace("trainer.pub", "absent"), ANY_BY_TRAINER), "signer[0].key 'absent.pem' could not be read"),
        ((TRAINER.replace("trainer.pub", "root"), ANY_BY_TRAINER), "signer[0].key root.pem holds no PEM public key"),
        ((SAFETY.replace('["root.pem"]', '["trainer.pub.pem"]'), ANY_BY_TRAINER), "a certificate cannot be read"),
        ((SAFETY.replace("uri:", ""), ANY_BY_TRAINER), "must each begin with one of uri: email: dns:"),
        ((SAFETY.replace("identities", "names"), ANY_BY_TRAINER), "signer[0].identities is absent"),
        ((TRAINER, ANY_BY_TRAINER, '[denylist]\nkey_ids = ["12"]\n'), "denylist.key_ids must hold hexadecimal"),
        (
            (TRAINER, ANY_BY_TRAINER, '[denylist]\ncertificate_serials = ["x"]\n'),
            "denylist.certificate_serials must hold",
        ),
        ((TRAINER, ANY_BY_TRAINER, "[denylist]\nserials = []\n"), "denylist.serials is not a known key"),
        (
            (TRAINER, ANY_BY_TRAINER, '[[denylist.certificates]]\nissuer = "somebody"\nserial = "1"\n'),
            "denylist.certificates[0].issuer is 'somebody'; it must be a name as in RFC 4514",
        ),
        (
            (TRAINER, ANY_BY_TRAINER, '[[denylist.certificates]]\nissuer = "CN=x"\nserial = "y"\n'),
            "denylist.certificates[0].serial is 'y'",
        ),
        ((TRAINER, ANY_BY_TRAINER + 'roles = ["pope"]\n'), "roles asks for 'pope', which none of its signers has"),
        (
            (TRAINER + 'roles = ["a", "b"]\n', ANY_BY_TRAINER + 'roles = ["a", "b"]\n'),
            "roles asks for 2 people, and its signers are 1",
        ),
        (
            (
                TRAINER + 'person = "jo"\n',
                OFFICER + 'person = "jo"\n',
                '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer"]\nminimum_signers = 2\n',
            ),
            "it must be a whole number from 1 to 1",
        ),
        ((TRAINER, ANY_BY_TRAINER + 'provenance = ["luck"]\n'), "provenance must hold some of started_on"),
        ((TRAINER, ANY_BY_TRAINER + "maximum_age_days = -1\n"), "maximum_age_days is '-1'"),
    ],
)
def test_a_problem_is_named_where_it_is(parts: tuple[str, ...], problem: str) -> None:
    assert problem in problems(*parts)


def test_another_schema_is_refused_and_all_problems_come_together() -> None:
    found = problems(TRAINER, "[[bundle]]\n", head='schema = "v0"\n')
    assert found.count(";") >= 3
    assert "schema is 'v0'" in found


def test_a_policy_of_one_key_accepts_any_bundle_by_it() -> None:
    read = policy_of_one_key("me", key().public_key)
    assert read.rule_for("whatever") == BundleRule(signers=frozenset({"me"}))
    assert read.key_signers[0].key_id == key_id(key().public_key)
