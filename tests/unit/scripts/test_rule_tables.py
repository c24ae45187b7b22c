import hashlib
import json
import shutil
from pathlib import Path

import pytest

from scripts import rule_tables
from stepdown.domain.errors import RuleSetError

REPOSITORY = rule_tables.ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPOSITORY / "fallback_rules" / "lactate", tmp_path / "fallback_rules" / "lactate")
    monkeypatch.setattr(rule_tables, "ROOT", tmp_path)
    return tmp_path


def table(root: Path) -> Path:
    return root / "fallback_rules" / "lactate" / "1.0.0" / "TABLE.md"


def test_what_is_generated_in_this_repository_says_what_its_rules_say() -> None:
    texts = rule_tables.generated_files(REPOSITORY)
    assert len(texts) >= 12
    assert rule_tables.stale_files(texts) == ()


def test_a_missing_file_is_written_and_then_up_to_date(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(root).unlink()
    assert rule_tables.main([]) == 0
    assert capsys.readouterr().out == "wrote fallback_rules/lactate/1.0.0/TABLE.md\n"
    assert rule_tables.main(["--check"]) == 0
    assert capsys.readouterr().out == "2 generated files of rule bundles are up to date\n"


def test_a_stale_table_fails_the_check_and_is_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(root).write_text("edited by hand", "utf-8")
    assert rule_tables.main(["--check"]) == 1
    assert "fallback_rules/lactate/1.0.0/TABLE.md: stale or missing" in capsys.readouterr().err
    assert table(root).read_text("utf-8") == "edited by hand"


@pytest.mark.parametrize("name", rule_tables.WRITTEN_BY_HAND)
def test_a_changed_file_makes_the_provenance_stale(root: Path, name: str) -> None:
    path = table(root).with_name(name)
    path.write_bytes(path.read_bytes() + b"\n")
    assert table(root).with_name("provenance.json") in rule_tables.stale_files(rule_tables.generated_files(root))


def test_the_provenance_names_every_other_file_with_its_digest_and_the_publication(root: Path) -> None:
    statement = json.loads(table(root).with_name("provenance.json").read_bytes())
    assert {one["name"]: one["digest"]["sha256"] for one in statement["subject"]} == {
        name: hashlib.sha256(table(root).with_name(name).read_bytes()).hexdigest()
        for name in (*rule_tables.WRITTEN_BY_HAND, "TABLE.md")
    }
    (publication,) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert publication["uri"] == "info:doi/10.1001/jama.2016.0287"


def test_a_faulty_rule_set_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = table(root).with_name("rules.toml")
    rules.write_text(rules.read_text("utf-8").replace("above = 2.0", "above = 2.5"), "utf-8")
    assert rule_tables.main(["--check"]) == 1
    assert "lactate@1.0.0: parameter.0.reading.0.table: table.0: gap between" in capsys.readouterr().err


def test_a_bundle_that_lacks_a_file_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(root).with_name("card.toml").unlink()
    assert rule_tables.main([]) == 1
    assert "card.toml" in capsys.readouterr().err


def test_a_publication_needs_an_identifier_that_libraries_know() -> None:
    assert rule_tables.resource("ISBN 978-1-86016-682-2") == "urn:isbn:978-1-86016-682-2"
    assert rule_tables.resource("PMID 1597042") == "info:pmid/1597042"
    with pytest.raises(RuleSetError, match="a colleague"):
        rule_tables.resource("a colleague")


def test_an_unknown_argument_prints_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert rule_tables.main(["--force"]) == 2
    assert "--check" in capsys.readouterr().err
