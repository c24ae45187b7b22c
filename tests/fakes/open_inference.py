"""Models to address over the Open Inference Protocol, and a chain that answers tensors with what it was sent.

`echo` has an input and an output of every datatype, each output a copy of its input. The sepsis pathway answers with
the heart rate of the last hour, divided by 200, as its probability, so that a test can tell rows and requests apart.
"""

from collections.abc import Mapping

import numpy as np

from stepdown.domain.assessments import Degradation
from stepdown.domain.bundles import (
    BundleKind,
    Manifest,
    ModelSpec,
    SignerIdentity,
    TensorSpec,
    TierRole,
    VerifiedBundle,
)
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.roster import Pathway, Roster, TierDescription
from tests.fakes.clinical_pathways import pathway
from tests.fakes.statuses import PATHWAY, tier_identity

ECHO = "echo"
REFUSED = "refused"
WORDS = "words"
DATATYPES = ("BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64")
ECHO_COLUMNS = 3
ECHO_ROWS = 4
GRID = (48, 40)

_CPU = (ExecutionProvider.CPU,)


def tensor(name: str, datatype: str, *row: int) -> TensorSpec:
    """A tensor of so many rows."""
    return TensorSpec(name=name, datatype=datatype, shape=(-1, *row))


def bundle(
    name: str, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...], *, maximum_batch: int = ECHO_ROWS
) -> VerifiedBundle:
    """A bundle that nobody signed and nothing runs."""
    spec = ModelSpec(
        file="model.onnx",
        external_data=(),
        maximum_batch=maximum_batch,
        minimum_placement_share=0.0,
        inputs=inputs,
        outputs=outputs,
    )
    manifest = Manifest(
        name=name,
        version="2.1.0",
        kind=BundleKind.ONNX,
        tier_role=TierRole.GENERIC,
        minimum_server_version="0.1.0",
        parent_version="",
        description="",
        model=spec,
    )
    return VerifiedBundle(
        manifest=manifest, files={}, signers=(SignerIdentity(key_id="ab" * 32, name="a-signer"),), sha256="12" * 32
    )


def generic_pathway(name: str, *tiers: TierDescription) -> Pathway:
    """A chain that takes tensors only."""
    return Pathway(name=name, budget_ms=2_000, tiers=tiers, clinical=False)


def model_tier(name: str, verified: VerifiedBundle | None, refusal: Reason | None = None) -> TierDescription:
    """A tier that runs a model, or would."""
    return TierDescription(name=name, bundle=verified, execution_providers=_CPU, refusal=refusal)


def echo_bundle() -> VerifiedBundle:
    """Every datatype in, the same out."""
    return bundle(
        "echo-model",
        tuple(tensor(f"in_{datatype}", datatype, ECHO_COLUMNS) for datatype in DATATYPES),
        tuple(tensor(f"out_{datatype}", datatype, ECHO_COLUMNS) for datatype in DATATYPES),
    )


def tensor_roster() -> Roster:
    """The sepsis pathway, `echo`, a pathway whose bundle was refused, and one whose model takes words."""
    words = bundle("words-model", (tensor("text", "BYTES", 1),), (tensor("score", "FP32", 1),))
    pathways = (
        pathway(budget_ms=2_000),
        generic_pathway(ECHO, model_tier("main", echo_bundle())),
        generic_pathway(REFUSED, model_tier("main", None, Reason.SIGNATURE_INVALID)),
        generic_pathway(WORDS, model_tier("main", words)),
    )
    return Roster(pathways={each.name: each for each in pathways})


def grid(*heart_rates: float) -> np.ndarray:
    """One row per heart rate of the last hour; all else is missing."""
    cells = np.full((len(heart_rates), *GRID), np.nan, np.float32)
    cells[:, -1, 0] = heart_rates
    return cells


def echoed(request: Request) -> Outcome:
    """The first tier, or the one addressed, answers."""
    return answered_by(request, request.only_tier or ("full" if request.pathway == PATHWAY else "main"))


def answered_by(request: Request, tier: str, *degradations: Degradation) -> Outcome:
    """This tier answers."""
    outputs = sepsis_outputs(request) if request.pathway == PATHWAY else echo_outputs(request)
    return Outcome(
        answered_by=tier_identity(tier), result=RowsResult(outputs=outputs), degradations=degradations, attempts=()
    )


def unanswered(reason: Reason, detail: str = "") -> Outcome:
    """Nobody may answer."""
    return Outcome(answered_by=None, result=None, degradations=(), attempts=(), failure=reason, failure_detail=detail)


def sepsis_outputs(request: Request) -> Mapping[str, bytes]:
    """The heart rate of the last hour as a probability; contributions and checks all zero."""
    assert request.payload is not None
    cells = np.frombuffer(request.payload.tensors[0], "<f4").reshape(-1, *GRID)
    rows = len(cells)
    return {
        "probability": (cells[:, -1, :1] / np.float32(200)).astype("<f4").tobytes(),
        "contributions": np.zeros((rows, 40), "<f4").tobytes(),
        "input_checks": np.zeros((rows, 5), "<f4").tobytes(),
    }


def echo_outputs(request: Request) -> Mapping[str, bytes]:
    """Each input as the output of its datatype."""
    assert request.payload is not None
    return {f"out_{name}": bytes(each) for name, each in zip(DATATYPES, request.payload.tensors, strict=True)}
