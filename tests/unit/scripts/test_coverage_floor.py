import json
from pathlib import Path

import pytest

from scripts import coverage_floor


def report(**rooms: tuple[int, int, int, int]) -> dict[str, object]:
    """A coverage report with one file in each room: lines taken, lines, branches taken, branches."""
    keys = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    files = {
        f"server/stepdown/{room}/file.py": {"summary": dict(zip(keys, counts, strict=True))}
        for room, counts in rooms.items()
    }
    return {"files": files}


def verdict(tmp_path: Path, **rooms: tuple[int, int, int, int]) -> int:
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps(report(**rooms)))
    return coverage_floor.main([str(path)])


def test_one_branch_not_taken_in_a_pure_room_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(tmp_path, rules=(50_000, 50_000, 9_999, 10_000), cli=(10, 10, 0, 0)) == 1
    assert "BELOW ITS FLOOR" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rules"))


def test_nine_tenths_are_enough_where_things_are_done_and_less_is_not(tmp_path: Path) -> None:
    assert verdict(tmp_path, adapters=(80, 90, 10, 10)) == 0
    assert verdict(tmp_path, adapters=(79, 90, 10, 10)) == 1


def test_a_good_room_does_not_pay_for_a_bad_one(tmp_path: Path) -> None:
    assert verdict(tmp_path, domain=(1_000, 1_000, 0, 0), transport=(5, 10, 0, 0)) == 1


def test_a_room_without_a_statement_is_whole(tmp_path: Path) -> None:
    assert verdict(tmp_path, drift=(0, 0, 0, 0), rules=(1, 1, 0, 0)) == 0


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    assert verdict(tmp_path) == 1
