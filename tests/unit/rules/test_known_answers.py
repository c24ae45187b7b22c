import json
from typing import Any

import pytest

from stepdown.domain.errors import RuleSetError
from stepdown.rules.known_answers import mismatches, parse_known_answers, require_known_answers
from tests.unit.rules.rule_bundles import rule_set

KNOWN: dict[str, Any] = {
    "name": "raised",
    "inputs": {"parameters": {"Lactate": 2.1}},
    "expected": {
        "total": 1,
        "minimum_total": 1,
        "maximum_total": 1,
        "band": "MEDIUM",
        "classification": "raised",
        "complete": True,
        "missing": [],
        "points": {"Lactate": 1},
    },
}


def changed(**expected: object) -> bytes:
    return json.dumps([{**KNOWN, "expected": {**KNOWN["expected"], **expected}}]).encode()


def test_a_rule_set_that_gives_every_known_answer_has_no_mismatch() -> None:
    assert mismatches(rule_set("lactate"), parse_known_answers(changed())) == ()


@pytest.mark.parametrize(
    ("key", "value", "got"),
    [
        ("total", 2, 1),
        ("total", None, 1),
        ("minimum_total", 0, 1),
        ("maximum_total", 2, 1),
        ("band", "INDETERMINATE", "MEDIUM"),
        ("classification", "normal", "raised"),
        ("complete", False, True),
        ("missing", ["Lactate"], []),
        ("points", {"Lactate": None}, [("Lactate", 1)]),
        ("points", {}, [("Lactate", 1)]),
        ("ratio", 0.5, None),
    ],
)
def test_every_part_of_a_result_is_compared(key: str, value: object, got: object) -> None:
    (line,) = mismatches(rule_set("lactate"), parse_known_answers(changed(**{key: value})))
    assert line.startswith(f"lactate@1.0.0: raised: {key} is {got!r}, known to be ")


def test_a_case_can_state_an_old_reading_and_its_time() -> None:
    stale = {"status": "stale", "observed_time_s": 5.0}
    case = {
        **KNOWN,
        "inputs": {"spo2_scale": 2, "parameters": {"Lactate": stale}},
        "expected": {
            **KNOWN["expected"],
            "total": None,
            "minimum_total": 0,
            "maximum_total": 2,
            "band": "INDETERMINATE",
            "classification": "not-assessed",
            "complete": False,
            "missing": ["Lactate"],
            "points": {"Lactate": None},
        },
    }
    assert mismatches(rule_set("lactate"), parse_known_answers(json.dumps([case]).encode())) == ()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"null",
        json.dumps([{**KNOWN, "name": ""}]).encode(),
        json.dumps([{**KNOWN, "note": "x"}]).encode(),
        changed(band="SEVERE"),
        changed(total="1"),
        changed(total=1.5),
        json.dumps([{**KNOWN, "inputs": {"parameters": {"Lactate": float("nan")}}}]).encode(),
        json.dumps([{**KNOWN, "inputs": {"parameters": {"Lactate": {"status": "lost"}}}}]).encode(),
        json.dumps([{"name": "x", "inputs": {"parameters": {}}}]).encode(),
    ],
    ids=range(13),
)
def test_what_is_not_a_list_of_known_answers_is_refused(text: bytes) -> None:
    with pytest.raises(RuleSetError, match="known answers: "):
        parse_known_answers(text)


def test_a_rule_set_must_give_every_known_answer_before_it_answers_anyone() -> None:
    require_known_answers(rule_set("lactate"), changed())
    with pytest.raises(RuleSetError, match=r"lactate@1\.0\.0: raised: total is 1, known to be 2"):
        require_known_answers(rule_set("lactate"), changed(total=2))
