"""Where things are allowed to stand, and what no committed file may say."""

import ast
import re
from pathlib import Path

from tests.architecture.source_tree import (
    GENERATED,
    PACKAGE,
    ROOT,
    files,
    package_files,
    parsed,
    place,
    python_files,
    texts,
)

# Written so that this file does not match itself.
INDEX_HOST = re.compile(r"py[p]i\.org|python[h]osted\.org|registry\.npm[j]s|deb\.debia[n]\.org|files\.py[t]horch")
HOME_FOLDER = re.compile(r"(?<![\w.~])/(?:root|home/[a-z]\w*|Users/[a-z]\w*)/")
NOT_IMPORTABLE = ("server", "proto", "models", "fallback_rules")
MARKS_OF_UNFINISHED_WORK = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HAC[K])\b")


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_nothing_imports_the_package_by_its_folder() -> None:
    """`server.stepdown` and `stepdown` would be two packages with two of every class."""
    assert [
        place(path) for path in python_files() if any(name.split(".")[0] == "server" for name in imported(path))
    ] == []


def test_the_source_root_and_the_content_folders_are_not_packages() -> None:
    assert [name for name in NOT_IMPORTABLE if (ROOT / name / "__init__.py").exists()] == []
    assert [place(path) for path in files() if path.suffix == ".py" and path.is_relative_to(ROOT / "proto")] == []


def test_every_room_has_a_door_plate() -> None:
    """Each folder of the package is a package, and its docstring says what the room is for."""
    folders = {path.parent for path in package_files()} - {GENERATED}
    bare = [place(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()]
    mute = [place(path) for path in package_files() if not ast.get_docstring(parsed(path))]
    assert (bare, mute) == ([], [])


def test_the_package_holds_nothing_but_code() -> None:
    allowed = {".py", ".pyi", ".typed", ".html", ".css", ".js"}
    assert [place(path) for path in files() if path.is_relative_to(PACKAGE) and path.suffix not in allowed] == []


def test_no_committed_file_names_a_package_index() -> None:
    assert [place(path) for path, text in texts() if INDEX_HOST.search(text)] == []


def test_no_committed_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    here = str(ROOT) if len(ROOT.parts) > 2 else None
    named = [place(path) for path, text in texts() if HOME_FOLDER.search(text) or (here and here in text)]
    assert named == []


def test_no_committed_file_holds_a_private_key() -> None:
    marker = "PRIVATE KEY" + "-----"
    assert [place(path) for path, text in texts() if marker in text] == []


def test_nothing_is_marked_as_unfinished() -> None:
    assert [
        place(path) for path in python_files() if MARKS_OF_UNFINISHED_WORK.search(path.read_text(encoding="utf-8"))
    ] == []
