"""Make the drift references of released bundles again, without training: the graphs stay as they are.

The provenance of a bundle keeps its subjects in step and says of the reference that it was made later, over how many
hours; what it says of the training still holds.
"""

import hashlib
import json
import tomllib
from pathlib import Path

from models.training.dataset import DatasetSource
from models.training.published import DISTILLED, FULL, MODEL_FILE
from models.training.publishing.bundle import read_bundle, write_bundle
from models.training.publishing.reference import reference
from models.training.sample import ValidationSample
from models.training.scoring import Graph

PROVENANCE, REFERENCE, MANIFEST = "provenance.json", "reference.json", "manifest.toml"


def refresh_references(source: DatasetSource, *, models: Path, version: str) -> None:
    """Run both graphs over the validation hours and write `reference.json`; the bundles must be signed afterwards."""
    sample = ValidationSample.draw(source.validation(), source.recipe.calibration_hours)
    for name in (FULL, DISTILLED):
        folder = models / name / version
        files = read_bundle(folder)
        thresholds = tomllib.loads(files[MANIFEST].decode())["thresholds"]
        probability = sample.probability(Graph(files[MODEL_FILE], threads=2))
        files[REFERENCE] = reference(sample.stays, sample.rows, probability, thresholds)
        files[PROVENANCE] = with_reference(files[PROVENANCE], files[REFERENCE])
        write_bundle(folder, files)
        print(f"{folder}: {REFERENCE} over {len(sample.rows)} hours", flush=True)


def with_reference(provenance: bytes, content: bytes) -> bytes:
    """Return the statement about a bundle whose drift reference was made again, over as many hours as it says."""
    statement = json.loads(provenance)
    for subject in statement["subject"]:
        if subject["name"] == REFERENCE:
            subject["digest"] = {"sha256": hashlib.sha256(content).hexdigest()}
    internal = statement["predicate"]["buildDefinition"].setdefault("internalParameters", {})
    internal["driftReference"] = {
        "file": REFERENCE,
        "hours": json.loads(content)["rows"],
        "drawnFrom": "validation-stays",
        "madeAfterTraining": True,
    }
    return (json.dumps(statement, indent=1) + "\n").encode()
