"""A bundle that is not what was signed costs its tier and nothing else.

And the status names the rule that refused it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from stepdown.trust.public_keys import public_pem
from stepdown.trust.signing import sign_files
from tests.faults.load import ask, requests
from tests.faults.running_server import running_server
from tests.unit.trust.samples import key

FULL = Path("models/sepsis-full/1.0.0")


def flip_a_byte(folder: Path) -> None:
    model = folder / FULL / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def add_a_file(folder: Path) -> None:
    (folder / FULL / "extra.txt").write_text("hello")


def rename_a_file(folder: Path) -> None:
    (folder / FULL / "reference.json").rename(folder / FULL / "reference2.json")


def remove_a_file(folder: Path) -> None:
    (folder / FULL / "known_answers.npz").unlink()


def sign_with_another_key(folder: Path) -> None:
    bundle = folder / FULL
    for signature in (bundle / "signatures").iterdir():
        signature.unlink()
    contents = {
        path.relative_to(bundle).as_posix(): path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file()
    }
    stranger = key("a stranger")
    assert public_pem(stranger.public_key)
    (bundle / "signatures" / "stranger.sig").write_bytes(sign_files(contents, stranger, subject="sepsis-full"))


def take_another_bundles_place(folder: Path) -> None:
    (folder / "models/sepsis-full").rename(folder / "models/aside")
    (folder / "models/sepsis-distilled").rename(folder / "models/sepsis-full")
    (folder / "models/aside").rename(folder / "models/sepsis-distilled")


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (flip_a_byte, "FILE_CHANGED: model.onnx"),
        (add_a_file, "FILE_ADDED: extra.txt"),
        (rename_a_file, "FILE_RENAMED: reference.json"),
        (remove_a_file, "FILE_REMOVED: known_answers.npz"),
        (sign_with_another_key, "SIGNER_UNKNOWN"),
    ],
)
def test_a_bundle_that_is_not_what_was_signed_is_refused_by_name_and_the_chain_serves_without_it(
    spoil: Callable[[Path], None], rule: str
) -> None:
    with running_server(spoil=spoil) as server:
        server.until_capable("DEGRADED")
        full = server.tier("full")
        assert (full["state"], full["reason"]) == ("REFUSED", "SIGNATURE_INVALID")
        assert full["detail"].startswith("sepsis-full: ")
        name = rule.partition(": ")
        assert name[0] in full["detail"]
        assert name[2] in full["detail"]
        with server.client() as client:
            answers = [ask(client, request) for request in requests(5)]
        assert {(answer.tier, answer.degraded) for answer in answers} == {("distilled", ("full",))}


def test_a_bundle_in_another_ones_place_is_refused_under_both_names() -> None:
    with running_server(spoil=take_another_bundles_place) as server:
        server.until_capable("RULES_ONLY")
        assert "NAME_MISMATCH" in server.tier("full")["detail"]
        assert "NAME_MISMATCH" in server.tier("distilled")["detail"]
