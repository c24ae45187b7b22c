from dataclasses import replace
from pathlib import Path

import pytest

from stepdown.adapters.admission import Admission, SealedFile
from stepdown.adapters.key_store.wrapping_key import FileWrappingKey
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import SpawnWorker
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from tests.fakes.bundles import ECHO, bundle
from tests.fakes.sealed_bundles import key_file, sealed

PLAIN = bundle(ECHO, external="weights.bin")


def order(loads: VerifiedBundle) -> SpawnWorker:
    providers = (ExecutionProvider.CPU,)
    return SpawnWorker(worker=1, pathway="ward", tier="full", bundle=loads, execution_providers=providers)


def content(file: SealedFile) -> bytes:
    into = bytearray(len(file))
    file.write_into(memoryview(into))
    return bytes(into)


def refused(admission: Admission, loads: VerifiedBundle) -> tuple[Reason, str]:
    with pytest.raises(WorkerError) as refusal:
        admission(order(loads))
    return refusal.value.reason, refusal.value.detail


@pytest.fixture
def key(tmp_path: Path) -> FileWrappingKey:
    return FileWrappingKey(path=key_file(tmp_path))


def test_a_bundle_in_the_clear_needs_no_key() -> None:
    assert Admission()(order(PLAIN)) == {}


def test_what_sealed_files_hold_is_made_where_it_is_needed(key: FileWrappingKey) -> None:
    opened = Admission(keys=(key,))(order(sealed(PLAIN, key)))
    assert {path: content(file) for path, file in opened.items()} == {
        path: PLAIN.files[path] for path in ("model.onnx", "weights.bin")
    }
    assert "data_key=b" not in repr(opened)


def test_without_the_right_key_the_refusal_says_which_was_wanted_and_the_next_is_tried(
    key: FileWrappingKey, tmp_path: Path
) -> None:
    loads = sealed(PLAIN, key)
    reason, detail = refused(Admission(), loads)
    assert (reason, "trust.decryption_keys is empty" in detail) == (Reason.BUNDLE_NOT_DECRYPTED, True)
    other = FileWrappingKey(path=key_file(tmp_path, secret=b"o" * 32, name="other.key"))
    assert "DATA_KEY_REFUSED: none of trust.decryption_keys opens it" in refused(Admission(keys=(other,)), loads)[1]
    assert Admission(keys=(other, key))(order(loads))
    absent = FileWrappingKey(path=tmp_path / "absent")
    detail = refused(Admission(keys=(absent, other)), loads)[1]
    assert detail.startswith("DATA_KEY_UNAVAILABLE: KEY_UNREADABLE")
    assert "'wrapping.key'" in detail


def test_a_bundle_sealed_under_another_name_or_version_does_not_open(key: FileWrappingKey) -> None:
    loads = sealed(PLAIN, key)
    elsewhere = sealed(replace(PLAIN, manifest=replace(PLAIN.manifest, version="2.0.0")), key)
    exchanged = replace(loads, files={**elsewhere.files, "model.onnx": loads.files["model.onnx"]})
    opened = Admission(keys=(key,))(order(exchanged))
    with pytest.raises(WorkerError, match=r"CIPHERTEXT_INVALID: model\.onnx chunk 0") as refusal:
        content(opened["model.onnx"])
    assert refusal.value.reason is Reason.BUNDLE_NOT_DECRYPTED


def test_a_document_that_says_nonsense_does_not_open_either(key: FileWrappingKey) -> None:
    loads = replace(PLAIN, files={**PLAIN.files, "encryption.json": b"{}"})
    assert refused(Admission(keys=(key,)), loads)[1].startswith("ENCRYPTION_INVALID")


def test_evidence_comes_before_the_key(key: FileWrappingKey, tmp_path: Path) -> None:
    absent = FileWrappingKey(path=tmp_path / "absent")
    asked: list[str] = []

    def evidence(name: str) -> str:
        asked.append(name)
        return "ward-server: EVIDENCE_REFUSED"

    admission = Admission(keys=(absent,), evidence=evidence)
    expected = (Reason.EVIDENCE_MISSING, "ward-server: EVIDENCE_REFUSED")
    assert refused(admission, sealed(PLAIN, key)) == expected
    assert refused(admission, PLAIN) == expected
    assert asked == ["tiny", "tiny"]
