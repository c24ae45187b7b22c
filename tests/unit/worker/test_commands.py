import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker import proof
from stepdown.worker.__main__ import main
from stepdown.worker.proof import prove
from tests.fakes.bundles import ECHO, LOOKUP


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(LOOKUP.serialized()["model.onnx"])
    return path


def answer(capfd: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    """The one document on standard output, whatever else was printed."""
    assert main(list(arguments)) == 0
    read: dict[str, object] = json.loads(capfd.readouterr().out)
    return read


def test_describe_prints_the_signature(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert answer(capfd, "describe", str(model))["inputs"] == [{"name": "index", "datatype": "INT64", "shape": [-1, 1]}]


def test_golden_writes_the_same_file_for_the_same_seed(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        answer(capfd, "golden", str(model), "--seed", "5", "--rows", "8", "--out", str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with np.load(tmp_path / "a") as archive:
        assert sorted(archive.files) == ["atol.score", "input.index", "output.score"]


def test_golden_takes_inputs_of_ones_own(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "inputs.npz", index=np.array([[3]], np.int64))
    answer(capfd, "golden", str(model), "--inputs", str(tmp_path / "inputs.npz"), "--out", str(tmp_path / "out.npz"))
    with np.load(tmp_path / "out.npz") as archive:
        assert archive["output.score"].tolist() == [[pytest.approx(0.4)]]


def test_inventory_prints_the_survey(capfd: pytest.CaptureFixture[str]) -> None:
    assert set(answer(capfd, "inventory")) == {"onnxruntime", "cpu", "nvidia", "amd"}


def test_prove_runs_a_model_on_the_cpu(capfd: pytest.CaptureFixture[str]) -> None:
    assert answer(capfd, "prove", "CPU")["usable"] is True


@pytest.mark.parametrize("arguments", [("describe", "absent.onnx"), ("golden", "absent.onnx", "--out", "x")])
def test_what_cannot_be_done_is_said_on_standard_error(
    capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(list(arguments)) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "absent.onnx" in captured.err


@pytest.mark.parametrize("rows", ["0", "-3", "1000000", "many"])
def test_a_number_of_rows_that_makes_no_sense_is_a_usage_error(
    model: Path, rows: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["golden", str(model), "--rows", rows, "--out", "x"])
    assert ended.value.code == 2
    capfd.readouterr()


def test_what_a_library_prints_does_not_reach_the_document(
    model: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def noisy(*_: object, **__: object) -> dict[str, object]:
        os.write(1, b"a driver says hello\n")
        print("and so does a wrapper")  # noqa: T201
        return {"quiet": True}

    monkeypatch.setattr("stepdown.worker.commands.description.describe", noisy)
    assert main(["describe", str(model)]) == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out) == {"quiet": True}
    assert "driver says hello" in captured.err
    assert "so does a wrapper" in captured.err


def test_a_provider_that_is_not_here_is_not_usable_and_says_why() -> None:
    verdict = prove(ExecutionProvider.ROCM)
    assert verdict["usable"] is False
    assert "ROCMExecutionProvider" in verdict["why_not"]


@pytest.mark.parametrize(("error", "why_not"), [(RuntimeError("bus  error\n"), "bus error"), (None, "adds wrongly")])
def test_a_device_that_fails_or_lies_is_not_usable(
    error: Exception | None, why_not: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FakeSession:
        def run(self, *_: object) -> list[np.ndarray]:
            if error is not None:
                raise error
            return [np.zeros((2, 4), np.float32)]

    monkeypatch.setattr(proof, "open_session", lambda *_: FakeSession())
    assert why_not in prove(ExecutionProvider.CPU)["why_not"]


def test_a_worker_whose_parent_is_gone_never_starts() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "stepdown.worker", "serve", "1", "0", "0", "0"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert ended.returncode != 0
    assert "parent 1 is gone" in ended.stderr
    assert "onnxruntime" not in ended.stderr


def test_a_worker_leaves_no_trace_and_yields_to_the_server() -> None:
    script = (
        "import json, os, resource\n"
        "from stepdown.worker.confinement import die_with, leave_no_trace, step_back\n"
        "die_with(os.getppid())\n"
        "leave_no_trace()\n"
        "before = os.nice(0)\n"
        "step_back(cores=sorted(os.sched_getaffinity(0))[:1], niceness=3)\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), os.nice(0) - before,"
        " len(os.sched_getaffinity(0)), status['NoNewPrivs'].strip()]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert json.loads(ended.stdout) == [[0, 0], 3, 1, "1"]


def test_the_echo_model_can_be_described_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "echo.onnx").write_bytes(ECHO.serialized()["model.onnx"])
    assert answer(capfd, "describe", str(tmp_path / "echo.onnx"))["external_data"] == []
