"""Lines come out as JSON, thinned when they repeat, and nothing that a value could hide in comes out at all."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from threading import Event
from typing import Any

import pytest

from stepdown.adapters.observers import log
from stepdown.adapters.observers.log import JsonLog, Thinning
from stepdown.domain.notices import TierFault
from stepdown.domain.reasons import Reason
from tests.fakes.statuses import PATHWAY, answer_given

FAULT = TierFault(pathway=PATHWAY, tier="full", reason=Reason.WORKER_LOST, detail="signal 9")


class HandClock:
    def __init__(self) -> None:
        self.now_s = 10.0

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return 1_700_000_000.0 + self.now_s


class Written:
    """A log to write to, and what it wrote."""

    def __init__(self, *, debug: bool = False) -> None:
        self.clock = HandClock()
        self.stream = StringIO()
        self.log = JsonLog(stream=self.stream, clock=self.clock, debug=debug)

    def lines(self) -> list[dict[str, Any]]:
        self.log.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_event_and_fields() -> None:
    written = Written()
    written.log.notice(FAULT)
    (line,) = written.lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "event": "tier_fault",
        "pathway": PATHWAY,
        "tier": "full",
        "reason": "WORKER_LOST",
        "detail": "signal 9",
    }


def test_a_detail_cannot_forge_a_line() -> None:
    written = Written()
    forged = TierFault(pathway=PATHWAY, tier="full", reason=Reason.WORKER_LOST, detail='x"}\n{"event":"ready"}')
    written.log.notice(forged)
    (line,) = written.lines()
    assert line["detail"] == forged.detail


def test_answers_are_written_only_when_asked_for() -> None:
    quiet, chatty = Written(), Written(debug=True)
    for written in (quiet, chatty):
        written.log.notice(answer_given())
    assert quiet.lines() == []
    assert [line["event"] for line in chatty.lines()] == ["request_answered"]


def test_lines_that_repeat_are_thinned_to_one_per_second_and_the_next_says_how_many_were_left_out() -> None:
    written = Written()
    for step_s in (0.0, 0.3, 0.3, 0.5, 2.0):
        written.clock.now_s += step_s
        written.log.notice(FAULT)
    assert [line.get("repeated") for line in written.lines()] == [None, 2, None]


def test_an_incident_is_found_by_its_id_and_does_not_say_what_the_exception_said() -> None:
    written = Written()
    try:
        raise RuntimeError("heart rate 181")  # noqa: TRY301 - it has to be raised to have frames
    except RuntimeError as error:
        incident_id = written.log.incident(error)
    (line,) = written.lines()
    assert (line["event"], line["level"], line["incident_id"]) == ("incident", "error", incident_id)
    assert line["exception"] == "builtins.RuntimeError"
    assert "181" not in written.stream.getvalue()


def test_two_incidents_have_two_ids() -> None:
    written = Written()
    assert written.log.incident(ValueError()) != written.log.incident(ValueError())
    written.log.close()


def test_events_of_the_server_itself() -> None:
    written = Written()
    written.log.event("draining", in_flight=3)
    (line,) = written.lines()
    assert (line["event"], line["in_flight"], line["level"]) == ("draining", 3, "info")


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    root.handlers, root.level = handlers, level


def test_other_libraries_say_where_they_spoke_and_never_a_value(root_logger: logging.Logger) -> None:
    written = Written()
    written.log.adopt_libraries()
    library = logging.getLogger("some.library")
    library.error("failed for %s", "subject-7")
    library.error("finished text with subject-8")
    library.info("not loud enough")
    try:
        raise ValueError("subject-9")  # noqa: TRY301 - as above
    except ValueError:
        library.exception("while serving %s", "subject-10")
    lines = written.lines()
    assert [line["event"] for line in lines] == ["library"] * 3
    assert [line["template"] for line in lines] == ["failed for %s", "", "while serving %s"]
    assert lines[1]["place"].startswith("test_log:test_other_libraries")
    assert lines[2]["exception"] == "builtins.ValueError"
    assert "subject-" not in written.stream.getvalue()
    assert root_logger.handlers == []


def test_a_stream_that_nobody_reads_costs_lines_and_not_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_QUEUED_LINES", 4)
    stream = StalledStream()
    written = JsonLog(stream=stream, clock=HandClock())
    for number in range(40):
        written.event("tick", number=number)
    stream.released.set()
    while not stream.caught_up(4):
        stream.wrote.wait(5)
        stream.wrote.clear()
    written.event("after")
    written.close()
    last = json.loads(stream.getvalue().splitlines()[-1])
    assert last["event"] == "after"
    assert last["lines_dropped"] >= 40 - 4 - 2


class StalledStream(StringIO):
    """A pipe whose reader sleeps until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = Event()
        self.wrote = Event()

    def write(self, text: str) -> int:
        self.released.wait(5)
        written = super().write(text)
        self.wrote.set()
        return written

    def caught_up(self, lines: int) -> bool:
        return self.getvalue().count("\n") >= lines


def test_thinning_keeps_kinds_apart() -> None:
    thinning = Thinning(interval_s=1.0, monotonic_s=lambda: 5.0)
    assert thinning.held_back(("a",)) == 0
    assert thinning.held_back(("b",)) == 0
    assert thinning.held_back(("a",)) is None
