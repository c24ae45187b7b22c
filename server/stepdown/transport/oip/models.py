"""What can be addressed: every pathway as one model, and every tier of it as `<pathway>/<tier>`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from stepdown.domain.bundles import BundleIdentity, ModelSpec, TensorSpec
from stepdown.domain.errors import RequestRejectedError
from stepdown.domain.reasons import Reason, RejectReason
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.transport.oip.datatypes import DATATYPES
from stepdown.transport.refusals import refused

BATCH = -1
_RULES = None, "rules score coded observations, which stepdown.api.v1.AssessmentService/AssessRisk takes"


class ModelKind(Enum):
    """What stands behind a name."""

    CHAIN = auto()
    MODEL_TIER = auto()
    RULES_TIER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInterface:
    """What one can send and get. The first dimension of every tensor is the row, of which there are at most so many."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    maximum_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One addressable model.

    `tier` is empty for a chain. `interface` is None when no tensor can be sent, and `obstacle` says why; `refusal` is
    set when that is because its bundles were refused.
    `tier_outputs` holds, for each model tier that may answer, its outputs by name; `minimum_tiers` every tier that a
    request may name as the lowest it accepts.
    """

    name: str
    pathway: str
    tier: str
    kind: ModelKind
    clinical: bool
    budget_ms: int
    bundle: BundleIdentity | None
    interface: TensorInterface | None
    obstacle: str = ""
    refusal: Reason | None = None
    model_file: str = ""
    minimum_tiers: tuple[str, ...] = ()
    tier_outputs: Mapping[str, Mapping[str, TensorSpec]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The bundle's version; a chain has none of its own."""
        return self.bundle.version if self.bundle is not None else ""


def served_models(roster: Roster) -> Mapping[str, ServedModel]:
    """Every model by its name, each chain before its tiers; always as the roster is."""
    return _ServedModels(roster)


class _ServedModels(Mapping[str, ServedModel]):
    """Described once for each state of the roster, which changes when another version has taken a tier over."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._described = _described(tuple(roster.pathways.values()))

    def __getitem__(self, name: str) -> ServedModel:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, ServedModel]:
        served = tuple(self._roster.pathways.values())
        if served != self._described[0]:
            self._described = _described(served)
        return self._described[1]


def _described(served: tuple[Pathway, ...]) -> tuple[tuple[Pathway, ...], Mapping[str, ServedModel]]:
    return served, {model.name: model for pathway in served for model in _models(pathway)}


def find_model(models: Mapping[str, ServedModel], *, name: str, version: str) -> ServedModel:
    """The model of that name, in the version asked for (empty: any). Raises RequestRejectedError."""
    model = models.get(name)
    if model is None:
        raise _unknown_model(of_pathway=name.partition("/")[0] in models)
    if version not in {"", model.version}:
        known = f"version {model.version}" if model.version else "no version of its own"
        text = f"{model.name} has {known}. Leave model_version empty, or name the version served."
        raise refused(RejectReason.BUNDLE_UNKNOWN, field="model_version", description=text)
    return model


def _unknown_model(*, of_pathway: bool) -> RequestRejectedError:
    reason = RejectReason.TIER_UNKNOWN if of_pathway else RejectReason.PATHWAY_UNKNOWN
    what = "This pathway has no tier of that name" if of_pathway else "There is no model of that name"
    text = f"{what}. A model is <pathway> or <pathway>/<tier>; RepositoryIndex lists them."
    return refused(reason, field="model_name", description=text)


def _models(pathway: Pathway) -> Iterator[ServedModel]:
    yield _served(pathway, pathway.models, kind=ModelKind.CHAIN)
    for tier in pathway.tiers:
        yield _served(pathway, (tier,), kind=ModelKind.RULES_TIER if tier.is_rules else ModelKind.MODEL_TIER)


def _served(pathway: Pathway, members: tuple[TierDescription, ...], *, kind: ModelKind) -> ServedModel:
    """One name for one tier, or for all the model tiers of a chain."""
    specs = {tier.name: spec for tier in members if (spec := _spec(tier)) is not None}
    interface, obstacle = _shared_interface(tuple(specs.values())) if kind is not ModelKind.RULES_TIER else _RULES
    alone = members[0] if kind is not ModelKind.CHAIN else None
    return ServedModel(
        name=pathway.name if alone is None else f"{pathway.name}/{alone.name}",
        pathway=pathway.name,
        tier="" if alone is None else alone.name,
        kind=kind,
        clinical=pathway.clinical,
        budget_ms=pathway.budget_ms,
        bundle=alone.bundle.identity if alone is not None and alone.bundle is not None else None,
        interface=interface,
        obstacle=obstacle,
        refusal=None if specs else next((tier.refusal for tier in members if tier.refusal is not None), None),
        model_file=specs[alone.name].file if alone is not None and specs else "",
        minimum_tiers=tuple(tier.name for tier in pathway.tiers) if alone is None else (),
        tier_outputs={name: _by_name(spec.outputs) for name, spec in specs.items()},
    )


def _spec(tier: TierDescription) -> ModelSpec | None:
    return tier.bundle.manifest.model if tier.bundle is not None else None


def _shared_interface(specs: tuple[ModelSpec, ...]) -> tuple[TensorInterface | None, str]:
    """What every one of these models takes and gives, or why there is no such thing."""
    if not specs:
        return None, "no verified bundle is loaded"
    first = specs[0]
    if any(_shapes(spec.inputs) != _shapes(first.inputs) for spec in specs):  # in order too: payloads are sent in it
        return None, "its tiers take different inputs; address one tier"
    given = [set(_shapes(spec.outputs)) for spec in specs]
    shared = tuple(output for output in first.outputs if all(_shape(output) in outputs for outputs in given))
    obstacle = next(filter(None, map(_obstacle, (*first.inputs, *shared))), "")
    if obstacle:
        return None, obstacle
    limit = min(spec.maximum_batch for spec in specs)
    return TensorInterface(inputs=first.inputs, outputs=shared, maximum_batch=limit), ""


def _obstacle(tensor: TensorSpec) -> str:
    if tensor.datatype not in DATATYPES:
        return f"{tensor.name} is of datatype {tensor.datatype}, which is not served"
    if tensor.shape[:1] != (BATCH,) or any(size < 0 for size in tensor.shape[1:]):
        return f"{tensor.name} has a dimension without a fixed size beside its rows, which is not served"
    return ""


def _shape(tensor: TensorSpec) -> tuple[str, str, tuple[int, ...]]:
    return tensor.name, tensor.datatype, tensor.shape


def _shapes(tensors: tuple[TensorSpec, ...]) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
    return tuple(map(_shape, tensors))


def _by_name(tensors: tuple[TensorSpec, ...]) -> Mapping[str, TensorSpec]:
    return {tensor.name: tensor for tensor in tensors}
