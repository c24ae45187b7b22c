"""The clinical API of a real server, as an integration engineer meets it: every way of being answered."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
import pytest

from stepdown.api.v1 import assessment_service_pb2 as wire
from stepdown.api.v1 import assessments_pb2, bands_pb2, catalog_service_pb2, operations_service_pb2, tiers_pb2
from stepdown.api.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from tests.conformance.callers import channel_as
from tests.fakes.assess_requests import LOINC, assess_request, observation
from tests.fakes.statuses import PATHWAY
from tests.faults.running_server import RunningServer
from tests.unit.transport.failures import Failure, failure_of, item_failure, read_failure

Change = Callable[[wire.AssessRiskRequest], None]
INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
YEAR_S = 365 * 86_400
HIDDEN = "4f1c2a9e-must-not-be-logged"
# A fixed instant, so that only the value changes.
NOON_S = time.time() // 3600 * 3600 - 3600


@pytest.fixture(scope="module")
def assessor(demo: RunningServer) -> Iterator[AssessmentServiceStub]:
    with channel_as(demo) as channel:
        yield AssessmentServiceStub(channel)


@pytest.fixture(scope="module")
def operator(demo: RunningServer) -> Iterator[OperationsServiceStub]:
    with channel_as(demo, "operator") as channel:
        yield OperationsServiceStub(channel)


def unique(name: str) -> str:
    """An encounter of this test alone, so that no test spends another's rate."""
    return f"enc-4711-{name}"


def test_an_answer_names_its_tier_provider_device_bundle_digest_and_signer(assessor: AssessmentServiceStub) -> None:
    answer = assessor.AssessRisk(assess_request(), timeout=10).assessment
    identity = answer.answered_by
    assert (identity.pathway, identity.tier) == (PATHWAY, "full")
    assert identity.execution_provider == tiers_pb2.EXECUTION_PROVIDER_CPU
    assert identity.device
    assert (identity.bundle.name, list(identity.bundle.signers)) == ("sepsis-full", ["demo-signer"])
    assert re.fullmatch(r"[0-9a-f]{64}", identity.bundle.sha256)
    assert 0 <= answer.risk.probability <= 1
    assert answer.risk.semantics.horizon.ToSeconds() == 6 * 3600
    assert answer.rules_assessment.answering.rule_set_id == "news2@1.0.0"
    assert answer.rules_assessment.complete
    assert answer.disclaimer.startswith("Not a medical device")
    assert {used.channel for used in answer.inputs_used} >= {"HR", "SBP", "Resp", "Temp", "O2Sat"}


def test_the_columns_of_the_challenge_and_packed_series_are_understood(assessor: AssessmentServiceStub) -> None:
    request = assess_request(vitals=False)
    request.series.add(
        code_system="https://physionet.org/content/challenge-2019",
        code="HR",
        unit="/min",
        offsets_ms=[-3_600_000, 0],
        values=[70.0, 72.0],
    ).base_time.CopyFrom(request.as_of_time)
    answer = assessor.AssessRisk(request, timeout=10).assessment
    assert [(used.channel, used.value, used.unit) for used in answer.inputs_used] == [("HR", 72.0, "/min")]


def test_a_batch_of_a_thousand_and_twenty_four_is_answered_in_its_order(assessor: AssessmentServiceStub) -> None:
    requests = [assess_request(encounter_token=unique(f"batch-{number}")) for number in range(1024)]
    results = assessor.BatchAssessRisk(wire.BatchAssessRiskRequest(requests=requests), timeout=120).results
    assert [result.request_id for result in results] == [request.request_id for request in requests]
    assert {result.WhichOneof("result") for result in results} == {"assessment"}
    assert all(result.assessment.answered_by.bundle.sha256 for result in results)


def test_a_stream_answers_each_and_survives_a_refusal(assessor: AssessmentServiceStub) -> None:
    requests = [assess_request(), assess_request(pathway="unheard-of"), assess_request()]
    answers = assessor.StreamAssessRisk(
        iter([wire.StreamAssessRiskRequest(request=request) for request in requests]), timeout=30
    )
    by_id = {answer.request_id: answer for answer in answers}
    endings = [by_id[request.request_id].WhichOneof("result") for request in requests]
    assert endings == ["assessment", "failure", "assessment"]
    assert item_failure(by_id[requests[1].request_id].failure).reason == "PATHWAY_UNKNOWN"


def issues(answer: assessments_pb2.Assessment) -> set[str]:
    """What was said of the input, by name."""
    numbers = [*(each.issue for each in answer.inputs_dropped), *(each.issue for each in answer.input_flags)]
    return {assessments_pb2.InputIssue.Name(number).removeprefix("INPUT_ISSUE_") for number in numbers}


def test_an_observation_a_little_after_its_instant_is_flagged_and_one_long_after_is_left_out(
    assessor: AssessmentServiceStub,
) -> None:
    """Row 5."""
    request = assess_request(encounter_token=unique("skew"))
    now_s = request.as_of_time.ToMilliseconds() / 1000
    request.observations.append(observation("2823-3", 4.0, "mmol/L", at_s=now_s + 60))
    request.observations.append(observation("718-7", 13.0, "g/dL", at_s=now_s + 600))
    answer = assessor.AssessRisk(request, timeout=10).assessment
    assert {"CLOCK_SKEW", "FUTURE_OBSERVATION"} <= issues(answer)


@pytest.mark.parametrize(("code", "issue"), [("8867-5", "CODE_INVALID"), ("2160-0x", "CODE_INVALID")])
def test_a_code_that_is_none_costs_the_patient_nothing(assessor: AssessmentServiceStub, code: str, issue: str) -> None:
    """Row 24."""
    request = assess_request(encounter_token=unique("codes"))
    request.observations.add(code_system=LOINC, code=code, value=1.0, unit="/min").effective_time.CopyFrom(
        request.as_of_time
    )
    answer = assessor.AssessRisk(request, timeout=10).assessment
    assert issue in issues(answer)
    assert answer.band == bands_pb2.BAND_LOW or answer.HasField("risk")


def test_nothing_clinical_is_an_abstention_and_not_a_low_risk(assessor: AssessmentServiceStub) -> None:
    """Row 25."""
    answer = assessor.AssessRisk(assess_request(vitals=False), timeout=10).assessment
    assert answer.abstention.reason == assessments_pb2.ABSTENTION_REASON_NO_CLINICAL_DATA
    assert answer.band == bands_pb2.BAND_INDETERMINATE
    assert answer.abstention.text


def test_the_same_request_is_answered_once_and_its_name_stands_for_nothing_else(
    assessor: AssessmentServiceStub,
) -> None:
    """Row 27."""
    request = assess_request()
    first = assessor.AssessRisk(request, timeout=10)
    assert assessor.AssessRisk(request, timeout=10) == first
    request.observations[0].value += 1
    failed = failure_of(lambda: assessor.AssessRisk(request, timeout=10))
    assert (failed.code, failed.reason) == (INVALID, "IDEMPOTENCY_PAYLOAD_MISMATCH")


def test_a_repetition_while_the_first_is_under_way_is_told_when_to_come_back(
    demo: RunningServer, assessor: AssessmentServiceStub
) -> None:
    """Row 27. The full tier stands still for a moment, so that the first request has to wait."""
    request, together = assess_request(), threading.Barrier(8)

    def ask(_: int) -> Failure | None:
        together.wait(10)
        try:
            assessor.AssessRisk(request, timeout=10)
        except grpc.RpcError as error:
            return read_failure(error)
        return None

    stopped = demo.send("full", signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(8) as callers:
            endings = [ending for ending in callers.map(ask, range(8)) if ending is not None]
    finally:
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGCONT)
    demo.until_capable("FULL")
    assert {(ending.code, ending.reason) for ending in endings} == {(grpc.StatusCode.ABORTED, "REQUEST_IN_PROGRESS")}
    assert all(ending.retry_after_s is not None for ending in endings)


def test_a_call_without_a_deadline_is_answered_and_told_so(assessor: AssessmentServiceStub) -> None:
    """Row 28."""
    assert "DEADLINE_NOT_SET" in issues(assessor.AssessRisk(assess_request()).assessment)
    assert "DEADLINE_NOT_SET" not in issues(assessor.AssessRisk(assess_request(), timeout=10).assessment)


def test_a_deadline_of_two_milliseconds_ends_in_an_answer_or_at_the_deadline(assessor: AssessmentServiceStub) -> None:
    """Row 28."""
    endings = set()
    for _ in range(20):
        try:
            endings.add(assessor.AssessRisk(assess_request(), timeout=0.002).assessment.answered_by.tier)
        except grpc.RpcError as error:
            endings.add(read_failure(error).code.name)
    assert endings <= {"full", "distilled", "rules", "DEADLINE_EXCEEDED"}


def test_a_tier_that_was_taken_out_is_stepped_past_unless_the_caller_insists(
    demo: RunningServer, assessor: AssessmentServiceStub, operator: OperationsServiceStub
) -> None:
    """Row 29."""
    full = {"pathway": PATHWAY, "tier": "full"}
    operator.DisableTier(operations_service_pb2.DisableTierRequest(**full, detail="conformance"), timeout=10)
    try:
        answer = assessor.AssessRisk(assess_request(), timeout=10).assessment
        assert answer.answered_by.tier == "distilled"
        assert [(each.tier, each.reason) for each in answer.degradations] == [
            ("full", tiers_pb2.REASON_OPERATOR_DISABLED)
        ]
        failed = failure_of(lambda: assessor.AssessRisk(assess_request(minimum_tier="full"), timeout=10))
        assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "TIER_UNAVAILABLE")
        assert failed.metadata["tier_reason"] == "OPERATOR_DISABLED"
        assert failed.unmet == ("TIER_UNAVAILABLE",)
        assert failed.retry_after_s is not None
        assert assessor.AssessRisk(assess_request(minimum_tier="distilled"), timeout=10).assessment.answered_by.tier
    finally:
        operator.EnableTier(operations_service_pb2.EnableTierRequest(**full), timeout=10)
    demo.until_capable("FULL")
    assert assessor.AssessRisk(assess_request(minimum_tier="full"), timeout=10).assessment.answered_by.tier == "full"


def test_the_catalogue_and_the_cards_say_what_answers(demo: RunningServer, assessor: AssessmentServiceStub) -> None:
    answer = assessor.AssessRisk(assess_request(), timeout=10).assessment
    with channel_as(demo, "viewer") as channel:
        stub = CatalogServiceStub(channel)
        (pathway,) = stub.ListPathways(catalog_service_pb2.ListPathwaysRequest(), timeout=10).pathways
        names = [tier.bundle.name for tier in pathway.tiers]
        cards = [
            stub.GetModelCard(catalog_service_pb2.GetModelCardRequest(bundle=name), timeout=10).card for name in names
        ]
    assert pathway.tiers[0].bundle == answer.answered_by.bundle
    assert [len(card.hti1) for card in cards] == [31, 31, 31]
    assert [bool(card.evidence) for card in cards] == [False, False, True]


def test_a_method_of_a_later_version_is_unimplemented(demo: RunningServer) -> None:
    with channel_as(demo) as channel:
        unary: Any = channel.unary_unary("/stepdown.api.v1.AssessmentService/ExplainRisk")
        assert failure_of(lambda: unary(b"", timeout=10)).code is grpc.StatusCode.UNIMPLEMENTED


def test_no_token_and_no_value_reaches_the_log(demo: RunningServer, assessor: AssessmentServiceStub) -> None:
    request = assess_request(encounter_token=unique("log"))
    request.subject_token = f"subject-{HIDDEN}"
    request.observations[0].value = 17.318
    assessor.AssessRisk(request, timeout=10)
    request.request_id += "-2"
    request.observations[1].subject_token = f"another-{HIDDEN}"
    failure_of(lambda: assessor.AssessRisk(request, timeout=10))
    logged = (demo.folder / "log").read_text()
    for secret in (HIDDEN, unique("log"), "17.318"):
        assert secret not in logged
