"""The committed channel document is kept fresh."""

from pathlib import Path

import pytest

from scripts.channel_tables import DOCUMENT, ROOT, is_stale, main


def test_the_committed_document_says_what_the_table_says() -> None:
    assert not is_stale(ROOT)


def test_a_missing_or_altered_document_is_noticed_and_written_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], tmp_path) == 1
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    document = tmp_path / DOCUMENT
    document.write_text(document.read_text().replace("350", "351"))
    assert main(["--check"], tmp_path) == 1
    assert "stale" in capsys.readouterr().err


def test_anything_else_is_a_mistake() -> None:
    assert main(["--chek"]) == 2
