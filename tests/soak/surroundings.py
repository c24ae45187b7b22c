"""What happens around a server and not to a tier: its disk, clock, processors and network; versions and crowds."""

import random
from collections.abc import Callable, Mapping

from stepdown.adapters.certificates import DEMO_CLIENT_IDENTITY
from stepdown.client import AssessmentError
from stepdown.client.activations import activate_bundle, rollback_bundle
from stepdown.client.drills import DrillClient, FaultOrder
from stepdown.client.encounter import DEMO_PATHWAY
from stepdown.domain.drills import InjectableFault
from tests.faults.running_server import RunningServer
from tests.soak.crowd import CROWD, Crowd
from tests.soak.server import OTHER_VERSION
from tests.soak.tally import Label, Tally

_LONGEST_S = 4.0
_DELAY_S = 0.3
# Either way: the second is less than what clocks may differ by, so that no question is as of the future.
_CLOCK_STEPS_S = (3600.0, -60.0)
_NOT_NOW = frozenset({"FAILED_PRECONDITION", "ABORTED"})


class Surroundings:
    """Acts, each of which says in words what it did. Whoever calls lets nothing else happen meanwhile."""

    def __init__(
        self, server: RunningServer, tally: Tally, *, others: Mapping[str, Label], pause: Callable[[float], object]
    ) -> None:
        """`others`: by tier, the label of the version that it can change to. `pause` waits so long, or shorter."""
        self._server = server
        self._others = others
        self._pause = pause
        self._crowd = Crowd(server, tally)

    def hurt_the_machine(self, drills: DrillClient, chance: random.Random) -> str:
        """A full disk, a clock that jumps, half of the processors, or a certificate near its end; for a while."""
        faults = ("LEDGER_DISK_FULL", "CLOCK_JUMP", "CPU_HALVED", "CERTIFICATE_EXPIRING")
        fault = InjectableFault(chance.choice(faults))
        return self._inject(
            drills,
            FaultOrder(
                fault=fault,
                duration_s=chance.uniform(0.5, _LONGEST_S),
                clock_step_s=chance.choice(_CLOCK_STEPS_S) if fault is InjectableFault.CLOCK_JUMP else 0.0,
                days_left=5 if fault is InjectableFault.CERTIFICATE_EXPIRING else 0,
                detail="soak",
            ),
        )

    def slow_the_line(self, drills: DrillClient, chance: random.Random) -> str:
        """Every answer to the good callers comes late by a little."""
        span_s = chance.uniform(0.5, _LONGEST_S)
        order = FaultOrder(
            fault=InjectableFault.NETWORK_DELAY,
            client=DEMO_CLIENT_IDENTITY,
            duration_s=span_s,
            delay_s=chance.uniform(0.05, _DELAY_S),
            detail="soak",
        )
        told = self._inject(drills, order)
        self._pause(span_s)
        return told

    def crowd(self, _drills: DrillClient, chance: random.Random) -> str:
        """One client asks for far more than its part."""
        self._crowd.press(chance.uniform(0.5, _LONGEST_S))
        return "overloaded by one client"

    def cut_off_the_crowd(self, drills: DrillClient, chance: random.Random) -> str:
        """The same, and nothing that it is told comes through."""
        span_s = chance.uniform(0.5, _LONGEST_S)
        order = FaultOrder(fault=InjectableFault.NETWORK_PARTITION, client=CROWD, duration_s=span_s, detail="soak")
        told = self._inject(drills, order)
        self._crowd.press(span_s, is_cut_off=True)
        return told

    def change_version(self, drills: DrillClient, chance: random.Random) -> str:
        """Bring the other version of a model in on trial; or, where it serves, the first one back."""
        tier, credentials = chance.choice(sorted(self._others)), self._server.credentials("operator")
        serving = next(each.sha256 for each in drills.tiers(DEMO_PATHWAY) if each.name == tier)
        address = self._server.ready["grpc"]
        try:
            if serving == self._others[tier][0]:
                rollback_bundle(address, credentials, pathway=DEMO_PATHWAY, tier=tier, detail="soak")
                return "version taken back"
            activate_bundle(
                address,
                credentials,
                pathway=DEMO_PATHWAY,
                tier=tier,
                version=OTHER_VERSION,
                detail="soak",
                canary_share=chance.uniform(0.1, 1.0),
                observation_s=chance.uniform(0.1, _LONGEST_S),
            )
        except AssessmentError as refused:
            if refused.code not in _NOT_NOW:
                raise
            return f"change of version refused: {refused.reason}"
        return "version brought in"

    def _inject(self, drills: DrillClient, order: FaultOrder) -> str:
        try:
            drills.inject(order)
        except AssessmentError as refused:
            if refused.reason != "DRILL_NOT_POSSIBLE":
                raise
            return f"{order.fault} refused: there already"
        return f"{order.fault} injected"
