"""The guides for integrators and operators name everything that there is to know, and nothing that is not there."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
import tomli_w
from google.protobuf import text_format
from pydantic import BaseModel

from stepdown import settings
from stepdown.adapters.observers.alarm_metrics import AlarmCollector
from stepdown.adapters.observers.exposition import Metrics
from stepdown.adapters.system_clock import SystemClock
from stepdown.api.v1.assessment_service_pb2 import AssessRiskRequest
from stepdown.api.v1.assessments_pb2 import Assessment
from stepdown.domain.build import Build
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason, RejectReason
from stepdown.domain.tiers import Capability, TierState
from stepdown.settings.schema import Settings
from stepdown.transport.authorization import Role
from stepdown.transport.codec.requests import RequestLimits, decode_request
from stepdown.transport.health import ServedNames, health_of
from stepdown.transport.status import NO_TIER_ANSWERED, TIER_UNAVAILABLE, code_of
from tests.architecture.source_tree import ROOT, package_files, parsed
from tests.fakes.clinical_pathways import clinical_pathway
from tests.fakes.ledger import ledger_status
from tests.fakes.statuses import PATHWAY, TIERS, pathway_status, tier_status

INTEGRATION = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
WORD = re.compile(r"`([^`]+)`")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LOGGED_BY = frozenset({"event", "_event", "trouble", "_trouble"})
_LIBRARY_LINE = "library"


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the one table whose head begins like this, without the head."""
    (start,) = (number for number, line in enumerate(text.splitlines()) if line.startswith(heading))
    rows = []
    for line in text.splitlines()[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def words(rows: Iterable[list[str]], column: int = 0) -> list[str]:
    """Every word in code marks of a column, row by row."""
    return [word for row in rows for word in WORD.findall(row[column])]


def blocks(text: str, language: str) -> list[str]:
    """Every fenced block in a language."""
    return [block for marked, block in FENCED.findall(text) if marked == language]


# --- the integration guide --------------------------------------------------------------------------------------------


def split_issues() -> tuple[list[str], list[str]]:
    """The issues that drop an observation, and those that flag one: the wire's order parts them."""
    issues = [issue.value for issue in InputIssue]
    parting = issues.index(InputIssue.CLOCK_SKEW)
    return issues[:parting], issues[parting:]


def test_every_issue_of_input_is_explained_with_its_remedy() -> None:
    section = INTEGRATION.partition("## 4. ")[2].partition("## 5. ")[0]
    dropped, _, flagged = section.partition("**Flagged.**")
    heading = "| Issue | What it means | Remedy |"
    assert (words(table(dropped, heading)), words(table(flagged, heading))) == split_issues()


def test_every_refusal_is_explained_with_its_code_and_remedy() -> None:
    section = INTEGRATION.partition("**Refused requests.**")[2].partition("**No answer.**")[0]
    rows = table(section, "| Reason | Code | Remedy |")
    assert words(rows) == [reason.value for reason in RejectReason]
    assert words(rows, 1) == [code_of(reason).name for reason in RejectReason]
    assert all(row[2] for row in rows)


def test_every_way_to_have_no_answer_is_explained() -> None:
    rows = table(INTEGRATION.partition("**No answer.**")[2], "| Reason | Code | Remedy |")
    others = {Reason.DEADLINE_TOO_SHORT, Reason.QUEUE_FULL, Reason.INPUT_UNSUITABLE, Reason.INTERNAL_FAULT}
    assert set(words(rows)) == {TIER_UNAVAILABLE, NO_TIER_ANSWERED, "UNAUTHENTICATED", "PERMISSION_DENIED", *others}


def test_every_abstention_is_explained() -> None:
    rows = table(INTEGRATION, "| Abstention | What it means | What to do |")
    assert words(rows) == [reason.value for reason in AbstentionReason]


def test_every_degradation_is_explained() -> None:
    assert words(table(INTEGRATION, "| Reason | Why the tier did not answer |")) == [reason.value for reason in Reason]


@pytest.mark.parametrize("guide", [INTEGRATION, OPERATIONS], ids=["integration", "operations"])
def test_every_role_is_explained(guide: str) -> None:
    heading = next(line for line in guide.splitlines() if line.startswith("| Role |"))
    assert {row[0].strip("`") for row in table(guide, heading)} == {role.value for role in Role}


def test_the_example_request_is_taken_whole() -> None:
    example, _ = blocks(INTEGRATION, "textproto")
    request = decode_request(text_format.Parse(example, AssessRiskRequest()), limits=RequestLimits())
    assert request.as_of_time_s is not None
    prepared = clinical_pathway().prepare(request, received_time_s=request.as_of_time_s)
    assert (prepared.intake.dropped, prepared.intake.flags, prepared.abstained) == ((), (), False)
    assert prepared.rules is not None
    assert prepared.rules.complete


def test_the_example_answer_is_one() -> None:
    _, example = blocks(INTEGRATION, "textproto")
    assert text_format.Parse(example, Assessment()).rules_assessment.hard_trigger


# --- the operations guide ---------------------------------------------------------------------------------------------


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the configuration with its default, as the guide names it."""
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        if get_origin(kind) in {tuple, UnionType}:
            kind = get_args(kind)[0]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from sections(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", "required" if field.is_required() else field.default


def as_written(default: object) -> str:
    """A default as the guide writes it."""
    if default == "required" or isinstance(default, bool | int | float):
        return f"{default:g}" if isinstance(default, float) else str(default).lower()
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    return f"`{default}`" if default else '`""`'


def test_every_setting_stands_in_the_reference_with_its_default() -> None:
    rows = table(OPERATIONS, "| Key | Default | Meaning |")
    written = {row[0].strip("`"): row[1] for row in rows}
    assert written == {key: as_written(default) for key, default in sections(Settings)}
    assert all(row[2] for row in rows)


def test_the_example_configuration_is_taken(tmp_path: Path) -> None:
    (example,) = blocks(OPERATIONS, "toml")
    document = tomllib.loads(example)
    keys = (document["ledger"]["signing_key"], document["ledger"]["digest_key"])
    for path in (*list(document["server"]["tls"].values())[:3], document["trust"]["policy"], *keys):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("here")
    for path in document["trust"]["bundle_directories"]:
        (tmp_path / path).mkdir()
    taken = settings.parse(tomli_w.dumps(document), folder=tmp_path, file="stepdown.toml")
    assert taken.environment == "production"


def test_every_state_and_capability_is_explained() -> None:
    rows = table(OPERATIONS, "| State | What it means | What to do |")
    assert words(rows) == [state.value for state in TierState]
    named = WORD.findall(OPERATIONS.partition("A pathway's capability:")[2])
    assert named[: len(Capability)] == [capability.value for capability in Capability]


def test_there_is_something_to_do_about_every_reason() -> None:
    rows = table(OPERATIONS, "| Reason | What happened | By itself | At 3 a.m. |")
    assert words(rows) == [reason.value for reason in Reason]
    silent = [row[0] for row in rows if not row[3]]
    assert silent == [f"`{Reason.DRIFT_SUSPENDED.value}`"]


@pytest.mark.parametrize("guide", [INTEGRATION, OPERATIONS], ids=["integration", "operations"])
def test_every_health_name_is_explained(guide: str) -> None:
    status = pathway_status(tier_status(name="full"))
    names = health_of((status,), ServedNames(services=frozenset(), clinical=frozenset({PATHWAY})))
    patterns = {name.replace(PATHWAY, "<name>") if name.startswith("pathway/") else name for name in names}
    patterns = {"tier/<pathway>/<tier>" if name.startswith("tier/") else name for name in patterns}
    heading = next(line for line in guide.splitlines() if line.startswith(("| Service name |", "| Where | Says |")))
    explained = {word.strip('"') for word in words(table(guide, heading))}
    assert {name for name in explained if not name.startswith("/")} == patterns


@cache
def exposed_metrics() -> dict[str, frozenset[str]]:
    """Every metric that the server makes itself, with its labels; from the families, not from what has happened."""
    clock, build = SystemClock(), Build(version="0")
    metrics = Metrics(tiers=TIERS, status=lambda: (pathway_status(),), clock=clock, build=build, environment="demo")
    metrics.watch_ledger(ledger_status)
    found: dict[str, frozenset[str]] = {}
    metrics.watch(AlarmCollector(alarms=tuple, certificates_s=lambda: {"server": 1.0}, injected=tuple))
    body, _ = metrics.exposition("")
    for line in body.decode().splitlines():
        helped = re.match(r"# HELP (stepdown_\w+|nv_\w+) ", line)
        if helped:
            found[helped[1]] = frozenset()
        sample = re.match(r"(\w+?)(?:_bucket|_sum|_count)?\{(.*)\} ", line)
        if sample:
            labels = frozenset(re.findall(r'(\w+)="', sample[2])) - {"le"}
            for name in (sample[1], line.partition("{")[0]):
                if name in found:
                    found[name] |= labels
    return found


def test_every_metric_is_explained_and_no_other() -> None:
    rows = table(OPERATIONS, "| Metric | Labels | Meaning |")
    assert set(words(rows)) == set(exposed_metrics())


def test_the_labels_of_a_metric_are_those_that_it_has() -> None:
    for row in table(OPERATIONS, "| Metric | Labels | Meaning |"):
        (name,) = WORD.findall(row[0])
        seen = exposed_metrics()[name]
        # A counter of what has not happened yet shows no labels.
        assert not seen or seen == frozenset(WORD.findall(row[1])), name


def logged_events() -> set[str]:
    """Every name that the package gives to a line of its log."""
    return {
        name.value
        for path in package_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        for name in _event_of(node)
        if isinstance(name, ast.Constant) and isinstance(name.value, str)
    }


def _event_of(call: ast.Call) -> Iterator[ast.expr]:
    """What a call names as the event that it logs, if it logs one; either of two where a condition decides."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    named = [keyword.value for keyword in call.keywords if called == "LogLine" and keyword.arg == "event"]
    named += call.args[:1] if called in LOGGED_BY else []
    for name in named:
        yield from (name.body, name.orelse) if isinstance(name, ast.IfExp) else (name,)


def test_every_line_of_the_log_is_explained_and_no_other() -> None:
    rows = table(OPERATIONS, "| Event | Level | What it tells |")
    assert set(words(rows)) == logged_events() | {"incident", _LIBRARY_LINE}


def test_events_are_found_whatever_decides_on_them() -> None:
    assert {"ready", "tier_moved", "probe_failed", "probe_passed", "tier_enabled"} <= logged_events()


# --- both -------------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a Markdown text's headings, as a forge makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("guide", [INTEGRATION, OPERATIONS], ids=["integration", "operations"])
def test_every_anchor_is_there(guide: str) -> None:
    own = set(re.findall(r"\]\(#([^)]+)\)", guide))
    assert own - anchors(guide) == set()
    assert set(re.findall(r"\]\(operations\.md#([^)]+)\)", guide)) - anchors(OPERATIONS) == set()
    assert set(re.findall(r"\]\(integration\.md#([^)]+)\)", guide)) - anchors(INTEGRATION) == set()
