"""The log: one JSON object per line, written by a thread of its own so that a slow reader never holds up an answer.

Refuses to grow: lines that nobody takes are dropped and counted, and lines that repeat are thinned out to one per
second with the number left out. Refuses what other libraries made of values: of their lines only the place and, where
the values were still apart from it, the template is written.
"""

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from threading import Lock
from types import MappingProxyType
from typing import TextIO

from stepdown.adapters.observers.log_lines import (
    Fields,
    alarm_line,
    describe_exception,
    is_routine,
    line_of,
    line_of_ledger,
)
from stepdown.domain.alarms import Alarm
from stepdown.domain.notices import Notice
from stepdown.domain.records import LedgerState
from stepdown.ports import Clock

_NAME = "stepdown"
_REPEAT_INTERVAL_S = 1.0
_QUEUED_LINES = 8192

# Lines about the server itself that somebody should act on; the others are information.
_LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "call_denied": logging.WARNING,
        "calls_cut_off": logging.WARNING,
        "certificate_nearly_expired": logging.ERROR,
        "tls_reload_failed": logging.ERROR,
    }
)


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.msg if record.name == _NAME else "library",
        }
        fields: Fields = getattr(record, "fields", {})
        return json.dumps(line | (_foreign(record) if record.name != _NAME else {}) | dict(fields), default=str)


def _foreign(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "logger": record.name,
        "place": f"{record.module}:{record.funcName}:{record.lineno}",
        "template": str(record.msg)
        if record.args
        else "",  # without arguments the text may be finished, values and all
    }
    if record.exc_info and record.exc_info[1] is not None:
        fields |= describe_exception(record.exc_info[1])
    return fields


class _BoundedQueueing(QueueHandler):
    """Hands records over without waiting; what does not fit is counted, and the next that does carries the count."""

    def __init__(self, queue: "Queue[logging.LogRecord]") -> None:
        super().__init__(queue)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record  # the usual one writes the arguments and the exception's text into the record

    def enqueue(self, record: logging.LogRecord) -> None:
        if self.dropped:
            record.fields = {**getattr(record, "fields", {}), "lines_dropped": self.dropped}
        try:
            self.queue.put_nowait(record)
        except Full:
            self.dropped += 1
        else:
            self.dropped = 0


class Thinning:
    """Lets one line per kind and interval pass, and says how many it held back before."""

    def __init__(self, *, interval_s: float, monotonic_s: Callable[[], float]) -> None:
        """Nothing has been seen yet."""
        self._interval_s = interval_s
        self._monotonic_s = monotonic_s
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}
        self._lock = Lock()

    def held_back(self, kind: tuple[str, ...]) -> int | None:
        """None when this line is to be left out; else how many of its kind were left out since the last that passed."""
        now_s = self._monotonic_s()
        with self._lock:
            passed_s, count = self._seen.get(kind, (-self._interval_s, 0))
            if now_s - passed_s < self._interval_s:
                self._seen[kind] = (passed_s, count + 1)
                return None
            self._seen[kind] = (now_s, 0)
            return count


class JsonLog:
    """The observer that writes, and the place where unexpected exceptions are put on record."""

    def __init__(self, *, stream: TextIO, clock: Clock, debug: bool = False) -> None:
        """Write to `stream`, with `debug` also a line per answer, batch and passed probe."""
        queue: Queue[logging.LogRecord] = Queue(_QUEUED_LINES)
        writer = logging.StreamHandler(stream)
        writer.setFormatter(JsonFormatter())
        self._handler = _BoundedQueueing(queue)
        self._listener = QueueListener(queue, writer)
        self._debug = debug
        # Not from the process's table of loggers: two servers in one process must not write each other's lines.
        self._logger = logging.Logger(_NAME, logging.DEBUG if debug else logging.INFO)  # noqa: LOG001
        self._logger.addHandler(self._handler)
        self._thinning = Thinning(interval_s=_REPEAT_INTERVAL_S, monotonic_s=clock.monotonic_s)
        self._listener.start()

    def notice(self, notice: Notice) -> None:
        """Write one line, unless its level is off or its like was just written."""
        if is_routine(notice) and not self._debug:
            return
        line = line_of(notice)
        if not self._logger.isEnabledFor(line.level):
            return
        fields = line.fields
        if line.repeats is not None:
            held_back = self._thinning.held_back(line.repeats)
            if held_back is None:
                return
            fields = {**fields, "repeated": held_back} if held_back else fields
        self._logger.log(line.level, line.event, extra={"fields": fields})

    def event(self, name: str, /, **fields: object) -> None:
        """Write a line about the server itself: that it is ready, draining, reloading."""
        self._logger.log(_LEVELS.get(name, logging.INFO), name, extra={"fields": fields})

    def alarm(self, alarm: Alarm, begins: bool) -> None:  # noqa: FBT001 - a listener's own shape
        """Write that an alarm stands from now on, or is over."""
        line = alarm_line(alarm, begins=begins)
        self._logger.log(line.level, line.event, extra={"fields": line.fields})

    def trouble(self, name: str, /, **fields: object) -> None:
        """Write a line about something that somebody must look at, although the server goes on."""
        self._logger.error(name, extra={"fields": fields})

    def ledger(self, state: LedgerState, detail: str) -> None:
        """Write that the ledger changed its state."""
        line = line_of_ledger(state, detail)
        self._logger.log(line.level, line.event, extra={"fields": line.fields})

    def incident(self, error: BaseException) -> str:
        """Put an unexpected exception on record and return the id under which it is found. Its text is not written."""
        incident_id = secrets.token_hex(8)
        fields = {"incident_id": incident_id, **describe_exception(error)}
        self._logger.error("incident", extra={"fields": fields})
        return incident_id

    def adopt_libraries(self) -> None:
        """Write what other libraries log as well, from warnings up. Changes the process's root logger."""
        root = logging.getLogger()
        root.setLevel(logging.WARNING)
        root.handlers = [self._handler]

    def close(self) -> None:
        """Write what is still queued and end the thread."""
        root = logging.getLogger()
        if self._handler in root.handlers:
            root.removeHandler(self._handler)
        self._listener.stop()
