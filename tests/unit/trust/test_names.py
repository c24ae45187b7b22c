"""File names that can lie side by side on any file system, and those that cannot."""

import pytest

from stepdown.domain.errors import TrustError
from stepdown.trust.names import MAXIMUM_DEPTH, MAXIMUM_NAME_CHARACTERS, check_names, is_bundle_name, name_problem


@pytest.mark.parametrize(
    "name",
    [
        "model.onnx",
        "weights/layer.0.bin",
        ".gitignore",
        "a b.txt",
        "onnx__MatMul_12",
        "x" * 255,
        "a/" * 7 + "b",
        "w+1=2,@#~",
    ],
)
def test_plain_relative_names_are_accepted(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../model.onnx",
        "weights/../../model.onnx",
        "./model.onnx",
        "weights//w.bin",
        "weights/",
        "..",
        ".",
        "weights\\w.bin",
        "C:model.onnx",
        "model.onnx\0",
        "model\n.onnx",
        "mod\x7fel",
        "mod\u00e9l.onnx",
        "mode\u202el.onnx",
        "\uff0e\uff0e/x",
        "model.onnx ",
        " model.onnx",
        "model.onnx.",
        "what?",
        "a*b",
        'a"b',
        "a<b",
        "a|b",
        "\udc80",
        "x" * (MAXIMUM_NAME_CHARACTERS + 1),
        "a/" * MAXIMUM_DEPTH + "b",
    ],
)
def test_names_that_are_not_plain_or_not_relative_are_refused(name: str) -> None:
    with pytest.raises(TrustError) as refused:
        check_names(["manifest.toml", name])
    assert refused.value.rule == "FILE_NAME_UNSAFE"
    assert refused.value.detail.isascii()


@pytest.mark.parametrize(
    "names",
    [
        ["a.txt", "a.txt"],
        ["a.txt", "A.TXT"],
        ["Weights/a", "weights/b"],
        ["weights/x/a", "weights/X/b"],
        ["weights", "weights/a"],
        ["weights/a", "weights"],
        ["Signatures/a.sig"],
        ["signatures", "signatures/a.sig"],
    ],
)
def test_names_that_some_file_system_takes_for_one_are_refused(names: list[str]) -> None:
    with pytest.raises(TrustError) as refused:
        check_names(names)
    assert refused.value.rule == "FILE_NAME_COLLISION"


def test_many_different_names_are_accepted() -> None:
    check_names(["manifest.toml", "weights/a", "weights/b", "weights/c/a", "signatures/a.sig"])
    check_names([])


@pytest.mark.parametrize("name", ["news2", "sepsis-full", "a", "my_model.v2", "0", "x" * 64])
def test_bundle_names(name: str) -> None:
    assert is_bundle_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a..b", "a b", "x" * 65, "caf\u00e9", "a\n"])
def test_what_cannot_name_a_bundle(name: str) -> None:
    assert not is_bundle_name(name)
