"""A bundle that is denied while it serves: out at once, its callers answered by the next tier, and back by nobody."""

import pytest

from stepdown.domain.activations import ActivationState
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.engine_effects import KillWorker
from stepdown.domain.engine_events import BundleDenied, TierDisabled, TierEnabled, TimePassed
from stepdown.domain.notices import TierMoved
from stepdown.domain.reasons import Reason
from stepdown.domain.status import SupportingStatus
from stepdown.domain.tiers import Capability, TierState
from stepdown.serving.engine.policy import PathwaySpec
from tests.simulation.chain import CHAIN, PATHWAY
from tests.unit.serving.engine.bench_canary import NEW, CanaryBench
from tests.unit.serving.engine.bench_engine import EngineBench

DETAIL = "KEY_DENIED: key 12 is on the denylist"


@pytest.fixture
def bench() -> CanaryBench:
    return CanaryBench()


def deny(bench: CanaryBench, sha256: str) -> None:
    bench.send(BundleDenied(sha256=sha256, detail=DETAIL))


def test_a_serving_tier_stops_at_once_with_its_own_reason_and_the_next_one_answers(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    bench.ask(bench.request(budget_s=5.0))
    worker = bench.worker("full")
    deny(bench, bench.first["full"])
    assert worker in [order.worker for order in bench.of(KillWorker)]
    assert (bench.full.state, bench.full.reason, bench.full.detail) == (
        TierState.REFUSED,
        Reason.BUNDLE_DENIED,
        DETAIL,
    )
    bench.reply("distilled")
    outcome = bench.outcomes()[-1]
    assert [(each.tier, each.reason) for each in outcome.degradations] == [("full", Reason.BUNDLE_DENIED)]
    assert bench.pathway.capability is Capability.DEGRADED
    assert bench.ask_and_answer() == bench.first["distilled"]


def test_it_does_not_start_again_however_long_one_waits_or_enables_it(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    deny(bench, bench.first["full"])
    bench.wait(3600.0)
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    bench.wait(60.0)
    assert bench.full.state is TierState.REFUSED


def test_a_disabled_tier_stays_disabled_and_is_refused_when_it_is_given_back(bench: CanaryBench) -> None:
    bench.serve("full", "distilled")
    bench.send(TierDisabled(pathway=PATHWAY, tier="full", detail="x"))
    deny(bench, bench.first["full"])
    assert bench.state("full") == "DISABLED"
    bench.send(TierEnabled(pathway=PATHWAY, tier="full"))
    assert (bench.state("full"), bench.full.reason) == ("REFUSED", Reason.BUNDLE_DENIED)


def test_a_version_on_trial_is_taken_back_and_the_tier_itself_goes_on(bench: CanaryBench) -> None:
    bench.canary()
    deny(bench, NEW.sha256)
    assert (bench.status().state, bench.status().reason) == (ActivationState.ROLLED_BACK, Reason.BUNDLE_DENIED)
    assert bench.ask_and_answer() == bench.first["full"]


def test_a_new_version_goes_on_when_the_one_it_is_to_replace_is_denied(bench: CanaryBench) -> None:
    bench.canary(observation_s=1.0)
    deny(bench, bench.first["full"])
    bench.wait(2.0)
    assert (bench.full.state, bench.status().state) == (TierState.SERVING, ActivationState.PROMOTED)
    assert bench.ask_and_answer() == NEW.sha256


def test_a_version_that_could_be_brought_back_cannot_any_more(bench: CanaryBench) -> None:
    bench.canary()
    bench.end_trial()
    held = bench.full.previous
    assert held is not None
    assert {bundle.sha256 for bundle in bench.engine.verified_bundles()} >= {NEW.sha256, bench.first["full"]}
    deny(bench, held.sha256)
    assert bench.engine.pathways[PATHWAY].tier("full").previous is None
    assert bench.state("full") == "SERVING"


def test_a_version_on_its_way_out_ends_without_its_last_answers(bench: CanaryBench) -> None:
    bench.canary()
    bench.ask(bench.request(budget_s=5.0))
    bench.end_trial()
    assert bench.pathway.leaving
    deny(bench, bench.first["full"])
    bench.send(TimePassed())
    assert not bench.pathway.leaving
    moves = [notice.state for notice in bench.notices(TierMoved) if isinstance(notice, TierMoved)]
    assert TierState.REFUSED not in moves


def test_denied_rules_answer_no_more(bench: CanaryBench) -> None:
    deny(bench, bench.first["rules"])
    assert (bench.state("rules"), bench.pathway.capability) == ("REFUSED", Capability.NONE)


def test_denied_evidence_beside_the_rules_is_shown_as_refused() -> None:
    identity = BundleIdentity(name="mews", version="1.0.0", sha256="e" * 64, signers=())
    beside = (
        SupportingStatus(name="mews", state=TierState.SERVING, bundle=identity),
        SupportingStatus(name="sirs", state=TierState.REFUSED, reason=Reason.NOT_CONFIGURED),
    )
    bench = EngineBench(pathways=(PathwaySpec(name=PATHWAY, tiers=CHAIN.tiers, supporting=beside),))
    bench.send(BundleDenied(sha256="e" * 64, detail=DETAIL))
    now = bench.engine.pathways[PATHWAY].supporting
    assert [(each.state, each.reason) for each in now] == [
        (TierState.REFUSED, Reason.BUNDLE_DENIED),
        (TierState.REFUSED, Reason.NOT_CONFIGURED),
    ]
