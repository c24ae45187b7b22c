"""Models described: metadata, configuration, index. Refuses to promise what is not served."""

from collections.abc import Mapping
from typing import TypeAlias

from stepdown.api.oip import metadata_pb2, repository_pb2
from stepdown.api.oip import model_configuration_pb2 as configuration
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.status import TierStatus
from stepdown.domain.tiers import TierState
from stepdown.transport.oip.datatypes import DATATYPES
from stepdown.transport.oip.models import ModelKind, ServedModel
from stepdown.transport.oip.parameters import URGENCIES

IndexEntry: TypeAlias = repository_pb2.RepositoryIndexResponse.ModelIndex

SERVER_NAME = "stepdown"
EXTENSIONS = ("model_configuration", "parameters", "schedule_policy", "statistics")

READY = "READY"
LOADING = "LOADING"
UNAVAILABLE = "UNAVAILABLE"

_PLATFORM: Mapping[ModelKind, str] = {
    ModelKind.CHAIN: "stepdown_chain",
    ModelKind.MODEL_TIER: "onnxruntime_onnx",
    ModelKind.RULES_TIER: "stepdown_rules",
}
_BACKEND: Mapping[ModelKind, str] = {
    ModelKind.CHAIN: "stepdown",
    ModelKind.MODEL_TIER: "onnxruntime",
    ModelKind.RULES_TIER: "stepdown",
}
_STATES: Mapping[TierState, str] = {
    TierState.STARTING: LOADING,
    TierState.PROBATION: LOADING,
    TierState.SERVING: READY,
}
_US_PER_MS = 1_000


def metadata_of(model: ServedModel) -> metadata_pb2.ModelMetadataResponse:
    """Inputs and outputs; none where no tensor can be sent."""
    interface = model.interface
    return metadata_pb2.ModelMetadataResponse(
        name=model.name,
        versions=[model.version] if model.version else [],
        platform=_PLATFORM[model.kind],
        inputs=map(_tensor, interface.inputs) if interface is not None else (),
        outputs=map(_tensor, interface.outputs) if interface is not None else (),
    )


def configuration_of(model: ServedModel) -> configuration.ModelConfig:
    """How the model is set up, in the terms that clients of Triton read: dimensions without the rows."""
    interface = model.interface
    described = configuration.ModelConfig(
        name=model.name,
        platform=_PLATFORM[model.kind],
        backend=_BACKEND[model.kind],
        default_model_filename=model.model_file,
        version_policy=configuration.ModelVersionPolicy(latest=configuration.ModelVersionPolicy.Latest(num_versions=1)),
        model_transaction_policy=configuration.ModelTransactionPolicy(decoupled=False),
    )
    for name, fact in _facts(model).items():
        described.parameters[name].string_value = fact
    if interface is None:
        return described
    described.max_batch_size = interface.maximum_batch
    for spec in interface.inputs:
        described.input.add(name=spec.name, data_type=DATATYPES[spec.datatype].configured, dims=spec.shape[1:])
    for spec in interface.outputs:
        described.output.add(name=spec.name, data_type=DATATYPES[spec.datatype].configured, dims=spec.shape[1:])
    described.dynamic_batching.CopyFrom(_batching(model))
    return described


def index_entry(model: ServedModel, tiers: Mapping[str, TierStatus]) -> IndexEntry:
    """One line of the index. `tiers` are the present states of the model's pathway by name."""
    state, reason = state_of(model, tiers)
    return IndexEntry(name=model.name, version=model.version, state=state, reason=reason)


def state_of(model: ServedModel, tiers: Mapping[str, TierStatus]) -> tuple[str, str]:
    """READY, LOADING or UNAVAILABLE, and why it is not READY.

    A chain is as ready as its readiest model tier: without one it cannot answer tensors, whatever its rules can do.
    """
    if model.kind is ModelKind.CHAIN:
        return _chain_state(model, tiers)
    tier = tiers.get(model.tier)
    if tier is None:
        return UNAVAILABLE, "not configured"
    state = _STATES.get(tier.state, UNAVAILABLE)
    if state == READY and model.interface is None and model.kind is ModelKind.MODEL_TIER:
        return UNAVAILABLE, model.obstacle
    return state, "" if state == READY else _why(tier)


def _chain_state(model: ServedModel, tiers: Mapping[str, TierStatus]) -> tuple[str, str]:
    if model.interface is None:
        return UNAVAILABLE, model.obstacle
    own = [tiers[name] for name in model.tier_outputs if name in tiers]
    states = {_STATES.get(tier.state, UNAVAILABLE) for tier in own}
    if READY in states:
        return READY, ""
    return LOADING if LOADING in states else UNAVAILABLE, "; ".join(f"{tier.name}: {_why(tier)}" for tier in own)


def _why(tier: TierStatus) -> str:
    parts = (tier.reason.value if tier.reason is not None else tier.state.value, tier.detail)
    return ": ".join(part for part in parts if part)


def _facts(model: ServedModel) -> dict[str, str]:
    """What a reader of the configuration should know that the protocol has no field for."""
    facts = {"pathway": model.pathway}
    if model.bundle is not None:
        facts |= {
            "bundle": model.bundle.name,
            "digest": f"sha256:{model.bundle.sha256}",
            "signer": ",".join(model.bundle.signers),
        }
    if model.kind is ModelKind.CHAIN:
        facts["tiers"] = ",".join(model.minimum_tiers)
        facts["answered_by"] = ",".join(model.tier_outputs)
    if model.interface is None:
        facts["takes_no_tensors"] = model.obstacle
    elif model.kind is ModelKind.CHAIN and model.clinical:
        facts["rules"] = "Rules do not score tensors: when no model tier can answer, the call ends UNAVAILABLE."
    return facts


def _batching(model: ServedModel) -> configuration.ModelDynamicBatching:
    return configuration.ModelDynamicBatching(
        max_queue_delay_microseconds=0,
        priority_levels=len(URGENCIES) - 1,
        default_priority_level=len(URGENCIES) - 1,
        default_queue_policy=configuration.ModelQueuePolicy(
            timeout_action=configuration.ModelQueuePolicy.REJECT,
            default_timeout_microseconds=model.budget_ms * _US_PER_MS,
            allow_timeout_override=True,
        ),
    )


def _tensor(spec: TensorSpec) -> metadata_pb2.ModelMetadataResponse.TensorMetadata:
    return metadata_pb2.ModelMetadataResponse.TensorMetadata(name=spec.name, datatype=spec.datatype, shape=spec.shape)
