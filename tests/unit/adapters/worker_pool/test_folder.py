import os
import stat
import tempfile
from pathlib import Path

import pytest

from stepdown.adapters.worker_pool.folder import EmptyFolder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_empty_and_read_only_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    folder = EmptyFolder(tmp_path)
    assert names(folder.path) == []
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o500
    folder.close()
    folder.close()
    assert names(tmp_path) == []


def test_one_that_a_killed_server_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "stepdown-workers-left").mkdir()
    folder = EmptyFolder(tmp_path)
    assert names(tmp_path) == [folder.path.name]
    folder.close()


def test_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    first, second = EmptyFolder(tmp_path), EmptyFolder(tmp_path)
    assert len(names(tmp_path)) == 2
    first.close()
    second.close()


def test_nothing_but_an_empty_folder_is_ever_removed(tmp_path: Path) -> None:
    full = tmp_path / "stepdown-workers-full"
    full.mkdir()
    (full / "kept").write_text("")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "stepdown-workers-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "stepdown-workers-file").write_text("")
    EmptyFolder(tmp_path).close()
    assert names(tmp_path) == ["elsewhere", "stepdown-workers-file", "stepdown-workers-full", "stepdown-workers-link"]


def test_no_descriptor_is_kept(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    EmptyFolder(tmp_path).close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_folder_that_is_tidied_up_as_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp
    made: list[str] = []

    def interfered(**arguments: str) -> str:
        made.append(make(**arguments))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", interfered)
    folder = EmptyFolder(tmp_path)
    assert str(folder.path) == made[1]
    folder.close()
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: str(tmp_path / "gone"))
    with pytest.raises(FileExistsError, match="tidied"):
        EmptyFolder(tmp_path)


def test_where_there_is_no_room_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        EmptyFolder(tmp_path / "absent")
