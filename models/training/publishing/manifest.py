"""Write `manifest.toml`: which graph, which tensors, what the number means and where the bands begin."""

from dataclasses import dataclass

import tomli_w

from models.training.columns import COLUMN_COUNT, NAMES, WINDOW_H
from models.training.published import (
    CHECK_LABELS,
    CONTRIBUTIONS,
    FLAG_AT,
    INPUT_CHECKS,
    MODEL_FILE,
    OBSERVATIONS,
    PROBABILITY,
    REFUSE_AT,
)

MAXIMUM_BATCH = 64
MINIMUM_PLACEMENT_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFacts:
    """What differs between two bundles; `thresholds` maps a band to its lowest probability."""

    name: str
    version: str
    tier_role: str
    description: str
    population: str
    thresholds: dict[str, float]
    with_contributions: bool


def manifest(facts: ManifestFacts) -> bytes:
    """Return the manifest as TOML."""
    contributions = [{"name": CONTRIBUTIONS, "datatype": "FP32", "shape": [-1, COLUMN_COUNT], "labels": list(NAMES)}]
    table = {
        "schema": "stepdown/bundle/v1",
        "name": facts.name,
        "version": facts.version,
        "kind": "onnx",
        "tier_role": facts.tier_role,
        "minimum_server_version": "0.1.0",
        "parent_version": "",
        "description": facts.description,
        "model": {
            "file": MODEL_FILE,
            "external_data": [],
            "maximum_batch": MAXIMUM_BATCH,
            "minimum_placement_share": MINIMUM_PLACEMENT_SHARE,
        },
        "input": [{"name": OBSERVATIONS, "datatype": "FP32", "shape": [-1, WINDOW_H, COLUMN_COUNT]}],
        "output": [
            {"name": PROBABILITY, "datatype": "FP32", "shape": [-1, 1], "minimum": 0.0, "maximum": 1.0},
            *(contributions if facts.with_contributions else []),
            {"name": INPUT_CHECKS, "datatype": "FP32", "shape": [-1, len(CHECK_LABELS)], "labels": list(CHECK_LABELS)},
        ],
        "score": {
            "output": PROBABILITY,
            "outcome": "sepsis onset (Sepsis-3)",
            "horizon_h": 6,
            "population": facts.population,
            "calibration": "Platt scaling on the validation split",
        },
        "thresholds": facts.thresholds,
        "input_checks": {"output": INPUT_CHECKS, "flag_at": FLAG_AT, "refuse_at": REFUSE_AT},
    }
    return tomli_w.dumps(table).encode()
