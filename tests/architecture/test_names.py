"""Names say what a thing is. A room called after nothing becomes the room where everything is left."""

import ast
import re

from tests.architecture.source_tree import PACKAGE, ROOT, classes, package_files, place, python_files

ROOM_NAMES_REFUSED = frozenset(
    {"base", "common", "core", "handler", "helper", "helpers", "manager", "misc", "util", "utils"}
)
TESTS = ROOT / "tests"
CLASS_ENDINGS_REFUSED = ("Data", "Handler", "Helper", "Impl", "Info", "Manager", "Processor")


def base_names(node: ast.ClassDef) -> list[str]:
    """The last word of each base class, without its type parameters."""
    return [re.split(r"[.\[]", ast.unparse(base).partition("[")[0])[-1] for base in node.bases]


def is_exception(node: ast.ClassDef) -> bool:
    return any(name.endswith(("Error", "Exception", "Warning")) for name in base_names(node))


def test_no_room_is_named_after_nothing() -> None:
    refused = [
        place(path)
        for path in package_files()
        if ROOM_NAMES_REFUSED & {part.strip("_") for part in path.relative_to(PACKAGE).with_suffix("").parts}
    ]
    assert refused == []


def test_no_class_is_named_after_nothing() -> None:
    refused = [
        f"{place(path, node.lineno)} {node.name}"
        for path in package_files()
        for node in classes(path)
        if node.name.endswith(CLASS_ENDINGS_REFUSED)
    ]
    assert refused == []


def test_every_exception_ends_in_error() -> None:
    refused = [
        f"{place(path, node.lineno)} {node.name}"
        for path in python_files()
        if not path.is_relative_to(TESTS)  # an assertion of a test may be named for what it asserts
        for node in classes(path)
        if is_exception(node) and not node.name.endswith("Error")
    ]
    assert refused == []


def test_fakes_live_with_the_tests_and_never_in_the_package() -> None:
    refused = [
        f"{place(path, node.lineno)} {node.name}"
        for path in package_files()
        for node in classes(path)
        if node.name.startswith(("Fake", "Mock", "Stub"))
    ]
    assert refused == []


def test_an_exception_is_known_by_its_bases() -> None:
    sources = ["class A(TrustError): ...", "class B(errors.StepdownError): ...", "class C(Generic[T]): ..."]
    found = [is_exception(node) for source in sources if isinstance(node := ast.parse(source).body[0], ast.ClassDef)]
    assert found == [True, True, False]
