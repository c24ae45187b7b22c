"""How the files present differ from those signed for."""

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.file_set import FileDifferences, check_file_set, compare_file_sets


def test_the_same_files_have_no_differences() -> None:
    check_file_set(signed={"a": "1"}, present={"a": "1"})


def test_every_kind_of_difference_is_told_apart() -> None:
    signed = {"same": "0", "changed": "1", "old": "2", "gone": "3", "twin": "4"}
    present = {"same": "0", "changed": "9", "new": "2", "extra": "5", "copy-b": "4", "copy-a": "4"}
    assert compare_file_sets(signed=signed, present=present) == FileDifferences(
        changed=("changed",), renamed=(("old", "new"), ("twin", "copy-a")), removed=("gone",), added=("copy-b", "extra")
    )


def test_the_gravest_difference_names_the_rule_and_all_are_told() -> None:
    with pytest.raises(TrustError) as refused:
        check_file_set(signed={"a": "1", "b": "2"}, present={"a": "9", "c": "3"})
    assert refused.value.rule == "FILE_CHANGED"
    assert refused.value.detail == (
        "changed since it was signed: a; signed for and not there: b; there and not signed for: c"
    )


def test_a_long_list_is_cut_short_and_counted() -> None:
    with pytest.raises(TrustError) as refused:
        check_file_set(signed={}, present={f"f{number:02}": str(number) for number in range(20)})
    assert refused.value.detail.endswith("f07 and 12 more")


def test_a_signature_need_not_be_signed_for_and_one_that_is_must_be_unchanged() -> None:
    present = {"a": "1", "signatures/x.sig": "2", "signatures/y.sig": "3"}
    check_file_set(signed={"a": "1"}, present=present)
    check_file_set(signed={"a": "1", "signatures/x.sig": "2"}, present=present)
    for signature, rule in (("signatures/y.sig", "FILE_CHANGED"), ("signatures/z.sig", "FILE_REMOVED")):
        with pytest.raises(TrustError) as refused:
            check_file_set(signed={"a": "1", signature: "9"}, present=present)
        assert refused.value.rule == rule
