import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepdown.cli.commands import stepdown
from stepdown.domain.records import RecordKind
from tests.fakes.ledger import FakeLedger
from tests.fakes.outcome_desks import ANSWER, outcome_desk
from tests.unit.cli.served import served

ONSET = "2026-11-01T14:02:00+01:00"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLedger]:
    kept = FakeLedger()
    with served(tmp_path, monkeypatch, outcomes=outcome_desk(kept)):
        yield kept


def run(*arguments: str, words: str = "") -> Result:
    return CliRunner().invoke(stepdown, ["outcome", *arguments], input=words)


def test_an_event_is_reported_and_its_record_named(ledger: FakeLedger) -> None:
    result = run("label", ANSWER, "--occurred", "--onset", ONSET, "--report-id", "r-1", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {"report_id": "r-1", "record_id": "hospital.example/ledger/0"}
    (draft,) = ledger.drafts
    assert (draft.kind, draft.facts["event"], draft.facts["answer"]) == (RecordKind.OUTCOME, "PREDICTED", ANSWER)


def test_what_did_not_happen_is_reported_too(ledger: FakeLedger) -> None:
    result = run("label", ANSWER, "--did-not-occur", "--event", "DEATH", "--ascertained", "2026-11-02T00:00:00Z")
    assert "on the ledger: hospital.example/ledger/0 (report " in result.output
    assert ledger.drafts[0].facts["event"] == "DEATH"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--occurred",), "--occurred needs --onset"),
        (("--did-not-occur", "--onset", ONSET), "--did-not-occur has none"),
        (("--occurred", "--onset", "yesterday"), "expected ISO 8601"),
        (("--occurred", "--onset", "2026-11-01T14:02:00"), "the offset is missing"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(ledger: FakeLedger, arguments: tuple[str, ...], said: str) -> None:
    result = run("label", ANSWER, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not ledger.drafts


def test_feedback_takes_its_words_from_standard_input(ledger: FakeLedger) -> None:
    result = run(
        "feedback", ANSWER, "--response", "OVERRIDDEN", "--reason", "OTHER_CAUSE", "--action", "REVIEWED",
        "--comment-stdin", words="the canary sang\n",
    )  # fmt: skip
    assert result.exit_code == 0
    (draft,) = ledger.drafts
    assert (draft.kind, draft.facts["response"]) == (RecordKind.FEEDBACK, "OVERRIDDEN")
    assert "canary" not in str(draft)


def test_feedback_needs_no_more_than_a_response(ledger: FakeLedger) -> None:
    assert run("feedback", ANSWER, "--response", "ACCEPTED").exit_code == 0
    assert ledger.drafts[0].facts["action"] is None


def test_a_refusal_names_the_field_and_the_remedy(ledger: FakeLedger) -> None:
    result = run("label", "elsewhere/7", "--did-not-occur")
    assert result.exit_code == 1
    assert "RECORD_UNKNOWN" in result.output
    assert "record_id: the ledger hospital.example/ledger holds no such answer" in result.output
    assert not ledger.drafts
