"""Who used the processors while a scenario was played: a busy machine explains what a server cannot help."""

import time
from collections.abc import Sequence

import psutil

from loadtests.record import MachineUse
from loadtests.servers import OwnServer

_IDLE = ("idle", "iowait", "guest", "guest_nice")


class MachineWatch:
    """Processor time between its making and `use`."""

    def __init__(self, servers: Sequence[OwnServer], generator_pid: int) -> None:
        """Begin. Without servers of our own theirs is not on this machine, or not known."""
        self._servers = servers
        self._generator = psutil.Process(generator_pid)
        self._cores = psutil.cpu_count() or 1
        self._begun_s = time.monotonic()
        self._busy_s = _busy_s()
        self._generator_s = _spent_s(self._generator)
        # By process and its start: a worker that dies takes its time with it, so it is looked at again and again.
        self._first: dict[tuple[int, float], float] = {}
        self._last: dict[tuple[int, float], float] = {}
        self.look()

    def look(self) -> None:
        """Take note of the processes that are there now."""
        for server in self._servers:
            for process in server.processes():
                try:
                    key, spent_s = (process.pid, process.create_time()), _spent_s(process)
                except psutil.NoSuchProcess:
                    continue
                self._first.setdefault(key, spent_s if time.monotonic() - self._begun_s < 1.0 else 0.0)
                self._last[key] = spent_s

    def use(self) -> MachineUse:
        """So far, as shares of all processors."""
        self.look()
        whole_s = (time.monotonic() - self._begun_s) * self._cores
        server_s = sum(self._last[key] - self._first[key] for key in self._last)
        try:
            generator_s = _spent_s(self._generator) - self._generator_s
        except psutil.NoSuchProcess:
            generator_s = 0.0
        others_s = max(0.0, _busy_s() - self._busy_s - server_s - generator_s)
        return MachineUse(
            cores=self._cores,
            server=server_s / whole_s,
            generator=generator_s / whole_s,
            others=others_s / whole_s,
        )


def _busy_s() -> float:
    times = psutil.cpu_times()._asdict()
    return sum(spent_s for name, spent_s in times.items() if name not in _IDLE)


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
