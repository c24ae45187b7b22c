"""How long certificates last: told in time, from the files as they are now, and wrong only for a drill."""

from pathlib import Path

import pytest

from stepdown.adapters.certificate_check import CertificateCheck
from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.domain.drills import FaultInjection, InjectableFault
from tests.fakes.clock import FakeClock

DAY_S = 86_400.0
DRILL = FaultInjection(fault=InjectableFault.CERTIFICATE_EXPIRING, duration_s=5.0, days_left=3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def check(tmp_path: Path, clock: FakeClock) -> CertificateCheck:
    pki = ensure_demo_pki(tmp_path, now_s=clock.wall_s())
    return CertificateCheck({"server": pki.server_cert, "client authorities": pki.ca}, clock=clock)


def test_what_lasts_for_long_raises_no_alarm(check: CertificateCheck) -> None:
    left = check.remaining_s()
    assert left["server"] == pytest.approx(90 * DAY_S, abs=DAY_S)
    assert left["client authorities"] > left["server"]
    assert list(check.alarms()) == []


def test_the_last_thirty_days_are_an_alarm(check: CertificateCheck, clock: FakeClock) -> None:
    clock.advance(61 * DAY_S)
    (alarm,) = check.alarms()
    assert (alarm.kind, alarm.subject) == ("CERTIFICATE_EXPIRING", "server")
    assert "server.pem ends in 29.0 days" in alarm.detail
    clock.advance(30 * DAY_S)
    (alarm,) = check.alarms()
    assert "ends in -1.0 days" in alarm.detail


def test_a_file_that_holds_no_certificate_is_an_alarm_and_has_no_end(check: CertificateCheck, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    (tmp_path / "server.pem").unlink()
    assert check.remaining_s() == {}
    assert [alarm.subject for alarm in check.alarms()] == ["server", "client authorities"]


def test_a_drill_makes_the_servers_own_certificate_seem_near_its_end_and_takes_that_back(
    check: CertificateCheck,
) -> None:
    check.begin(DRILL)
    assert check.remaining_s()["server"] == pytest.approx(3 * DAY_S)
    assert [alarm.subject for alarm in check.alarms()] == ["server"]
    check.end(DRILL)
    assert list(check.alarms()) == []
