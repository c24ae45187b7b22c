from pathlib import Path

import pytest

from stepdown.adapters.active_bundles import FILE, ActiveBundles, KeptTier, KeptVersion

KEPT = KeptTier(
    pathway="sepsis",
    tier="full",
    bundle="sepsis-full",
    configured="",
    active=KeptVersion(version="1.1.0", sha256="ab" * 32),
    previous=KeptVersion(version="1.0.0", sha256="cd" * 32),
    highest="1.1.0",
)


def test_what_is_kept_is_there_for_the_next_run(tmp_path: Path) -> None:
    first = ActiveBundles(tmp_path)
    assert (first.of("sepsis", "full"), first.unreadable) == (None, "")
    first.keep(KEPT)
    first.keep(KEPT)
    assert ActiveBundles(tmp_path).of("sepsis", "full") == KEPT
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "another", "tiers": []}', '{"tiers": [{"pathway": 1}]}'])
def test_a_record_that_cannot_be_read_says_so_and_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    kept = ActiveBundles(tmp_path)
    assert kept.unreadable == f"{tmp_path / FILE}: ValidationError" or text == ""
    assert kept.of("sepsis", "full") is None


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    kept = ActiveBundles(tmp_path)
    kept.keep(KEPT)
    (tmp_path / FILE).with_suffix(".new").mkdir()
    with pytest.raises(OSError, match="directory"):
        kept.keep(KEPT.model_copy(update={"highest": "1.2.0"}))
    assert kept.of("sepsis", "full") == KEPT
    assert ActiveBundles(tmp_path).of("sepsis", "full") == KEPT
