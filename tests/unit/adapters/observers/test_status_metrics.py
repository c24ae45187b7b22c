"""The state as gauges, and how long each capability lasted."""

from prometheus_client import CollectorRegistry

from stepdown.adapters.observers.status_metrics import StatusCollector
from stepdown.domain.notices import CapabilityChanged
from stepdown.domain.status import PathwayStatus
from stepdown.domain.tiers import Capability, TierState
from tests.fakes.statuses import PATHWAY, answer_given, pathway_status, suspended_tier, tier_status
from tests.unit.adapters.observers.scraping import Samples, samples, value

FULL = {"pathway": PATHWAY, "tier": "full"}


class World:
    """A clock and a status that a test moves by hand."""

    def __init__(self, *pathways: PathwayStatus) -> None:
        self.now_s = 100.0
        self.pathways = pathways
        self.registry = CollectorRegistry()
        self.collector = StatusCollector(
            status=lambda: self.pathways, monotonic_s=lambda: self.now_s, pathways=(PATHWAY,)
        )
        self.registry.register(self.collector)

    def scrape(self) -> Samples:
        return samples(self.registry)

    def turn(self, previous: Capability, capability: Capability) -> None:
        self.collector.notice(CapabilityChanged(pathway=PATHWAY, previous=previous, capability=capability))
        self.pathways = (pathway_status(capability=capability),)


def test_exactly_one_state_and_one_capability_is_one() -> None:
    found = World(pathway_status(tier_status(state=TierState.PROBATION), capability=Capability.RULES_ONLY)).scrape()
    states = {state: value(found, "stepdown_tier_state", **FULL, state=state) for state in TierState}
    assert states == {state: float(state is TierState.PROBATION) for state in TierState}
    kinds = {kind: value(found, "stepdown_pathway_capability", pathway=PATHWAY, capability=kind) for kind in Capability}
    assert kinds == {kind: float(kind is Capability.RULES_ONLY) for kind in Capability}


def test_the_numbers_of_a_serving_tier() -> None:
    found = World(pathway_status(tier_status(placement_share=0.75, probe_error="", breaker="CLOSED"))).scrape()
    assert value(found, "stepdown_tier_probe_age_seconds", **FULL) == 0.75
    assert value(found, "stepdown_tier_placement_ratio", **FULL) == 0.75
    assert value(found, "stepdown_tier_queued_rows", **FULL) == 3
    assert value(found, "stepdown_tier_in_flight_rows", **FULL) == 2
    assert value(found, "stepdown_tier_probe_failing", **FULL) == 0
    assert value(found, "stepdown_tier_breaker_open", **FULL) == 0
    assert value(found, "stepdown_worker_restarts_total", **FULL) == 1


def test_what_is_not_known_has_no_sample_rather_than_a_zero() -> None:
    found = World(pathway_status(suspended_tier(probe_error="no answer", breaker="OPEN"))).scrape()
    assert value(found, "stepdown_tier_probe_age_seconds", **FULL) is None
    assert value(found, "stepdown_tier_placement_ratio", **FULL) is None
    assert value(found, "stepdown_tier_probe_failing", **FULL) == 1
    assert value(found, "stepdown_tier_breaker_open", **FULL) == 1


def test_time_is_charged_to_the_capability_in_which_it_passed() -> None:
    world = World(pathway_status(capability=Capability.NONE))
    world.now_s = 102.0
    world.turn(Capability.NONE, Capability.FULL)
    world.now_s = 112.0
    world.turn(Capability.FULL, Capability.DEGRADED)
    world.now_s = 115.5
    found = world.scrape()
    spent = {
        kind: value(found, "stepdown_pathway_capability_seconds_total", pathway=PATHWAY, capability=kind)
        for kind in Capability
    }
    assert spent == {
        Capability.NONE: 2.0,
        Capability.FULL: 10.0,
        Capability.DEGRADED: 3.5,
        Capability.RULES_ONLY: 0.0,
    }


def test_other_notices_and_other_pathways_charge_nothing() -> None:
    world = World(pathway_status())
    world.now_s = 103.0
    world.collector.notice(answer_given())
    world.collector.notice(CapabilityChanged(pathway="elsewhere", previous=Capability.FULL, capability=Capability.NONE))
    found = world.scrape()
    assert value(found, "stepdown_pathway_capability_seconds_total", pathway=PATHWAY, capability="FULL") == 3.0
    assert value(found, "stepdown_pathway_capability_seconds_total", pathway="elsewhere", capability="NONE") is None


def test_registering_asks_for_no_status() -> None:
    def not_yet() -> tuple[PathwayStatus, ...]:
        raise AssertionError("asked before the first scrape")

    collector = StatusCollector(status=not_yet, monotonic_s=lambda: 0.0, pathways=(PATHWAY,))
    CollectorRegistry().register(collector)
    assert tuple(collector.describe()) == ()
