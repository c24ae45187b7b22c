import threading
from pathlib import Path

import pytest

from stepdown.adapters.evidence.keeper import EvidenceKeeper
from stepdown.domain.alarms import AlarmKind
from stepdown.domain.errors import TrustError
from stepdown.trust.evidence import Demand, EvidenceKind
from stepdown.trust.refusal import TrustRule
from tests.fakes.clock import FakeClock
from tests.unit.trust.test_evidence import EC_KEY, POLICY, pem


class Machine:
    """Collects what the test says."""

    def __init__(self) -> None:
        self.failures: dict[str, TrustError] = {}

    def collect(self, demand: Demand) -> None:
        if demand.name in self.failures:
            raise self.failures[demand.name]

    def fail(self, name: str, rule: TrustRule) -> None:
        self.failures[name] = TrustError(rule=rule, detail="as told")


class Bench:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "evidence.toml"
        self.file.write_text(POLICY)
        (folder / "ak.pem").write_bytes(pem(EC_KEY))
        self.machine, self.clock = Machine(), FakeClock()
        self.lost = 0
        self.looked = threading.Event()
        self.changes: list[tuple[str, str]] = []
        self.keeper = EvidenceKeeper(
            self.file,
            dict.fromkeys(EvidenceKind, self.machine),
            clock=self.clock,
            lost=self.count,
            changed=lambda name, problem: self.changes.append((name, problem)),
        )

    def count(self) -> None:
        self.lost += 1
        self.looked.set()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_machine_that_proves_itself_lacks_nothing(bench: Bench) -> None:
    bench.keeper.look()
    assert (bench.keeper.lacking("sepsis-full"), bench.lost, bench.changes) == ("", 0, [])
    assert list(bench.keeper.alarms()) == []


def test_evidence_that_is_refused_counts_no_more_at_once_and_again_when_it_is_given(bench: Bench) -> None:
    bench.keeper.look()
    bench.machine.fail("gpu", TrustRule.EVIDENCE_REFUSED)
    bench.keeper.look()
    assert bench.keeper.lacking("sepsis-full") == "gpu: EVIDENCE_REFUSED: as told"
    assert bench.keeper.lacking("sepsis-distilled") == ""
    assert (bench.lost, bench.changes) == (1, [("gpu", "EVIDENCE_REFUSED: as told")])
    (alarm,) = bench.keeper.alarms()
    assert (alarm.kind, alarm.subject) == (AlarmKind.EVIDENCE_MISSING, "gpu")
    del bench.machine.failures["gpu"]
    bench.keeper.look()
    assert bench.keeper.lacking("sepsis-full") == ""
    assert bench.changes[-1] == ("gpu", "")


def test_evidence_that_cannot_be_collected_counts_until_it_is_too_old(bench: Bench) -> None:
    bench.keeper.look()
    bench.machine.fail("ward-server", TrustRule.EVIDENCE_UNAVAILABLE)
    bench.clock.advance(60.0)
    bench.keeper.look()
    assert (bench.keeper.lacking("any"), bench.lost) == ("", 0)
    bench.clock.advance(1.0)
    bench.keeper.look()
    assert bench.keeper.lacking("any").startswith("ward-server: EVIDENCE_STALE: 61 s old; EVIDENCE_UNAVAILABLE")
    assert bench.lost == 1


def test_evidence_that_never_came_is_lacking(bench: Bench) -> None:
    bench.machine.fail("ward-server", TrustRule.EVIDENCE_UNAVAILABLE)
    bench.keeper.look()
    assert bench.keeper.lacking("any") == "ward-server: EVIDENCE_UNAVAILABLE: as told"


def test_a_policy_is_read_again_at_each_look_and_a_broken_one_changes_nothing_but_alarms(bench: Bench) -> None:
    bench.keeper.look()
    bench.file.write_text(POLICY.replace('names = ["*"]', 'names = ["other"]'))
    bench.machine.fail("ward-server", TrustRule.EVIDENCE_REFUSED)
    bench.keeper.look()
    assert (bench.keeper.lacking("any"), bench.keeper.lacking("other") != "") == ("", True)
    bench.file.write_text("nonsense")
    bench.keeper.look()
    assert bench.keeper.lacking("other") != ""
    assert [alarm.subject for alarm in bench.keeper.alarms()] == ["ward-server", "policy"]


def test_a_policy_without_its_key_is_refused_at_the_start(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ak.pem").unlink()
    with pytest.raises(TrustError, match="attestation_key"):
        EvidenceKeeper(bench.file, {}, clock=bench.clock, lost=bench.count, changed=lambda _name, _problem: None)


def test_a_thread_of_its_own_looks_until_it_is_closed(bench: Bench) -> None:
    bench.machine.fail("gpu", TrustRule.EVIDENCE_REFUSED)
    bench.keeper.start()
    assert bench.looked.wait(60.0)
    assert bench.keeper.lacking("sepsis-full") != ""
    bench.keeper.close()


def test_one_that_was_never_started_can_be_closed(bench: Bench) -> None:
    bench.keeper.close()
