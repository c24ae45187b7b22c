"""Files and functions stay small enough to be read in one sitting."""

import ast

from tests.architecture.source_tree import functions, place, python_files

FILE_LINES = 300
FUNCTION_LINES = 40


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return lines
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)


def test_no_file_is_longer_than_its_budget() -> None:
    over = {
        place(path): lines
        for path in python_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES
    }
    assert over == {}


def test_no_function_is_longer_than_its_budget() -> None:
    over = {
        f"{place(path, function.lineno)} {function.name}": length(function)
        for path in python_files()
        for function in functions(path)
        if length(function) > FUNCTION_LINES
    }
    assert over == {}


def test_a_docstring_does_not_count_and_every_other_line_does() -> None:
    source = 'async def f() -> None:\n    """One.\n\n    Two.\n    """\n    x = 1\n\n    return x\n'
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.AsyncFunctionDef)
    assert length(function) == 4
