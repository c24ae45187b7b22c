"""What the import contracts cannot see: a clock, a file or a hidden import reached without an import statement."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source_tree import PACKAGE, package_files, parsed, place

CORE = ("clinical", "domain", "drift", "ledger", "ports.py", "resilience", "rules", "serving", "trust")
VALUES = ("clinical", "domain", "rules", "trust")
CLOCKS = frozenset({"now", "today", "utcnow"})
GATHERING = frozenset({"Readings", "_Tally"})  # filled line by line while one request is read, and then left alone
REACHES_OUT = frozenset({"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"})


def room(*names: str) -> Iterator[Path]:
    return (path for path in package_files() if path.relative_to(PACKAGE).parts[0] in names)


def acts(tree: ast.Module) -> list[int]:
    """The lines on which something reads a clock, opens a file or imports by name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id in REACHES_OUT)
        or (isinstance(call.func, ast.Attribute) and call.func.attr in CLOCKS and not call.args)
    ]


def loose_dataclasses(tree: ast.Module) -> list[int]:
    """The lines of dataclasses that are not frozen, slotted and keyword-only."""
    found = []
    for node in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name not in GATHERING):
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if ast.unparse(called) in {"dataclass", "dataclasses.dataclass"}:
                options = {word.arg for word in decorator.keywords} if isinstance(decorator, ast.Call) else set()
                found += [] if {"frozen", "slots", "kw_only"} <= options else [node.lineno]
    return found


def test_the_core_reads_no_clock_and_opens_nothing() -> None:
    assert [place(path, line) for path in room(*CORE) for line in acts(parsed(path))] == []


def test_values_are_frozen_slotted_and_keyword_only() -> None:
    assert [place(path, line) for path in room(*VALUES) for line in loose_dataclasses(parsed(path))] == []


@pytest.mark.parametrize("line", ["t = datetime.now()", "open('x')", "x = __import__('time')", "d = date.today()"])
def test_an_act_is_seen(line: str) -> None:
    assert acts(ast.parse(line)) == [1]


@pytest.mark.parametrize("line", ["breaker.permits(now)", "clock.now(zone)", "pattern.match('x')", "self.now"])
def test_a_decision_is_left_alone(line: str) -> None:
    assert acts(ast.parse(line)) == []


@pytest.mark.parametrize("decorator", ["@dataclass", "@dataclass(frozen=True)", "@dataclasses.dataclass(slots=True)"])
def test_a_loose_dataclass_is_seen(decorator: str) -> None:
    assert loose_dataclasses(ast.parse(f"{decorator}\nclass A: ...")) == [2]
