"""What an AssessRisk costs the server, stage by stage: `python -m bench.assess [--encounters N] [--rounds R]`.

Everything runs in this process and on one thread: the message's bytes in, the reply's bytes out, with the demo's rules,
claims, digests and ledger facts, over a chain that answers at once. CPU microseconds per encounter, the least of the
rounds, beside the models' own run and beside a plain loop of Python in the same run: the machine may be busy.
"""

import argparse
import gc
import hmac
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

from bench.encounters import encounter
from stepdown.adapters.system_clock import SystemClock
from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.clinical.intake import take_in
from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.engine_events import Request
from stepdown.domain.intake import GRID_COLUMNS, GRID_HOURS
from stepdown.domain.records import Draft
from stepdown.ports import Receipt
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.rules.composite import Composite
from stepdown.rules.golden import ProvenRules
from stepdown.serving.assessment import ClinicalPathway
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.calls import CallRecord
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.assessments import encode_assessment
from stepdown.transport.codec.requests import RequestLimits, decode_request
from stepdown.transport.questions import CallTerms, Question
from stepdown.transport.recording import Recording
from stepdown.transport.stored_claims import StoredClaims
from tests.fakes.chain import FakeChain
from tests.fakes.clinical_pathways import by_model, pathway, rule_set
from tests.fakes.ledger import FakeLedger, FakeReceipt
from tests.fakes.statuses import PATHWAY

MODELS = Path(__file__).resolve().parents[1] / "models"
BATCH = 1_024
_TERMS = CallTerms(caller="spiffe://stepdown.demo/assessor/bench", trace_id="4b" * 16, remaining_s=60.0)
_SUPPORTING = ("qsofa", "sirs", "mews", "shock-index")
_US = 1e6
_PLAIN_STEPS = 1_000

_OUTCOME = by_model(0.3)
_RECEIPT = FakeReceipt(None)
_RECEIPT.is_done, _RECEIPT.record_id = True, "hospital.example/ledger/7"

Given = TypeVar("Given")
Made = TypeVar("Made")


class Bench:
    """The same encounters through every stage."""

    def __init__(self, *, encounters: int, rounds: int, packed: bool) -> None:
        self._rounds = rounds
        self._wire = [encounter(number, packed=packed).SerializeToString() for number in range(encounters)]
        self.pathway = demo_pathway()

    def stages(self) -> dict[str, float]:
        """CPU microseconds per encounter: each stage on what the one before it made."""
        found: dict[str, float] = {}
        limits, policy = RequestLimits(), IntakePolicy()
        rules = demo_rules()
        parsed = self._stage(found, "protobuf reads the request", wire.AssessRiskRequest.FromString, self._wire)
        asked = self._stage(found, "decode", partial(decode_request, limits=limits), parsed)
        taken = self._stage(
            found, "intake", lambda each: take_in(each, received_time_s=time.time(), policy=policy), asked
        )
        self._stage(found, "rules", lambda each: rules.assess(each.rule_inputs), taken)
        prepared = [self.pathway.prepare(each, received_time_s=time.time()) for each in asked]
        finish = partial(self.pathway.finish, outcome=_OUTCOME, generated_time_s=time.time())
        done = self._stage(found, "answer put together", finish, prepared)
        encoded = self._stage(found, "reply written", partial(encode_assessment, trace_id=_TERMS.trace_id), done)
        self._stage(found, "sealed", lambda each: each.sealed("hospital.example/ledger/7"), encoded)
        return found

    def whole(self, *, batch: int) -> float:
        """Bytes in, bytes out, through the flow; `batch` encounters asked at once."""
        parts = [self._wire[first : first + batch] for first in range(0, len(self._wire), batch)]
        return min(self._timed(demo_flow(self.pathway), parts) for _ in range(self._rounds)) / len(self._wire) * _US

    @staticmethod
    def _timed(flow: AssessmentFlow, parts: Sequence[Sequence[bytes]]) -> float:
        begun_s = time.process_time()
        for part in parts:
            answered(flow, part)
        return time.process_time() - begun_s

    def _stage(
        self, found: dict[str, float], name: str, work: Callable[[Given], Made], given: Sequence[Given]
    ) -> list[Made]:
        least_s = float("inf")
        made: list[Made] = []
        for _ in range(self._rounds):
            begun_s = time.process_time()
            made = [work(each) for each in given]
            least_s = min(least_s, time.process_time() - begun_s)
        found[name] = least_s / len(given) * _US
        return made


class PromptChain(FakeChain):
    """Answers at once and keeps nothing: memory that only grows would be measured too."""

    def submit(self, requests: Sequence[Request]) -> None:
        """One answer for all."""
        for request in requests:
            self.release(request, _OUTCOME)


class PromptLedger(FakeLedger):
    """Has written everything already and keeps nothing."""

    def submit(self, draft: Draft, when_done: Callable[[Receipt], None] | None = None) -> FakeReceipt:
        """The same receipt for every record."""
        del draft, when_done
        return _RECEIPT


def demo_rules() -> Composite:
    """The rule sets of the demo."""
    supporting = tuple(rule_set(name) for name in _SUPPORTING)
    return Composite(answering=rule_set("news2"), lactate=rule_set("lactate"), supporting=supporting)


def demo_pathway() -> ClinicalPathway:
    """The demo's clinical pathway."""
    rules = ProvenRules(composite=demo_rules())
    return ClinicalPathway(pathway=pathway(), rules=rules, policy=IntakePolicy(), valid_for_s=3600.0)


def demo_flow(served: ClinicalPathway) -> AssessmentFlow:
    """A flow with fresh claims, over a chain that answers at once and a ledger that keeps its drafts in memory."""
    clock = SystemClock()
    return AssessmentFlow(
        chain=PromptChain(),
        pathways=ClinicalPathways(clinical={PATHWAY: served}),
        claims=StoredClaims(clock, rate=RatePolicy(per_second=1000.0, burst=100_000)),
        clock=clock,
        record=CallRecord(
            notice=lambda _: None,
            event=lambda _, /, **__: None,
            incident=_fail,
            recording=Recording(ledger=PromptLedger(), digest=_hmac, wall_s=time.time),
        ),
        limits=RequestLimits(),
    )


def answered(flow: AssessmentFlow, part: Sequence[bytes]) -> bytes:
    """The reply to these requests, as one message."""
    arrived: list[Question] = []
    questions = flow.begin([wire.AssessRiskRequest.FromString(each) for each in part], _TERMS, arrived.append)
    for question in questions:
        flow.conclude(question, _TERMS)
    results = [wire.BatchAssessRiskResult(request_id=each.request_id, assessment=each.assessment) for each in questions]
    return wire.BatchAssessRiskResponse(results=results).SerializeToString()


def model_us(name: str, *, rows: int) -> float:
    """CPU microseconds per row of the model's own run, in so many rows at once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODELS / name / "1.0.0" / "model.onnx", options)
    grid = np.random.default_rng(0).normal(80.0, 10.0, (rows, GRID_HOURS, GRID_COLUMNS)).astype(np.float32)
    given = {session.get_inputs()[0].name: grid}
    least_s = float("inf")
    for _ in range(8):
        begun_s = time.process_time()
        session.run(None, given)
        least_s = min(least_s, time.process_time() - begun_s)
    return least_s / rows * _US


def plain_us() -> float:
    """CPU microseconds of a thousand additions in a plain loop: what this machine makes of Python just now."""
    least_s = float("inf")
    for _ in range(20):
        begun_s, total = time.process_time(), 0
        for step in range(_PLAIN_STEPS):
            total += step
        least_s = min(least_s, time.process_time() - begun_s)
    return least_s * _US


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encounters", type=int, default=BATCH)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    table = Table("stage", "packed series", "single observations", title="AssessRisk, CPU µs per encounter")
    columns: list[dict[str, float]] = []
    for packed in (True, False):
        bench = Bench(encounters=options.encounters, rounds=options.rounds, packed=packed)
        gc.collect()
        gc.freeze()
        found = bench.stages()
        found |= {"whole, one at a time": bench.whole(batch=1), "whole, all in a batch": bench.whole(batch=BATCH)}
        columns.append(found)
    for name in columns[0]:
        table.add_row(name, *(f"{found[name]:.1f}" for found in columns))
    table.add_section()
    for model in ("sepsis-full", "sepsis-distilled"):
        table.add_row(f"{model}, its own run: 1 row", f"{model_us(model, rows=1):.1f}", "")
        table.add_row(f"{model}, its own run: 64 rows", f"{model_us(model, rows=64):.1f}", "")
    table.add_row("a thousand additions in a loop", f"{plain_us():.1f}", "")
    Console().print(table)


def _hmac(content: bytes) -> str:
    return hmac.digest(b"bench", content, "sha256").hex()


def _fail(error: BaseException) -> str:
    raise AssertionError from error


if __name__ == "__main__":
    main()
