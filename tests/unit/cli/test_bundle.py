"""`stepdown bundle` as its users type it, with a real model and a real child process."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from stepdown.adapters.bundle_directory import read_directory
from stepdown.cli import bundle_making, bundle_sign
from stepdown.cli.bundle import bundle
from stepdown.trust.contents import examine_contents
from stepdown.trust.public_keys import public_pem
from tests.unit.trust.samples import (
    ANY_BY_SAFETY,
    POLICY_HEAD,
    SAFETY,
    SAFETY_URI,
    Issued,
    authority,
    key,
    leaf,
    rules_contents,
)


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(bundle, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rule bundle that nobody has signed yet, in the place its name and version give it."""
    place = tmp_path / "news2" / "1.2.0"
    place.mkdir(parents=True)
    for name, content in rules_contents().items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "trainer.key.pem"
    path.write_bytes(key().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "trainer.pub.pem").write_bytes(public_pem(key().public_key))
    return path


@pytest.fixture
def public_key(key_file: Path) -> Path:
    return key_file.with_name("trainer.pub.pem")


def model_with_two_inputs(folder: Path) -> Path:
    """Two inputs, two outputs, three types, weights in a file of their own."""
    make = onnx.helper.make_tensor_value_info
    weights = onnx.numpy_helper.from_array(np.ones((4, 3), np.float32), "weights")
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["values", "weights"], ["product"]),
            onnx.helper.make_node("Cast", ["counts"], ["doubled"], to=onnx.TensorProto.DOUBLE),
        ],
        "two",
        [
            make("values", onnx.TensorProto.FLOAT, ["rows", 4]),
            make("counts", onnx.TensorProto.INT64, ["rows"]),
        ],
        [make("product", onnx.TensorProto.FLOAT, ["rows", 3]), make("doubled", onnx.TensorProto.DOUBLE, ["rows"])],
        [weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    path = folder / "Two.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="two.weights", size_threshold=0)
    return path


def test_a_user_s_model_becomes_a_bundle_that_verifies(tmp_path: Path) -> None:
    model = model_with_two_inputs(tmp_path)
    place = tmp_path / "models" / "two" / "2.1.0"
    made = answer("init", model, "--version", "2.1.0", "--out", place, "--rows", "8")
    assert (made["name"], made["version"], made["external_data"]) == ("two", "2.1.0", ["two.weights"])
    assert [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in made["inputs"] + made["outputs"]] == [
        ("values", "FP32", [-1, 4]),
        ("counts", "INT64", [-1]),
        ("product", "FP32", [-1, 3]),
        ("doubled", "FP64", [-1]),
    ]
    manifest = examine_contents(read_directory(place))
    assert manifest.model is not None
    assert (manifest.tier_role, manifest.model.maximum_batch) == ("generic", 64)
    with np.load(place / "known_answers.npz") as arrays:
        assert arrays["input.counts"].shape == (8,)
        np.testing.assert_array_equal(arrays["output.doubled"], arrays["input.counts"].astype(np.float64))
    shown = run("inspect", place)
    assert "counts  INT64 [-1]" in shown.stdout
    signed = run("sign", place, "--key", tmp_path / "me.key.pem", "--create-key")
    assert signed.exit_code == 0
    assert "[[signer]]" in signed.stdout
    verified = answer("verify", place, "--key", tmp_path / "me.pub.pem")
    assert (verified["verified"], verified["signers"][0]["name"]) == (True, "me")


def test_a_model_goes_to_models_under_its_own_name_when_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("init", model_with_two_inputs(tmp_path))
    assert result.exit_code == 0, result.output
    assert "stepdown bundle sign models/two/1.0.0" in result.stdout
    assert (tmp_path / "models/two/1.0.0/card.toml").exists()
    again = run("init", tmp_path / "Two.onnx")
    assert (again.exit_code, "exists and is not empty" in again.stderr) == (1, True)


def test_known_answers_can_be_made_from_inputs_that_are_given(tmp_path: Path) -> None:
    model = model_with_two_inputs(tmp_path)
    np.savez(tmp_path / "in.npz", values=np.full((2, 4), 2.0, np.float32), counts=np.array([7, 8]))
    place = tmp_path / "made"
    place.mkdir()
    answer("init", model, "--out", place, "--inputs", tmp_path / "in.npz")
    with np.load(place / "known_answers.npz") as arrays:
        np.testing.assert_array_equal(arrays["output.product"], np.full((2, 3), 8.0, np.float32))


@pytest.mark.parametrize(
    ("shape", "datatype", "told"),
    [
        ([1, 4], onnx.TensorProto.FLOAT, "dynamic first dimension"),
        (["rows", "time"], onnx.TensorProto.FLOAT, "make_dynamic_shape_fixed"),
        (["rows", 4], onnx.TensorProto.STRING, "has a type that cannot be served"),
        ([], onnx.TensorProto.FLOAT, "dynamic first dimension"),
    ],
)
def test_a_model_no_worker_could_serve_is_refused_with_what_to_do(
    tmp_path: Path, shape: list[int | str], datatype: int, told: str
) -> None:
    tensors = [onnx.helper.make_tensor_value_info(name, datatype, shape) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", tensors[:1], tensors[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "m.onnx")
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, told in result.stderr) == (1, True), result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx"]


def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("hello")
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, "not an ONNX file" in result.stderr) == (1, True)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("option", "value"), [("--name", "Bad Name"), ("--version", "1.0"), ("--rows", "0")])
def test_a_wrong_command_line_is_exit_code_2(tmp_path: Path, option: str, value: str) -> None:
    (tmp_path / "m.onnx").touch()
    result = run("init", tmp_path / "m.onnx", option, value)
    assert (result.exit_code, option in result.stderr) == (2, True)


def test_a_bundle_is_signed_verified_and_shown(folder: Path, key_file: Path, public_key: Path) -> None:
    signed = run("sign", folder, "--key", key_file)
    assert (signed.exit_code, "Signed news2 1.2.0" in signed.stdout) == (0, True)
    verified = run("verify", folder, "--key", public_key)
    assert (verified.exit_code, "exactly those that were signed" in verified.stdout) == (0, True)
    shown = run("inspect", folder)
    assert (shown.exit_code, "signatures/trainer.sig: by a key" in shown.stdout.replace("\n", " ")) == (0, True)
    facts = answer("inspect", folder)
    assert facts["sha256"] == answer("verify", folder, "--key", public_key)["sha256"]
    assert facts["card"] == {"disclosed": 0, "attributes": 31}


def test_a_refusal_names_rule_file_and_remedy(folder: Path, key_file: Path, public_key: Path) -> None:
    run("sign", folder, "--key", key_file)
    (folder / "rules.toml").write_text("other")
    result = run("verify", folder, "--key", public_key, "--json")
    assert result.exit_code == 1
    refusal = json.loads(result.stdout)
    assert (refusal["verified"], refusal["rule"]) == (False, "FILE_CHANGED")
    assert "rules.toml" in refusal["detail"]
    assert "Restore the files" in refusal["remedy"]
    assert "refused: FILE_CHANGED" in result.stderr
    assert "FILE_CHANGED" in run("inspect", folder).stdout


def test_a_bundle_in_another_s_place_is_refused_and_a_loose_one_speaks_for_itself(
    folder: Path, key_file: Path, public_key: Path
) -> None:
    run("sign", folder, "--key", key_file)
    moved = folder.rename(folder.with_name("1.3.0"))
    assert "VERSION_MISMATCH" in run("verify", moved, "--key", public_key).stderr
    assert run("verify", moved, "--key", public_key, "--version", "1.2.0").exit_code == 0
    loose = moved.rename(folder.parent / "loose")
    assert run("verify", loose, "--key", public_key).exit_code == 0
    (loose / "manifest.toml").write_text("[")
    assert "FILE_CHANGED" in run("verify", loose, "--key", public_key).stderr


def test_a_stale_signature_must_be_discarded_by_name(folder: Path, key_file: Path, tmp_path: Path) -> None:
    run("sign", folder, "--key", key_file)
    (folder / "rules.toml").write_text("other")
    (folder / "signatures" / "junk.sig").write_text("{}")
    second = ("sign", folder, "--key", tmp_path / "officer.key.pem", "--create-key")
    refused = run(*second)
    assert (refused.exit_code, "junk.sig, signatures/trainer.sig" in refused.stderr) == (1, True)
    accepted = run(*second, "--discard-stale")
    assert (accepted.exit_code, "removed signatures/trainer.sig" in accepted.stdout) == (0, True)
    assert [path.name for path in (folder / "signatures").iterdir()] == ["officer.sig"]


def test_a_model_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").touch()
    monkeypatch.setattr(bundle_making, "_CHILD_TIMEOUT_S", 0.001)
    result = run("init", tmp_path / "m.onnx", "--out", tmp_path / "made")
    assert (result.exit_code, "gave no answer within" in result.stderr) == (1, True)


def test_signing_again_puts_the_new_signature_in_the_old_one_s_place(folder: Path, key_file: Path) -> None:
    first = answer("sign", folder, "--key", key_file)
    (folder / "rules.toml").write_text("other")
    second = answer("sign", folder, "--key", key_file)
    assert first["signature"] == second["signature"]
    assert first["sha256"] != second["sha256"]


def test_what_no_server_would_load_is_not_signed(folder: Path, key_file: Path) -> None:
    (folder / "card.toml").unlink()
    result = run("sign", folder, "--key", key_file)
    assert (result.exit_code, "FILE_MISSING" in result.stderr) == (1, True)
    assert not (folder / "signatures").exists()


def certificate_file(folder: Path, issued: Issued) -> Path:
    path = folder / f"{issued.certificate.serial_number:x}.pem"
    path.write_bytes(issued.certificate.public_bytes(Encoding.PEM))
    return path


def test_a_certificate_binds_the_signature_to_its_name(folder: Path, key_file: Path, tmp_path: Path) -> None:
    since, until = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
    root = authority(start=since, end=until)
    between = authority("between", issuer=root, start=since, end=until)
    certificate = certificate_file(tmp_path, leaf(between, start=since, end=until))
    chain = ("--certificate", certificate, "--chain", certificate_file(tmp_path, between))
    signed = run("sign", folder, "--key", key_file, "--signer", "safety", *chain)
    assert (signed.exit_code, f"uri:{SAFETY_URI}" in signed.stdout) == (0, True), signed.stderr
    certificate_file(tmp_path, root).rename(tmp_path / "root.pem")
    (tmp_path / "trust.toml").write_text(POLICY_HEAD + SAFETY + ANY_BY_SAFETY)
    assert answer("verify", folder, "--policy", tmp_path / "trust.toml")["signers"][0]["name"] == "safety"
    assert "by the certificate with serial number" in run("inspect", folder).stdout.replace("\n", " ")
    other = run("sign", folder, "--key", tmp_path / "o.key.pem", "--create-key", "--certificate", certificate)
    assert (other.exit_code, "certifies another key" in other.stderr) == (1, True)


def test_a_passphrase_comes_from_a_file_or_a_prompt(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked.key.pem"
    encryption = BestAvailableEncryption(b"open sesame")
    path.write_bytes(key().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (tmp_path / "passphrase").write_text("open sesame\r\n")
    assert run("sign", folder, "--key", path, "--passphrase-file", tmp_path / "passphrase").exit_code == 0
    unattended = run("sign", folder, "--key", path)
    assert (unattended.exit_code, "needs a passphrase" in unattended.stderr) == (1, True)
    monkeypatch.setattr(bundle_sign, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    asked = run("sign", folder, "--key", path, stdin="open sesame\n")
    assert (asked.exit_code, "open sesame" in asked.output) == (0, False)


def test_options_that_need_one_another_are_told(folder: Path, key_file: Path, public_key: Path) -> None:
    for arguments, told in (
        (("sign", folder, "--key", key_file, "--chain", public_key), "--chain goes with --certificate"),
        (("sign", folder, "--key", folder / "absent.pem"), "--create-key makes one"),
        (("verify", folder), "--policy"),
    ):
        result = run(*arguments)
        assert (result.exit_code, told in result.stderr) == (2, True)
