"""What must lie in a bundle before anybody signs it or loads it."""

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from tests.unit.trust.samples import model_contents, rules_contents


def refused_rule(files: dict[str, bytes]) -> tuple[str, str]:
    with pytest.raises(TrustError) as refused:
        examine_contents(files)
    return refused.value.rule, refused.value.detail


def test_complete_bundles_are_accepted() -> None:
    assert examine_contents(rules_contents()).name == "news2"
    assert examine_contents({**model_contents(), "NOTES.md": b"more is welcome"}).name == "sepsis-full"


@pytest.mark.parametrize("name", sorted(rules_contents()))
def test_a_rule_bundle_needs_each_of_its_files(name: str) -> None:
    files = rules_contents()
    del files[name]
    rule, detail = refused_rule(files)
    assert (rule, name in detail) == ("FILE_MISSING", True)


@pytest.mark.parametrize("name", sorted(model_contents()))
def test_a_model_bundle_needs_each_of_its_files(name: str) -> None:
    files = model_contents()
    del files[name]
    rule, detail = refused_rule(files)
    assert (rule, name in detail) == ("FILE_MISSING", True)


def test_documents_that_cannot_be_read_are_refused() -> None:
    assert refused_rule({**rules_contents(), "card.toml": b"[hti1]"})[0] == "CARD_INVALID"
    assert refused_rule({**rules_contents(), "manifest.toml": b""})[0] == "MANIFEST_INVALID"
    assert refused_rule({**rules_contents(), "provenance.json": b"{}"})[0] == "PROVENANCE_INVALID"


def test_provenance_of_another_bundle_is_not_this_one_s() -> None:
    foreign = {**rules_contents(), "provenance.json": model_contents()["provenance.json"]}
    assert refused_rule(foreign)[0] == "PROVENANCE_MISMATCH"
