"""The files of this repository, as the architecture tests read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "server" / "stepdown"
GENERATED = PACKAGE / "api"
TEMPLATE = ROOT / "docs" / "adr" / "0000-template.md"
MADE_BY_TOOLS = frozenset({".git", ".cache", ".build", "dist", "__pycache__"})


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed. Without git: everything that no tool made."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        found = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in ROOT.rglob("*") if not any(_made_by_a_tool(part) for part in path.parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def _made_by_a_tool(part: str) -> bool:
    return part in MADE_BY_TOOLS or part.startswith(".venv")


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file that a person wrote."""
    return tuple(path for path in files() if path.suffix == ".py" and not path.is_relative_to(GENERATED))


def package_files() -> tuple[Path, ...]:
    """Every Python file of the server that a person wrote."""
    return tuple(path for path in python_files() if path.is_relative_to(PACKAGE))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def texts() -> Iterator[tuple[Path, str]]:
    """Every file that is text, with its text."""
    for path in files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Every class written in one file."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.ClassDef))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function written in one file, methods and nested ones included."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def place(path: Path, line: int | None = None) -> str:
    """Where something is, as an editor can jump to it."""
    where = path.relative_to(ROOT).as_posix()
    return where if line is None else f"{where}:{line}"


def named(path: Path) -> str:
    """What a test that is repeated for each file is called."""
    return path.relative_to(ROOT).with_suffix("").as_posix()
