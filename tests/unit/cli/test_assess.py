import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import unstyle
from click.testing import CliRunner, Result
from rich.console import Console

from stepdown.cli import assess as room
from stepdown.cli.assess import assess
from stepdown.domain.assessments import Degradation
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.errors import FieldViolation, RequestRejectedError
from stepdown.domain.reasons import Reason, RejectReason
from tests.fakes.chain import by_rules
from tests.fakes.clinical_pathways import by_model
from tests.unit.cli.served import served
from tests.unit.client.fhir_resources import bundle, observation, patient
from tests.unit.client.stay_text import row, written
from tests.unit.transport.grpc_side import GrpcSide

RATE = FieldViolation(field="encounter_token", reason=RejectReason.ENCOUNTER_RATE_LIMITED, description="wait a little")
LOST = Degradation(tier="full", reason=Reason.WORKER_LOST)


@pytest.fixture
def side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GrpcSide]:
    monkeypatch.setenv("COLUMNS", "100")
    with served(tmp_path, monkeypatch) as serving:
        yield serving


@pytest.fixture
def stay(tmp_path: Path) -> Path:
    return written(tmp_path, *(row(ICULOS=hour + 1, SBP=110 - 10 * hour) for hour in range(3)))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(assess, [*map(str, arguments), "--pause", "0", "--timeout", "5"])


def test_a_record_is_replayed_hour_by_hour_into_a_table(side: GrpcSide, stay: Path) -> None:
    side.chain.answer = lambda _request: by_model(0.04, LOST, tier="distilled")
    result = run("--record", stay)
    assert result.exit_code == 0
    assert "stay: every hour as the server saw it" in result.output
    rows = [line.split("│") for line in result.output.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line[1:7]] for line in rows]
    assert [line[0] for line in cells] == ["1", "2", "3"]
    # A systolic pressure of 110, 100 and 90 in someone otherwise well: NEWS2 1, 2 and 3.
    assert [line[1] for line in cells] == ["1", "2", "3"]
    assert {tuple(line[2:6]) for line in cells} == {("0.040", "LOW_MEDIUM", "distilled", "full: WORKER_LOST")}


def test_rules_give_a_band_and_no_number(side: GrpcSide, stay: Path) -> None:
    side.chain.answer = by_rules
    result = run("--record", stay)
    first = next(line for line in result.output.splitlines() if line.startswith("│"))
    assert [cell.strip() for cell in first.split("│")[3:6]] == ["-", "LOW", "rules"]


def test_json_is_one_document_per_answer(side: GrpcSide, stay: Path) -> None:
    side.chain.answer = lambda _request: by_model(0.25)
    lines = [json.loads(line) for line in run("--record", stay, "--json").output.splitlines()]
    assert [line["hour"] for line in lines] == [1, 2, 3]
    assert lines[0] | {"latency_ms": 0} == {
        "hour": 1,
        "band": "HIGH",
        "probability": 0.25,
        "news2": "1",
        "tier": "full",
        "bundle": "sepsis-full 1.0.0",
        "sha256": "ab" * 32,
        "why": "",
        "latency_ms": 0,
    }


def test_a_fhir_bundle_is_one_answer(side: GrpcSide, tmp_path: Path) -> None:
    side.chain.answer = lambda _request: by_model(0.01)
    path = tmp_path / "ward.json"
    path.write_text(json.dumps(bundle(patient(), observation())), encoding="utf-8")
    result = run("--fhir", path)
    assert result.exit_code == 0
    assert "ward: as of its newest observation" in result.output
    assert len([line for line in result.output.splitlines() if line.startswith("│")]) == 1


def test_a_terminal_shows_the_newest_rows_and_the_count(
    side: GrpcSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    side.chain.answer = by_rules
    monkeypatch.setattr(room, "Console", lambda: Console(force_terminal=True, width=100, height=50))
    path = written(tmp_path, *(row(ICULOS=hour + 1) for hour in range(30)))
    result = run("--record", path)
    assert result.exit_code == 0
    shown = unstyle(result.output)
    assert "30 hours, 30 answers" in shown
    last_frame = shown.rsplit("stay: every hour", 1)[1]
    assert "│   30 │" in last_frame
    assert "│    6 │" not in last_frame


def test_what_was_answered_before_a_failure_is_shown_with_the_failure(side: GrpcSide, stay: Path) -> None:
    def answer_twice(_request: Request) -> Outcome:
        if len(side.chain.submitted) == 2:
            side.claims.rate_refusal = RequestRejectedError(reason=RATE.reason, violations=(RATE,), retry_after_s=1.5)
        return by_model(0.01)

    side.chain.answer = answer_twice
    result = run("--record", stay)
    assert len([line for line in result.output.splitlines() if line.startswith("│")]) == 2
    assert result.exit_code == 1
    assert "RESOURCE_EXHAUSTED ENCOUNTER_RATE_LIMITED" in result.output


def test_a_refusal_lists_what_to_mend(side: GrpcSide, tmp_path: Path) -> None:
    result = run("--record", written(tmp_path, row(Age=200)))
    assert side.chain.submitted == []
    assert result.exit_code == 1
    assert "INVALID_ARGUMENT AGE_REQUIRED" in result.output
    assert "  indication.age_years: required: age in years, from 0 to 125" in result.output


@pytest.mark.usefixtures("side")
def test_a_faulty_file_ends_the_command_with_the_place(tmp_path: Path) -> None:
    result = run("--record", written(tmp_path, row(HR="fast")))
    assert result.exit_code == 1
    assert result.output == "Error: stay.psv: line 2: HR: must be a number, or NaN where nothing was charted\n"
    path = tmp_path / "ward.json"
    path.write_text("{}", encoding="utf-8")
    assert run("--fhir", path).output == "Error: ward.json: not a FHIR Bundle: no list named entry\n"


@pytest.mark.usefixtures("side")
def test_exactly_one_record_is_asked_for(stay: Path) -> None:
    for arguments in ((), ("--record", stay, "--fhir", stay)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "give either --record FILE.psv or --fhir FILE.json" in result.output
