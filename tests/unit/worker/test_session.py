"""The accelerator paths, on a stand-in for ONNX Runtime that says what the real one says without the hardware."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker import session as room
from stepdown.worker.model_file import addition_model
from stepdown.worker.session import SessionPlan, open_session
from tests.fakes.bundles import ECHO, LOOKUP

CPU = SessionPlan(provider=ExecutionProvider.CPU, minimum_placement_share=1.0)


def on(provider: ExecutionProvider, *, share: float = 0.9) -> SessionPlan:
    return SessionPlan(provider=provider, minimum_placement_share=share, threads=1, device_id=1)


def refusal(model: bytes, plan: SessionPlan) -> tuple[Reason, str]:
    with pytest.raises(WorkerError) as raised:
        open_session(model, {}, plan)
    return raised.value.reason, raised.value.detail


class FakeSubgraph:
    def __init__(self, ep_name: str, nodes: int) -> None:
        self.ep_name = ep_name
        self._nodes = nodes

    def get_nodes(self) -> list[int]:
        return [0] * self._nodes


class FakeRuntime:
    """What `InferenceSession` does with another provider: records its arguments, fails or places as told."""

    def __init__(self, *, placed: dict[str, int], strict_error: str = "", error: str = "", first: str = "") -> None:
        self.opened: list[dict[str, Any]] = []
        self._placed = placed
        self._strict_error = strict_error
        self._error = error
        self._first = first

    def __call__(self, model: bytes, options: onnxruntime.SessionOptions, **arguments: Any) -> "FakeRuntime":  # noqa: ANN401
        del model
        try:
            strict = options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
        except RuntimeError:
            strict = False
        self.opened.append(arguments | {"strict": strict})
        if self._error:
            raise RuntimeError(self._error)
        if strict and self._strict_error:
            raise RuntimeError(self._strict_error)
        return self

    def get_providers(self) -> list[str]:
        return [self._first or self.opened[-1]["providers"][0], "CPUExecutionProvider"]

    def get_provider_graph_assignment_info(self) -> list[FakeSubgraph]:
        return [FakeSubgraph(name, nodes) for name, nodes in self._placed.items()]


Pretend = Callable[..., FakeRuntime]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Have ONNX Runtime be a build with CUDA, MIGraphX and ROCm that behaves as told."""

    def pretended(**told: Any) -> FakeRuntime:  # noqa: ANN401
        runtime = FakeRuntime(**told)
        names = ("CUDAExecutionProvider", "MIGraphXExecutionProvider", "ROCMExecutionProvider", "CPUExecutionProvider")
        monkeypatch.setattr(room, "compiled_in", lambda: names)
        monkeypatch.setattr(onnxruntime, "InferenceSession", runtime)
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda **_: None)
        return runtime

    return pretended


def test_a_model_on_the_cpu_is_placed_there_by_count_and_runs() -> None:
    opened = open_session(ECHO.serialized()["model.onnx"], {}, CPU)
    assert opened.placement_share == 1.0
    values = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    score, checks = opened.run(["score", "checks"], {"values": values})
    assert score.tolist() == [[1], [4]]
    assert checks.tolist() == [[2, 3], [5, 6]]
    assert opened.inputs() == (("values", "tensor(float)", (-1, 3)),)
    assert opened.outputs()[1] == ("checks", "tensor(float)", (-1, 2))


def test_weights_come_from_memory() -> None:
    files = LOOKUP.serialized(external="table.bin")
    opened = open_session(files["model.onnx"], {"table.bin": memoryview(files["table.bin"])}, CPU)
    assert opened.run(["score"], {"index": np.array([[2]], np.int64)})[0].tolist() == [[pytest.approx(0.3)]]


@pytest.mark.parametrize(
    "provider", [ExecutionProvider.CUDA, ExecutionProvider.TENSORRT, ExecutionProvider.MIGRAPHX, ExecutionProvider.ROCM]
)
def test_a_provider_that_this_build_lacks_is_unavailable(
    provider: ExecutionProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "compiled_in", lambda: ("CPUExecutionProvider",))
    reason, detail = refusal(addition_model(), on(provider))
    assert reason is Reason.PROVIDER_UNAVAILABLE
    assert "is not in ONNX Runtime" in detail


def test_exactly_one_provider_is_asked_for_with_its_options_and_no_fallback(pretend: Pretend) -> None:
    runtime = pretend(placed={"CUDAExecutionProvider": 10})
    assert open_session(b"", {}, on(ExecutionProvider.CUDA)).placement_share == 1.0
    (opened,) = runtime.opened
    assert opened["providers"] == ["CUDAExecutionProvider"]
    assert opened["provider_options"][0]["device_id"] == "1"
    assert opened["enable_fallback"] == 0


@pytest.mark.parametrize(("share", "strict"), [(1.0, True), (0.9, False)])
def test_falling_to_the_cpu_is_forbidden_where_no_node_may(pretend: Pretend, share: float, strict: bool) -> None:
    runtime = pretend(placed={"CUDAExecutionProvider": 10})
    open_session(b"", {}, on(ExecutionProvider.CUDA, share=share))
    assert [opened["strict"] for opened in runtime.opened] == [strict]


def test_falling_to_the_cpu_is_not_forbidden_to_the_cpu(pretend: Pretend) -> None:
    runtime = pretend(placed={"CPUExecutionProvider": 10})
    open_session(b"", {}, on(ExecutionProvider.CPU, share=1.0))
    assert [opened["strict"] for opened in runtime.opened] == [False]


def test_too_few_nodes_on_the_provider_are_counted_and_refused(pretend: Pretend) -> None:
    pretend(placed={"MIGraphXExecutionProvider": 3, "CPUExecutionProvider": 409})
    reason, detail = refusal(b"", on(ExecutionProvider.MIGRAPHX))
    assert reason is Reason.PLACEMENT_TOO_LOW
    assert "0.007 of the nodes sit on MIGraphX, at least 0.9 must" in detail


def test_a_few_nodes_on_the_cpu_are_borne_where_the_manifest_bears_them(pretend: Pretend) -> None:
    pretend(placed={"CUDAExecutionProvider": 95, "CPUExecutionProvider": 5})
    assert open_session(b"", {}, on(ExecutionProvider.CUDA)).placement_share == 0.95


def test_a_graph_that_was_folded_away_lies_nowhere_else(pretend: Pretend) -> None:
    pretend(placed={})
    assert open_session(b"", {}, on(ExecutionProvider.CUDA)).placement_share == 1.0


def test_a_session_that_quietly_fell_back_is_unavailable(pretend: Pretend) -> None:
    pretend(placed={"CPUExecutionProvider": 10}, first="CPUExecutionProvider")
    reason, detail = refusal(b"", on(ExecutionProvider.CUDA))
    assert reason is Reason.PROVIDER_UNAVAILABLE
    assert "offers CPUExecutionProvider instead" in detail


STRICT = "This session contains graph nodes that are assigned to the default CPU EP, but that was explicitly disabled."


def test_a_strict_session_that_fails_is_asked_again_why(pretend: Pretend) -> None:
    pretend(placed={"CPUExecutionProvider": 10}, strict_error=STRICT, first="CPUExecutionProvider")
    assert refusal(b"", on(ExecutionProvider.CUDA, share=1.0))[0] is Reason.PROVIDER_UNAVAILABLE
    pretend(placed={"CUDAExecutionProvider": 9, "CPUExecutionProvider": 1}, strict_error=STRICT)
    reason, detail = refusal(b"", on(ExecutionProvider.CUDA, share=1.0))
    assert (reason, "0.900" in detail) == (Reason.PLACEMENT_TOO_LOW, True)


@pytest.mark.parametrize(
    ("error", "reason", "said"),
    [
        (
            "/x.cc:1988 Failed to load library l.so with error: libmigraphx_c.so.3: cannot open shared object",
            Reason.PROVIDER_UNAVAILABLE,
            "libmigraphx_c.so.3: cannot open",
        ),
        (
            "/x.cc:729 void f(PySessionOptions&) Please install TensorRT libraries as mentioned, make sure of it",
            Reason.PROVIDER_UNAVAILABLE,
            "Please install TensorRT libraries as mentioned",
        ),
        ("CUDA failure 100: no CUDA-capable device is detected", Reason.PROVIDER_UNAVAILABLE, "no CUDA-capable"),
        ("CUDA error 35: driver version is insufficient", Reason.PROVIDER_UNAVAILABLE, "insufficient"),
        ("BFCArena failed to allocate memory", Reason.OUT_OF_MEMORY, "BFCArena"),
        ("[ONNXRuntimeError] : 10 : INVALID_GRAPH : bad node", Reason.EXECUTION_FAILED, "bad node"),
        ("something nobody foresaw", Reason.EXECUTION_FAILED, "nobody foresaw"),
    ],
)
def test_a_failure_to_open_is_told_apart_and_comes_to_the_point(
    pretend: Pretend, error: str, reason: Reason, said: str
) -> None:
    pretend(placed={}, error=error)
    found, detail = refusal(b"", on(ExecutionProvider.CUDA))
    assert found is reason
    assert said in detail
    assert not detail.startswith("/x")


def test_on_the_cpu_nothing_is_called_unavailable() -> None:
    assert refusal(b"not a model", CPU)[0] is Reason.EXECUTION_FAILED
