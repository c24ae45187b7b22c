"""What must lie in a bundle before anybody signs it or loads it."""

import json

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.contents import examine_contents
from tests.unit.trust.samples import PROVENANCE, model_contents, rules_contents


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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("predicateType", "https://slsa.dev/provenance/v0.2"),
        ("predicate", None),
        ("subject", {}),
    ],
)
def test_provenance_is_a_statement_with_the_slsa_predicate(key: str, value: object) -> None:
    provenance = json.dumps({**json.loads(PROVENANCE), key: value})
    rule, detail = refused_rule({**rules_contents(), "provenance.json": provenance.encode()})
    assert (rule, f"provenance.json.{key}" in detail) == ("PROVENANCE_INVALID", True)
