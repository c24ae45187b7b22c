"""A short campaign in every test run; `python -m tests.fuzz` is the long one."""

import pytest

from stepdown.transport.authorization import METHOD_ROLES
from tests.fuzz.campaign import Campaign, FoundError
from tests.fuzz.edge import edge

REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def test_a_short_campaign_finds_nothing() -> None:
    campaign = Campaign(seed=1)
    campaign.run(1_500)
    for method in ("AssessRisk", "RecordOutcome"):
        assert campaign.statuses[method, "OK"] > 0
        assert campaign.statuses[method, "INVALID_ARGUMENT"] > 0
    assert campaign.counts["ledger record"] > 20


def test_every_method_of_the_table_is_among_the_targets() -> None:
    with edge() as side:
        assert set(side.methods) == set(METHOD_ROLES) - {REFLECTION}


def test_a_defect_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("stepdown.transport.servicers.provenance._page_size", broken)
    with pytest.raises(FoundError, match="/ListRecords: ValueError from"):
        Campaign(seed=1).run(3_000, ledger_share=0.0)
