"""An engine whose first tier gets a new version, for tests that are sentences."""

from dataclasses import replace

from stepdown.domain.activations import ActivationState, ActivationStatus
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.engine_effects import BatchKind, DispatchBatch, DispatchProbe, Effect
from stepdown.domain.engine_events import (
    BatchCompleted,
    BundleActivated,
    BundleRolledBack,
    ProbeCompleted,
    TimePassed,
)
from stepdown.domain.notices import ActivationMoved
from stepdown.domain.tensors import RowsResult
from stepdown.serving.engine.pathway import Pathway
from stepdown.serving.engine.policy import PathwaySpec, TierSpec
from stepdown.serving.engine.snapshot import snapshot
from stepdown.serving.engine.tier import Tier
from tests.simulation.chain import CHAIN, PATHWAY, POLICY
from tests.unit.serving.engine.bench_engine import EngineBench

OBSERVATION_S = 5.0
RESULT = RowsResult(outputs={"probability": b"1234"})


def version(number: str, *, of: str = "full") -> VerifiedBundle:
    """The tier's bundle in another version."""
    bundle = next(tier.bundle for tier in CHAIN.tiers if tier.name == of)
    assert bundle is not None
    return replace(bundle, manifest=replace(bundle.manifest, version=number), sha256=f"{of}-{number}")


NEW = version("1.1.0")
OLD = version("1.0.0")


class CanaryBench(EngineBench):
    """A chain that serves, and the hand that brings versions in."""

    def __init__(self, *specs: TierSpec) -> None:
        super().__init__(pathways=(PathwaySpec(name=PATHWAY, tiers=specs or CHAIN.tiers),))
        self.mute: set[int] = set()
        self._proved = 0
        self.first = {tier.name: tier.bundle.sha256 for tier in CHAIN.tiers if tier.bundle is not None}

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass; every probe but a mute worker's is answered well as soon as it is sent."""
        end_s, effects = self.now_s + seconds, self._prove_all()
        while self.engine.next_due_s() <= end_s:
            self.now_s = max(self.now_s, self.engine.next_due_s())
            effects += self.send(TimePassed()) + self._prove_all()
        self.now_s = max(self.now_s, end_s)
        return effects

    def _prove_all(self) -> list[Effect]:
        effects: list[Effect] = []
        for probe in self.of(DispatchProbe)[self._proved :]:
            if probe.worker not in self.mute:
                event = ProbeCompleted(worker=probe.worker, sequence=probe.sequence, error="", compute_s=0.001)
                effects += self.send(event)
        self._proved = len(self.of(DispatchProbe))
        return effects

    @property
    def pathway(self) -> Pathway:
        return self.engine.pathways[PATHWAY]

    @property
    def full(self) -> Tier:
        return self.pathway.tier("full")

    def activate(self, *, share: float = 0.1, observation_s: float = OBSERVATION_S, of: str = "full") -> None:
        new = version("1.1.0", of=of)
        event = BundleActivated(pathway=PATHWAY, tier=of, bundle=new, canary_share=share, observation_s=observation_s)
        self.engine.check(event)
        self.send(event)

    def roll_back(self, *, of: str = "full") -> None:
        event = BundleRolledBack(pathway=PATHWAY, tier=of, detail="a colleague doubts it")
        self.engine.check(event)
        self.send(event)

    def canary(self, *, share: float = 0.1, observation_s: float = OBSERVATION_S) -> None:
        """Both models serve, and a new version of the first is on trial."""
        self.serve("full", "distilled")
        self.activate(share=share, observation_s=observation_s)
        self.prove_new()

    def prove_new(self) -> None:
        self.ready("full")
        self.wait((POLICY.probation_probes + 1) * POLICY.probation_probe_period_s)

    def end_trial(self) -> None:
        """The time of observation is over."""
        self.pathway.candidates[0].observed_until_s = self.now_s
        self.send(TimePassed())

    def status(self, *, of: str = "full") -> ActivationStatus:
        tiers = snapshot(self.engine, now_s=self.now_s, wall_s=self.now_s)[0].tiers
        activation = next(tier.activation for tier in tiers if tier.name == of)
        assert activation is not None
        return activation

    def told(self) -> list[ActivationState]:
        return [
            notice.activation.state for notice in self.notices(ActivationMoved) if isinstance(notice, ActivationMoved)
        ]

    def batches(self) -> list[DispatchBatch]:
        return [batch for batch in self.of(DispatchBatch) if batch.kind is BatchKind.LIVE]

    def complete(self, batch: DispatchBatch, *results: RowsResult) -> None:
        given = results or (RESULT,) * len(batch.payloads)
        self.send(BatchCompleted(worker=batch.worker, sequence=batch.sequence, results=given, compute_s=0.001))

    def ask_and_answer(self) -> str:
        """One request, answered at once; returns the digest of the version that answered."""
        before = len(self.batches())
        self.ask(self.request())
        (batch,) = self.batches()[before:]
        self.complete(batch)
        identity = self.outcomes()[-1].answered_by
        assert identity is not None
        return identity.bundle.sha256

    def digest(self) -> str:
        """Who answered last."""
        identity = self.outcomes()[-1].answered_by
        assert identity is not None
        return identity.bundle.sha256
