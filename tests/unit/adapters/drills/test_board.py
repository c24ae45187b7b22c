"""Faults around the workers: one in a place, ended by time and by nobody's leave, and never left behind."""

import threading

import pytest

from stepdown.adapters.drills.board import DrillBoard
from stepdown.adapters.drills.clock import SteppingClock
from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectableFault, InjectedFault
from tests.fakes.drills import FakeDrills


class Suffering:
    """Remembers what was done to it."""

    def __init__(self, *, refuses: bool = False, cannot_end: bool = False) -> None:
        self.refuses = refuses
        self.cannot_end = cannot_end
        self.acts: list[str] = []

    def begin(self, injection: FaultInjection) -> None:
        if self.refuses:
            raise DrillRefusedError("not here")
        self.acts.append(f"begin {injection.fault}")

    def end(self, injection: FaultInjection) -> None:
        self.acts.append(f"end {injection.fault}")
        if self.cannot_end:
            raise OSError("stuck")


class Boarded:
    """A board, and what it told."""

    def __init__(self, sufferer: Suffering) -> None:
        self.workers = FakeDrills()
        self.told: list[tuple[InjectableFault, str]] = []
        self.incidents: list[Exception] = []
        self.over = threading.Event()
        self.board = DrillBoard(
            workers=self.workers,
            sufferers={InjectableFault.CPU_HALVED: sufferer, InjectableFault.SIGNATURE_BROKEN: sufferer},
            ended=self._ended,
            incident=self.incidents.append,
        )

    def _ended(self, injected: InjectedFault, how: str) -> None:
        self.told.append((injected.injection.fault, how))
        self.over.set()


def halved(duration_s: float = 60.0) -> FaultInjection:
    return FaultInjection(fault=InjectableFault.CPU_HALVED, duration_s=duration_s)


def of_a_tier(fault: InjectableFault) -> FaultInjection:
    return FaultInjection(pathway="ward", tier="full", fault=fault, duration_s=60.0)


def test_a_fault_ends_by_itself_and_that_is_told() -> None:
    sufferer = Suffering()
    boarded = Boarded(sufferer)
    boarded.board.inject(halved(0.01))
    assert boarded.over.wait(10)
    assert sufferer.acts == ["begin CPU_HALVED", "end CPU_HALVED"]
    assert boarded.told == [(InjectableFault.CPU_HALVED, "taken back")]
    assert boarded.board.injected() == ()


def test_a_second_fault_in_the_same_place_is_refused_whoever_suffers_the_first() -> None:
    sufferer = Suffering()
    boarded = Boarded(sufferer)
    boarded.board.inject(halved())
    boarded.board.inject(of_a_tier(InjectableFault.WORKER_STOPPED))
    for again in (halved(), of_a_tier(InjectableFault.SIGNATURE_BROKEN)):
        with pytest.raises(DrillRefusedError, match="active there already"):
            boarded.board.inject(again)
    assert sufferer.acts == ["begin CPU_HALVED"]
    assert {each.injection.fault for each in boarded.board.injected()} == {
        InjectableFault.CPU_HALVED,
        InjectableFault.WORKER_STOPPED,
    }
    boarded.board.close()


def test_a_fault_that_is_refused_leaves_nothing() -> None:
    boarded = Boarded(Suffering(refuses=True))
    with pytest.raises(DrillRefusedError, match="not here"):
        boarded.board.inject(halved())
    assert (boarded.board.injected(), boarded.told) == ((), [])


def test_a_fault_that_nothing_here_could_suffer_is_refused() -> None:
    boarded = Boarded(Suffering())
    with pytest.raises(DrillRefusedError, match="nothing that could suffer it"):
        boarded.board.inject(FaultInjection(fault=InjectableFault.LEDGER_DISK_FULL, duration_s=1.0))
    assert boarded.workers.injected() == ()


def test_a_server_that_stops_takes_back_what_is_in_and_only_once() -> None:
    sufferer = Suffering()
    boarded = Boarded(sufferer)
    boarded.board.inject(halved())
    boarded.board.close()
    boarded.board.close()
    assert sufferer.acts == ["begin CPU_HALVED", "end CPU_HALVED"]
    assert boarded.told == [(InjectableFault.CPU_HALVED, "the server stopped")]


def test_a_fault_that_cannot_be_taken_back_is_an_incident() -> None:
    boarded = Boarded(Suffering(cannot_end=True))
    boarded.board.inject(halved())
    boarded.board.close()
    assert [str(error) for error in boarded.incidents] == ["stuck"]


def test_the_wall_clock_jumps_and_the_other_does_not() -> None:
    clock = SteppingClock()
    jump = FaultInjection(fault=InjectableFault.CLOCK_JUMP, duration_s=1.0, clock_step_s=-3600.0)
    wall_s, steady_s = clock.wall_s(), clock.monotonic_s()
    clock.begin(jump)
    assert clock.wall_s() - wall_s == pytest.approx(-3600, abs=60)
    assert 0 <= clock.monotonic_s() - steady_s < 60
    clock.end(jump)
    assert clock.wall_s() - wall_s == pytest.approx(0, abs=60)
