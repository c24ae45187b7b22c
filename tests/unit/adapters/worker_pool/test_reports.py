import pytest

from stepdown.adapters.worker_pool.reports import Refusal, combined, read_providers, read_refusal, read_report
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from tests.fakes.bundles import ECHO, bundle, with_model

CUDA, CPU = ExecutionProvider.CUDA, ExecutionProvider.CPU
MODEL = with_model(bundle(ECHO), minimum_placement_share=0.9).manifest.model
assert MODEL is not None
GOOD = {
    "device": "NVIDIA L4 (0)",
    "placement_share": 0.95,
    "known_answer_error": 0.5,
    "latency_s": [[1, 0.001], [8, 0.004]],
}


def test_a_report_is_read_as_it_was_given() -> None:
    assert MODEL is not None
    report = read_report(GOOD, pid=7, provider=CUDA, model=MODEL)
    assert (report.pid, report.execution_provider, report.device) == (7, CUDA, "NVIDIA L4 (0)")
    assert (report.placement_share, report.known_answer_error) == (0.95, 0.5)
    assert report.latency_s == ((1, 0.001), (8, 0.004))


@pytest.mark.parametrize(
    "changed",
    [
        {"placement_share": 0.89},
        {"placement_share": 1.01},
        {"placement_share": True},
        {"placement_share": "all"},
        {"known_answer_error": 1.01},
        {"known_answer_error": -0.1},
        {"known_answer_error": float("nan")},
        {"known_answer_error": None},
        {"latency_s": None},
        {"latency_s": [[1, 0.1]] * 100},
        {"latency_s": [[0, 0.1]]},
        {"latency_s": [[9, 0.1]]},
        {"latency_s": [[1, -0.1]]},
        {"latency_s": [[1, float("inf")]]},
        {"latency_s": [[1]]},
        {"latency_s": ["fast"]},
    ],
)
def test_a_report_that_contradicts_the_manifest_or_itself_is_refused(changed: dict[str, object]) -> None:
    assert MODEL is not None
    with pytest.raises(WorkerError, match="READY frame"):
        read_report(GOOD | changed, pid=7, provider=CUDA, model=MODEL)


def test_the_provider_tried_is_named_and_those_before_it_were_not_in_the_build() -> None:
    offered = (CUDA, ExecutionProvider.ROCM, CPU)
    tried, passed_over = read_providers({"provider": "CPU", "runtime": "ONNX Runtime 1"}, offered)
    assert tried is CPU
    assert [(refusal.provider, refusal.detail) for refusal in passed_over] == [
        (CUDA, "not in ONNX Runtime 1"),
        (ExecutionProvider.ROCM, "not in ONNX Runtime 1"),
    ]
    assert read_providers({}, offered) == (CUDA, ())


@pytest.mark.parametrize("name", ["MIGraphX", "GPU", 3, ["CPU"]])
def test_a_provider_that_was_not_offered_is_a_breach(name: object) -> None:
    with pytest.raises(WorkerError, match="not offered"):
        read_providers({"provider": name}, (CUDA, CPU))


def test_a_refusal_for_want_of_a_provider_is_explained_by_the_error_stream() -> None:
    body = {"reason": "PROVIDER_UNAVAILABLE", "detail": "could not be opened"}
    told = read_refusal(body, provider=CUDA, telling="libcudnn.so.9: not found")
    assert told.detail == "could not be opened (libcudnn.so.9: not found)"
    assert read_refusal(
        body | {"detail": "libcudnn.so.9: not found"}, provider=CUDA, telling="libcudnn.so.9"
    ).detail == ("libcudnn.so.9: not found")
    other = read_refusal({"reason": "OUT_OF_MEMORY", "detail": "no room"}, provider=CUDA, telling="an error")
    assert (other.reason, other.detail) == (Reason.OUT_OF_MEMORY, "no room")


@pytest.mark.parametrize("reason", [None, "", "WORKER_LOST", "whatever", 4])
def test_a_reason_that_is_not_a_workers_to_give_is_a_breach(reason: object) -> None:
    with pytest.raises(WorkerError, match="REFUSED frame"):
        read_refusal({"reason": reason, "detail": ""}, provider=CUDA, telling="")


def refused(provider: ExecutionProvider, reason: Reason) -> Refusal:
    return Refusal(provider=provider, reason=reason, detail="because")


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ((Reason.PROVIDER_UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE), Reason.PROVIDER_UNAVAILABLE),
        ((Reason.KNOWN_ANSWER_MISMATCH, Reason.PROVIDER_UNAVAILABLE), Reason.KNOWN_ANSWER_MISMATCH),
        ((Reason.OUT_OF_MEMORY, Reason.PLACEMENT_TOO_LOW), Reason.PLACEMENT_TOO_LOW),
    ],
)
def test_of_several_refusals_the_last_provider_that_was_there_gives_the_reason(
    reasons: tuple[Reason, Reason], expected: Reason
) -> None:
    reason, detail = combined((refused(CUDA, reasons[0]), refused(CPU, reasons[1])))
    assert reason is expected
    assert detail == f"CUDA: {reasons[0]}, because; CPU: {reasons[1]}, because"


def test_a_single_refusal_is_told_as_it_is() -> None:
    told = combined((refused(CUDA, Reason.OUT_OF_MEMORY),))
    assert told == (Reason.OUT_OF_MEMORY, "CUDA: because")
