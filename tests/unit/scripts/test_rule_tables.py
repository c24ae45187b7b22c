import shutil
from pathlib import Path

import pytest

from scripts import rule_tables

REPOSITORY = rule_tables.ROOT


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPOSITORY / "fallback_rules" / "lactate", tmp_path / "fallback_rules" / "lactate")
    monkeypatch.setattr(rule_tables, "ROOT", tmp_path)
    return tmp_path


def table(root: Path) -> Path:
    return root / "fallback_rules" / "lactate" / "1.0.0" / "TABLE.md"


def test_the_tables_of_this_repository_say_what_its_rules_say() -> None:
    tables = rule_tables.rendered_tables(REPOSITORY)
    assert len(tables) >= 6
    assert rule_tables.stale_tables(tables) == ()


def test_a_missing_table_is_written_and_then_up_to_date(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(root).unlink()
    assert rule_tables.main([]) == 0
    assert capsys.readouterr().out == "wrote fallback_rules/lactate/1.0.0/TABLE.md\n"
    assert rule_tables.main(["--check"]) == 0
    assert capsys.readouterr().out == "1 rule tables are up to date\n"


def test_a_stale_table_fails_the_check_and_is_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(root).write_text("edited by hand", "utf-8")
    assert rule_tables.main(["--check"]) == 1
    assert "fallback_rules/lactate/1.0.0/TABLE.md: stale or missing" in capsys.readouterr().err
    assert table(root).read_text("utf-8") == "edited by hand"


def test_a_faulty_rule_set_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = table(root).with_name("rules.toml")
    rules.write_text(rules.read_text("utf-8").replace("above = 2.0", "above = 2.5"), "utf-8")
    assert rule_tables.main(["--check"]) == 1
    assert "lactate@1.0.0: parameter.0.reading.0.table: table.0: gap between" in capsys.readouterr().err


def test_an_unknown_argument_prints_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert rule_tables.main(["--force"]) == 2
    assert "--check" in capsys.readouterr().err
