"""Alarms: they begin when a check finds something, stand while it does, and end when it no longer does."""

import threading

from stepdown.adapters.self_checks import SelfChecks, Waking
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.drills import FaultInjection, InjectableFault
from tests.fakes.clock import FakeClock

ENDING = Alarm(kind=AlarmKind.CERTIFICATE_EXPIRING, subject="server", detail="ends in 5 days")
DAMAGED = Alarm(kind=AlarmKind.BUNDLE_DAMAGED, subject="sepsis-full@1.0.0", detail="DIGEST_MISMATCH")


class Checked:
    """Checks that find what a test says."""

    def __init__(self) -> None:
        self.found: list[Alarm] = []
        self.told: list[tuple[str, bool]] = []
        self.looked = threading.Semaphore(0)
        self.clock = FakeClock()
        self.checks = SelfChecks(
            {"all": self._look},
            clock=self.clock,
            period_s=3600.0,
            changed=self._changed,
        )

    def _changed(self, alarm: Alarm, begins: bool) -> None:
        self.told.append((alarm.subject, begins))

    def _look(self) -> list[Alarm]:
        self.looked.release()
        return self.found


def test_an_alarm_is_told_when_it_begins_and_when_it_is_over_and_stands_in_between() -> None:
    one = Checked()
    one.found = [ENDING]
    one.checks.look()
    (first,) = one.checks.standing()
    one.clock.advance(10)
    one.found = [DAMAGED, ENDING]
    one.checks.look()
    assert [each.alarm for each in one.checks.standing()] == [ENDING, DAMAGED]
    assert one.checks.standing()[0].since_time_s == first.since_time_s
    one.found = []
    one.checks.look()
    assert one.checks.standing() == ()
    assert one.told[:2] == [("server", True), ("sepsis-full@1.0.0", True)]
    assert sorted(one.told[2:]) == [("sepsis-full@1.0.0", False), ("server", False)]


def test_a_check_that_fails_is_an_alarm_of_its_own_and_the_others_go_on() -> None:
    def broken() -> list[Alarm]:
        raise RuntimeError("a patient's value")

    checks = SelfChecks(
        {"broken": broken, "sound": lambda: [ENDING]}, clock=FakeClock(), period_s=1.0, changed=lambda _a, _b: None
    )
    checks.look()
    assert {(each.alarm.kind, each.alarm.subject, each.alarm.detail) for each in checks.standing()} == {
        (AlarmKind.CHECK_FAILED, "broken", "RuntimeError"),
        (ENDING.kind, ENDING.subject, ENDING.detail),
    }


def test_it_looks_at_the_start_and_whenever_it_is_woken() -> None:
    one = Checked()
    one.checks.start()
    assert one.looked.acquire(timeout=10)
    one.checks.wake()
    assert one.looked.acquire(timeout=10)
    one.checks.close()


def test_one_that_was_never_started_can_be_closed() -> None:
    Checked().checks.close()


def test_what_a_drill_makes_fail_is_looked_at_at_once_and_so_is_its_recovery() -> None:
    acts: list[str] = []

    class Sufferer:
        def begin(self, injection: FaultInjection) -> None:
            acts.append(f"begin {injection.fault}")

        def end(self, injection: FaultInjection) -> None:
            acts.append(f"end {injection.fault}")

    waking = Waking(Sufferer(), wake=lambda: acts.append("look"))
    injection = FaultInjection(fault=InjectableFault.CERTIFICATE_EXPIRING, duration_s=1.0)
    waking.begin(injection)
    waking.end(injection)
    assert acts == ["begin CERTIFICATE_EXPIRING", "look", "end CERTIFICATE_EXPIRING", "look"]
