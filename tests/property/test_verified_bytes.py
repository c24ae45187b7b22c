"""Verified bytes are the loaded bytes: files are meddled with before, between and after every step of a load.

A load is refused, or it is of exactly the bytes that were signed. Nothing in between, whichever step it was.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepdown.adapters import bundle_directory
from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.errors import TrustError, WorkerError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.trust.verification import verify_bundle
from stepdown.worker.parcel import open_parcel, seal_parcel
from stepdown.worker.session import SessionPlan, open_session
from tests.fakes.bundles import LOOKUP, TABLE
from tests.unit.trust.samples import (
    ANY_BY_TRAINER,
    NOW_S,
    TRAINER,
    model_contents,
    policy,
    provenance,
    signed,
)

BY = policy(TRAINER, ANY_BY_TRAINER)
WEIGHTS = "weights/w.bin"


def good_files() -> dict[str, bytes]:
    """A model with its weights in a file of their own, signed."""
    contents = {**model_contents(), **LOOKUP.serialized(external=WEIGHTS)}
    del contents["provenance.json"]
    return signed({**contents, "provenance.json": provenance(contents)})


GOOD = good_files()
CONTENTS = {name: content for name, content in GOOD.items() if not name.startswith("signatures/")}


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "shelf")


def lay_out(shelf: Path) -> Path:
    for name, content in GOOD.items():
        path = shelf / "sepsis-full" / "1.0.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return shelf


def overwrite(path: Path) -> None:
    """The same length, other bytes, in the same file."""
    with path.open("r+b") as file:
        file.write(bytes(byte ^ 1 for byte in path.read_bytes()))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def swap(path: Path) -> None:
    """Another file under the same name, at once."""
    other = path.with_name("other")
    other.write_bytes(b"x" * path.stat().st_size)
    other.replace(path)


def relink(path: Path) -> None:
    """A link to another file in its place."""
    elsewhere = path.parents[4] / f"elsewhere-{path.name}"
    elsewhere.write_bytes(b"x" * 64)
    path.unlink()
    path.symlink_to(elsewhere)


def relink_the_folder(path: Path) -> None:
    """A link to another folder in its folder's place."""
    folder = path.parent
    folder.rename(folder.with_name("aside"))
    folder.symlink_to(folder.with_name("aside"))


def vanish(path: Path) -> None:
    path.unlink()


MEDDLING = (overwrite, truncate, grow, swap, relink, vanish)
Meddle = Callable[[Path], None]


class Steps:
    """Counts every call that reading makes of the operating system, and meddles before the one it was told."""

    def __init__(self, meddle: Callable[[], None], *, before: int) -> None:
        self._meddle = meddle
        self._before = before
        self.taken = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever `os` has
        real = getattr(os, name)
        if name not in {"open", "stat", "fstat", "read", "scandir", "close"}:
            return real

        def step(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            if self.taken == self._before:
                self._meddle()
            self.taken += 1
            return real(*args, **kwargs)

        return step


def load(shelf: Path) -> VerifiedBundle:
    files = BundleDirectory(roots=(shelf,)).read("sepsis-full", "1.0.0")
    return verify_bundle("sepsis-full", "1.0.0", files, BY, NOW_S)


def steps_of_a_load(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    steps = Steps(lambda: None, before=-1)
    with monkeypatch.context() as patched:
        patched.setattr(bundle_directory, "os", steps)
        load(shelf)
    return steps.taken


def answers(bundle: VerifiedBundle) -> np.ndarray:
    """What the bundle computes, loaded as a worker loads it: out of sealed memory, weights included."""
    descriptor = seal_parcel(b"", {name: bundle.files[name] for name in ("model.onnx", WEIGHTS)})
    try:
        files = open_parcel(descriptor).files
        plan = SessionPlan(provider=ExecutionProvider.CPU, minimum_placement_share=0.0)
        session = open_session(bytes(files["model.onnx"]), {WEIGHTS: files[WEIGHTS]}, plan)
        return session.run(["score"], {"index": np.arange(4, dtype=np.int64).reshape(4, 1)})[0]
    finally:
        os.close(descriptor)


def meddled_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, name: str, meddle: Meddle
) -> Iterator[VerifiedBundle | None]:
    """One load for each step of a load, with the file meddled with before that step; None where it was refused."""
    total = steps_of_a_load(lay_out(tmp_path / "whole"), monkeypatch)
    for before in range(total):
        shelf = lay_out(tmp_path / str(before))
        path = shelf / "sepsis-full" / "1.0.0" / name
        steps = Steps(lambda path=path: meddle(path), before=before)  # type: ignore[misc]
        with monkeypatch.context() as patched:
            patched.setattr(bundle_directory, "os", steps)
            try:
                yield load(shelf)
            except TrustError:
                yield None


@pytest.mark.parametrize(
    ("name", "meddle"),
    [*((WEIGHTS, meddle) for meddle in MEDDLING), ("model.onnx", swap), ("model.onnx", relink_the_folder)],
)
def test_whatever_happens_to_a_file_while_it_is_read_what_is_accepted_is_what_was_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meddle: Meddle
) -> None:
    outcomes = list(meddled_loads(tmp_path, monkeypatch, name=name, meddle=meddle))
    assert None in outcomes
    assert all(dict(bundle.files) == CONTENTS for bundle in outcomes if bundle is not None)


@pytest.mark.parametrize("name", ["model.onnx", WEIGHTS])
@pytest.mark.parametrize("meddle", MEDDLING)
def test_whatever_happens_to_a_file_after_the_check_what_is_loaded_is_what_was_checked(
    shelf: Path, name: str, meddle: Meddle
) -> None:
    bundle = load(shelf)
    meddle(shelf / "sepsis-full" / "1.0.0" / name)
    np.testing.assert_allclose(answers(bundle)[:, 0], TABLE)


@pytest.mark.parametrize("name", ["model.onnx", WEIGHTS])
def test_a_file_meddled_with_between_two_loads_is_refused_by_the_second(shelf: Path, name: str) -> None:
    load(shelf)
    overwrite(shelf / "sepsis-full" / "1.0.0" / name)
    with pytest.raises(TrustError, match="FILE_CHANGED"):
        load(shelf)


def test_what_was_sealed_can_be_written_by_nobody() -> None:
    descriptor = seal_parcel(b"order", {"model.onnx": b"bytes"})
    try:
        for spoil in (
            lambda: os.pwrite(descriptor, b"x", 0),
            lambda: os.ftruncate(descriptor, 1),
            lambda: os.ftruncate(descriptor, 1 << 20),
        ):
            with pytest.raises(OSError, match="not permitted"):
                spoil()
        assert bytes(open_parcel(descriptor).files["model.onnx"]) == b"bytes"
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("place", ["absolute", "../weights.bin", "weights.bin"])
def test_weights_that_are_not_in_the_bundle_are_not_looked_for_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    location = str(tmp_path / "weights.bin") if place == "absolute" else place
    files = LOOKUP.serialized(external=location)
    (tmp_path / "weights.bin").write_bytes(files[location])
    monkeypatch.chdir(empty)
    with pytest.raises(WorkerError):
        open_session(files["model.onnx"], {}, SessionPlan(provider=ExecutionProvider.CPU, minimum_placement_share=0.0))
