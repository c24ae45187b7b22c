"""What the documents promise is shown by a test that exists, and what is not shown yet says so."""

import csv
import re
from functools import cache

import pytest

from tests.architecture.source_tree import ROOT, functions

RESILIENCE = ROOT / "docs" / "resilience.md"
HAZARDS = ROOT / "docs" / "safety" / "hazards.csv"
MATRIX = ROOT / "docs" / "safety" / "README.md"
NAMED = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
NOT_YET = "not yet"
ROWS = {"A": 9, "B": 8, "C": 5, "D": 8, "E": 8, "F": 8, "G": 6}
SEVERITIES = ("minor", "significant", "considerable", "major", "catastrophic")
LIKELIHOODS = ("very low", "low", "medium", "high", "very high")


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the functions that a file of tests really holds."""
    file = ROOT / path
    return frozenset(function.name for function in functions(file)) if file.exists() else frozenset()


def missing(text: str) -> list[str]:
    """Tests that a text names and that are not there."""
    return [f"{path}::{name}" for path, name in NAMED.findall(text) if name not in names_in(path)]


def table_rows() -> dict[str, str]:
    """The lines of the failure tables by their id."""
    lines = RESILIENCE.read_text(encoding="utf-8").splitlines()
    return {found[1]: line for line in lines if (found := re.match(r"\| ([A-G]\d) \|", line))}


def hazards() -> list[dict[str, str]]:
    with HAZARDS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def risk(severity: str, likelihood: str) -> str:
    """By the matrix that the page beside the log shows."""
    (line,) = (line for line in MATRIX.read_text(encoding="utf-8").splitlines() if re.match(rf"\| {severity} \|", line))
    return line.split("|")[2 + LIKELIHOODS.index(likelihood)].strip()


def test_every_test_that_the_promises_name_exists() -> None:
    text = RESILIENCE.read_text(encoding="utf-8")
    assert len(NAMED.findall(text)) > 50
    assert missing(text) == []


def test_every_failure_has_its_row_and_each_row_a_test_of_its_name_or_says_not_yet() -> None:
    rows = table_rows()
    assert list(rows) == [f"{letter}{number + 1}" for letter, count in ROWS.items() for number in range(count)]
    for row, line in rows.items():
        named = NAMED.findall(line)
        assert named or NOT_YET in line, row
        file = f"tests/faults/test_rows_{row[0].lower()}.py"
        assert all(path == file and name.startswith(f"test_{row.lower()}_") for path, name in named), row


def test_every_rehearsed_failure_is_promised() -> None:
    promised = set(NAMED.findall(RESILIENCE.read_text(encoding="utf-8")))
    for letter in ROWS:
        path = f"tests/faults/test_rows_{letter.lower()}.py"
        rehearsed = {(path, name) for name in names_in(path) if name.startswith("test_")}
        assert rehearsed <= promised


def test_the_hazard_log_is_whole_and_numbered() -> None:
    log = hazards()
    assert [hazard["id"] for hazard in log] == [f"H{number}" for number in range(1, 18)]
    assert all(value.strip() for hazard in log for value in hazard.values())


@pytest.mark.parametrize("hazard", hazards(), ids=lambda hazard: hazard["id"])
def test_every_control_names_its_evidence_or_says_not_yet(hazard: dict[str, str]) -> None:
    evidence = [part.strip() for part in hazard["evidence"].split(";")]
    assert evidence == [NOT_YET] or all(NAMED.fullmatch(part) for part in evidence)
    assert missing(hazard["evidence"]) == []


@pytest.mark.parametrize("hazard", hazards(), ids=lambda hazard: hazard["id"])
def test_risks_are_those_of_the_matrix_and_no_control_raises_one(hazard: dict[str, str]) -> None:
    assert hazard["severity"] in SEVERITIES
    assert hazard["risk"] == risk(hazard["severity"], hazard["likelihood"])
    assert hazard["residual_risk"] == risk(hazard["severity"], hazard["residual_likelihood"])
    assert int(hazard["residual_risk"]) <= int(hazard["risk"])


def test_a_hazard_whose_control_is_not_there_keeps_its_risk() -> None:
    open_ones = [hazard for hazard in hazards() if hazard["evidence"] == NOT_YET]
    assert [hazard["id"] for hazard in open_ones if int(hazard["residual_risk"]) < int(hazard["risk"])] == []


def test_a_name_that_no_test_has_is_found() -> None:
    assert missing("`tests/architecture/test_promises.py::test_that_nobody_wrote`") != []
    assert missing("`tests/architecture/test_absent.py::test_a`") != []
    assert missing("`tests/architecture/test_promises.py::test_a_name_that_no_test_has_is_found`") == []
