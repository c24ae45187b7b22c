"""The chains that simulations run, with digests that tell their bundles apart."""

from stepdown.domain.bundles import BundleKind, Manifest, ModelSpec, TensorSpec, TierRole, VerifiedBundle
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.resilience.backoff import BackoffPolicy
from stepdown.resilience.circuit_breaker import BreakerPolicy
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec, TierSpec

PATHWAY = "sepsis-early-warning"
SECOND_PATHWAY = "deterioration"
MAXIMUM_BATCH = 4


def bundle(name: str, role: TierRole, *, version: str = "1.0.0") -> VerifiedBundle:
    """A bundle whose digest is its name and version; nothing in a simulation reads its bytes."""
    model = ModelSpec(
        file="model.onnx",
        external_data=(),
        maximum_batch=MAXIMUM_BATCH,
        minimum_placement_share=0.9,
        inputs=(TensorSpec(name="observations", datatype="FP32", shape=(-1, 1)),),
        outputs=(TensorSpec(name="probability", datatype="FP32", shape=(-1, 1)),),
    )
    rules = role is TierRole.RULES
    manifest = Manifest(
        name=name,
        version=version,
        kind=BundleKind.RULES if rules else BundleKind.ONNX,
        tier_role=role,
        minimum_server_version="0.1.0",
        parent_version="",
        description="",
        model=None if rules else model,
        rules_file="rules.toml" if rules else None,
    )
    return VerifiedBundle(manifest=manifest, files={}, signers=(), sha256=f"sha256-of-{name}-{version}")


FULL = TierSpec(name="full", bundle=bundle("sepsis-full", TierRole.FULL), execution_providers=(ExecutionProvider.CUDA,))
DISTILLED = TierSpec(
    name="distilled",
    bundle=bundle("sepsis-distilled", TierRole.DISTILLED),
    execution_providers=(ExecutionProvider.CPU,),
)
RULES = TierSpec(name="rules", bundle=bundle("news2", TierRole.RULES), is_rules=True)
REFUSED = TierSpec(
    name="full",
    bundle=None,
    execution_providers=(ExecutionProvider.CUDA,),
    refusal=Reason.SIGNATURE_INVALID,
    refusal_detail="simulated",
)
SMALL = TierSpec(
    name="small", bundle=bundle("deterioration", TierRole.FULL), execution_providers=(ExecutionProvider.CPU,)
)

CHAIN = PathwaySpec(name=PATHWAY, tiers=(FULL, DISTILLED, RULES))

ON_ONE_DEVICE = TierSpec(
    name="small", bundle=bundle("deterioration", TierRole.FULL), execution_providers=(ExecutionProvider.TENSORRT,)
)
BESIDE = TierSpec(
    name="full",
    bundle=bundle("beside", TierRole.FULL),
    execution_providers=(ExecutionProvider.CUDA,),
    device_id=1,
)
THIRD_PATHWAY = "readmission"

CHAINS: dict[str, tuple[PathwaySpec, ...]] = {
    "plain": (CHAIN,),
    "two pathways": (CHAIN, PathwaySpec(name=SECOND_PATHWAY, tiers=(SMALL, RULES))),
    "one device for two": (
        CHAIN,
        PathwaySpec(name=SECOND_PATHWAY, tiers=(ON_ONE_DEVICE, RULES)),
        PathwaySpec(name=THIRD_PATHWAY, tiers=(BESIDE, RULES)),
    ),
    "without rules": (PathwaySpec(name=PATHWAY, tiers=(FULL, DISTILLED)),),
    "first tier refused": (PathwaySpec(name=PATHWAY, tiers=(REFUSED, DISTILLED, RULES)),),
}

_ROLES = {"full": TierRole.FULL, "distilled": TierRole.DISTILLED, "small": TierRole.FULL, "rules": TierRole.RULES}


def version_of(pathway: str, tier: str, version: str) -> VerifiedBundle:
    """Another version of the bundle of a tier."""
    return bundle(f"{pathway}-{tier}", _ROLES[tier], version=version)


POLICY = EnginePolicy(
    reserve_share=0.0,
    watchdog_s=0.4,
    stall_s=0.05,
    steady_s=0.2,
    probe_period_s=0.6,
    probation_dwell_s=0.05,
    maximum_dwell_s=1.0,
    stable_s=5.0,
    abandon_s=1.0,
    unavailable_retry_s=2.0,
    fault_limit=8,
    fault_window_s=20.0,
    maximum_queue_rows=40,
    hedge_burst_rows=6,
    backoff=BackoffPolicy(initial_s=0.02, maximum_s=1.0),
    breaker=BreakerPolicy(window=10, minimum_results=4, open_duration_s=0.1, maximum_open_duration_s=1.0),
)
