"""Drills without workers: the same port, and nobody is hurt."""

from stepdown.domain.drills import DrillRefusedError, FaultInjection, InjectedFault

START_S = 1_700_000_000.0


def injected_fault(injection: FaultInjection) -> InjectedFault:
    """The fault as put in at a fixed time."""
    return InjectedFault(injection=injection, start_time_s=START_S, end_time_s=START_S + injection.duration_s)


class FakeDrills:
    """Meets `ports.Drills`. One fault in a place; every tier has a worker, until `worker_lost` says otherwise."""

    def __init__(self) -> None:
        self.worker_lost = False
        self._injected: dict[tuple[str, ...], InjectedFault] = {}

    def inject(self, injection: FaultInjection) -> InjectedFault:
        if self.worker_lost:
            raise DrillRefusedError("the tier has no worker that serves")
        if injection.place in self._injected:
            raise DrillRefusedError("a fault is active there already")
        injected = self._injected[injection.place] = injected_fault(injection)
        return injected

    def injected(self) -> tuple[InjectedFault, ...]:
        return tuple(self._injected.values())
