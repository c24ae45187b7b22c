"""The ledger's state as metrics, log lines and on the status page."""

import logging

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from stepdown.adapters.observers.ledger_metrics import LedgerCollector
from stepdown.adapters.observers.log_lines import line_of_ledger
from stepdown.domain.build import Build
from stepdown.domain.records import LedgerState
from stepdown.transport.operations_http.status_json import ServerStatus, status_json
from stepdown.transport.operations_http.status_page import status_page
from tests.fakes.ledger import ledger_status


@pytest.mark.parametrize(
    ("changes", "up"),
    [({}, 1.0), ({"state": LedgerState.UNAVAILABLE}, 0.0), ({"detail": "checkpoints are not exported"}, 0.0)],
)
def test_the_ledger_is_up_while_records_and_checkpoints_get_where_they_belong(
    changes: dict[str, object], up: float
) -> None:
    registry = CollectorRegistry()
    registry.register(LedgerCollector(lambda: ledger_status(**changes, unrecorded=4)))
    page = generate_latest(registry).decode()
    assert f"stepdown_ledger_up {up}" in page
    assert "stepdown_ledger_unrecorded_answers_total 4.0" in page


@pytest.mark.parametrize(
    ("state", "detail", "level"),
    [
        (LedgerState.WRITING, "", logging.INFO),
        (LedgerState.CLOSED, "", logging.INFO),
        (LedgerState.WRITING, "checkpoints are not exported", logging.ERROR),
        (LedgerState.UNAVAILABLE, "full", logging.ERROR),
        (LedgerState.REFUSED, "it was cut", logging.ERROR),
    ],
)
def test_a_ledger_that_does_not_write_is_an_error_in_the_log(state: LedgerState, detail: str, level: int) -> None:
    line = line_of_ledger(state, detail)
    assert (line.level, line.event, line.fields) == (level, "ledger_moved", {"state": state, "detail": detail})


def test_the_status_and_the_page_say_how_the_ledger_is_doing() -> None:
    ledger = ledger_status(state=LedgerState.UNAVAILABLE, detail="database or disk is full", waiting=3)
    server = ServerStatus(build=Build(version="1"), environment="demo", started_time_s=0.0, uptime_s=1.0, ledger=ledger)
    said = status_json(server, ())["ledger"]
    assert isinstance(said, dict)
    assert (said["state"], said["detail"], said["waiting"]) == ("UNAVAILABLE", "database or disk is full", 3)
    page = status_page(server, ())
    assert "database or disk is full" in page
    assert "3 waiting" in page
