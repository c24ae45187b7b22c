"""Very many executions from one seed, counted by target, with the memory that they leave behind.

Refuses to go on after a finding: it prints the method and the bytes by which the finding can be made again.
"""

import resource
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from types import FrameType

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from stepdown.api.oip import infer_pb2
from stepdown.api.v1 import assessment_service_pb2, outcomes_pb2, provenance_service_pb2
from stepdown.domain.errors import StepdownError
from tests.fakes.assess_requests import assess_request
from tests.fakes.open_inference import grid
from tests.fuzz.edge import Edge, edge
from tests.fuzz.ledger_bytes import LedgerBytes
from tests.fuzz.messages import Mutator

HANG_S = 60
"""One execution that takes longer hangs, on any machine."""
_numbers = count()
_TRACEPARENTS = ("", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-0-0-0", "\x7f" * 200)


class FoundError(StepdownError):
    """An execution that ended as none may."""


class Campaign:
    """Executions of one seed. `counts` says how often each target ran."""

    def __init__(self, *, seed: int) -> None:
        self._random = Random(seed)
        self._mutator = Mutator(self._random)
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, str]] = Counter()
        self.memory_mib: list[float] = []

    def run(self, executions: int, *, say: Callable[[str], None] = lambda _: None, ledger_share: float = 0.35) -> None:
        """Execute. Raises: FoundError."""
        with edge() as side, tempfile.TemporaryDirectory() as folder:
            ledger = LedgerBytes(self._random, Path(folder))
            seeds = {method: _seeds(method) for method in side.methods}
            weights = [4 if "Assess" in method or "RecordOutcome" in method else 1 for method in side.methods]
            for number in range(executions):
                if self._random.random() < ledger_share:
                    self._read(ledger)
                else:
                    method = self._random.choices(side.methods, weights=weights)[0]
                    self._call(side, method, self._random.choice(seeds[method])())
                if number % max(1, executions // 20) == 0:
                    self._note_memory(number, say)

    def _call(self, side: Edge, method: str, seed: Message) -> None:
        streamed = "Stream" in method
        messages = [self._mutator.mutated(seed) for _ in range(self._random.randrange(4) if streamed else 1)]
        with _within(HANG_S, method, messages):
            context = side.call(method, messages, traceparent=self._random.choice(_TRACEPARENTS))
        if side.incidents:
            error = side.incidents[0]
            raise FoundError(f"{method}: {type(error).__name__} from {[each.hex() for each in messages]}") from error
        self.counts[method] += 1
        status = "OK" if context.status is None else context.status.name
        self.statuses[method.rpartition("/")[2], status] += 1

    def _read(self, ledger: LedgerBytes) -> None:
        with _within(HANG_S, "ledger", []):
            self.counts[f"ledger {ledger.execute()}"] += 1

    def _note_memory(self, number: int, say: Callable[[str], None]) -> None:
        fields = Path("/proc/self/statm").read_text().split()
        self.memory_mib.append(int(fields[1]) * resource.getpagesize() / (1 << 20))
        say(f"{number} executions, {self.memory_mib[-1]:.0f} MiB")


@contextmanager
def _within(seconds: int, method: str, messages: list[bytes]) -> Iterator[None]:
    """Raises: FoundError for what hangs, and for what is raised past the table of statuses."""

    def hangs(_number: int, _frame: FrameType | None) -> None:
        raise FoundError(f"{method} hangs on {[each.hex() for each in messages]}")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(seconds)
    try:
        yield
    except FoundError:
        raise
    except Exception as error:
        raise FoundError(f"{method}: {type(error).__name__}: {[each.hex() for each in messages]}") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def good_message(method: str) -> Message:
    """Something that the method would answer, or its empty message."""
    return _seeds(method)[0]()


def _seeds(method: str) -> list[Callable[[], Message]]:
    """What makes something that the method would answer, and its empty message."""
    _, service, name = method.split("/")
    descriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name].input_type
    empty = message_factory.GetMessageClass(descriptor)
    good = _GOOD.get(name)
    return [empty] if good is None else [good] * 9 + [empty]


def _report() -> Message:
    report = outcomes_pb2.RecordOutcomeRequest(report_id=f"r-{next(_numbers)}", record_id="hospital.example/ledger/0")
    report.outcome.event, report.outcome.occurred = outcomes_pb2.OUTCOME_EVENT_PREDICTED, False
    report.outcome.ascertained_time.seconds = 1_800_000_000
    return report


def _tensors() -> Message:
    message = infer_pb2.ModelInferRequest(model_name="sepsis-early-warning", raw_input_contents=[grid(80.0).tobytes()])
    message.inputs.add(name="observations", datatype="FP32", shape=[1, 48, 40])
    return message


_GOOD: dict[str, Callable[[], Message]] = {
    "AssessRisk": assess_request,
    "BatchAssessRisk": lambda: assessment_service_pb2.BatchAssessRiskRequest(requests=[assess_request() for _ in "ab"]),
    "StreamAssessRisk": lambda: assessment_service_pb2.StreamAssessRiskRequest(request=assess_request()),
    "RecordOutcome": _report,
    "ModelInfer": _tensors,
    "ModelStreamInfer": _tensors,
    "GetRecord": lambda: provenance_service_pb2.GetRecordRequest(record_id="hospital.example/ledger/3"),
    "GetInclusionProof": lambda: provenance_service_pb2.GetInclusionProofRequest(record_id="hospital.example/ledger/3"),
}
