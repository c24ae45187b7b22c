"""Looks at the server itself now and then, and keeps the alarms that stand.

What is looked at would be noticed too late: certificates near their end, bundles that would not survive a restart. Each
check says all that is wrong now; what it no longer says is over. Refuses to let a check that fails go unnoticed.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from stepdown.domain.alarms import Alarm, AlarmKind, StandingAlarm
from stepdown.domain.drills import FaultInjection
from stepdown.ports import Clock, Sufferer

AlarmListener = Callable[[Alarm, bool], None]
Check = Callable[[], Iterable[Alarm]]
_JOIN_S = 5.0


class SelfChecks:
    """A thread of its own makes the checks, at the start, every `period_s`, and when woken."""

    def __init__(self, checks: Mapping[str, Check], *, clock: Clock, period_s: float, changed: AlarmListener) -> None:
        """`changed` is told of each alarm that begins (True) or is over (False), on the checks' thread."""
        self._checks = checks
        self._clock = clock
        self._period_s = period_s
        self._changed = changed
        self._standing: dict[tuple[AlarmKind, str], StandingAlarm] = {}
        self._bell = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="self-checks", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wake(self) -> None:
        """Look again now; returns at once."""
        self._bell.set()

    def standing(self) -> tuple[StandingAlarm, ...]:
        """The alarms that stand, oldest first."""
        return tuple(self._standing.values())

    def look(self) -> None:
        """Make every check now. The thread does; nobody else needs to."""
        found = {(alarm.kind, alarm.subject): alarm for name in self._checks for alarm in self._made(name)}
        known, now_s = self._standing, self._clock.wall_s()
        self._standing = {
            key: StandingAlarm(alarm=alarm, since_time_s=known[key].since_time_s if key in known else now_s)
            for key, alarm in sorted(found.items(), key=lambda each: each[0] not in known)
        }
        for key in found.keys() - known.keys():
            self._changed(found[key], True)  # noqa: FBT003 - a listener's own shape
        for key in known.keys() - found.keys():
            self._changed(known[key].alarm, False)  # noqa: FBT003

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._closed:
            self._bell.clear()
            self.look()
            self._bell.wait(self._period_s)

    def _made(self, name: str) -> tuple[Alarm, ...]:
        try:
            return tuple(self._checks[name]())
        except Exception as error:  # noqa: BLE001 - what cannot be checked is itself an alarm
            return (Alarm(kind=AlarmKind.CHECK_FAILED, subject=name, detail=type(error).__name__),)


class Waking:
    """Meets `ports.Sufferer`: another, looked at as soon as it fails and as soon as it is whole again."""

    def __init__(self, sufferer: Sufferer, *, wake: Callable[[], None]) -> None:
        """`wake` has the checks made."""
        self._sufferer = sufferer
        self._wake = wake

    def begin(self, injection: FaultInjection) -> None:
        """Fail, and be seen. Raises DrillRefusedError, and nothing happened."""
        self._sufferer.begin(injection)
        self._wake()

    def end(self, injection: FaultInjection) -> None:
        """Be whole, and be seen."""
        self._sufferer.end(injection)
        self._wake()
