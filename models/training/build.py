"""Fit, export and write the bundles: the part of `make models` that needs PyTorch."""

import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.dataset import DatasetSource
from models.training.fitting.run import TEACHER_CHECKPOINT, FittedModels, fit
from models.training.metrics.discrimination import threshold_for_alert_rate
from models.training.metrics.utility import best_threshold
from models.training.published import CONTRIBUTIONS, DISTILLED, FULL, INPUT_CHECKS, MODEL_FILE, PROBABILITY
from models.training.publishing.bundle import write_bundle
from models.training.publishing.export import export
from models.training.publishing.known_answers import known_answers
from models.training.publishing.manifest import ManifestFacts, manifest
from models.training.publishing.provenance import (
    Origin,
    code_state,
    data_digests,
    hardware,
    library_versions,
)
from models.training.publishing.reference import reference
from models.training.recipe import ALERT_BUDGET
from models.training.sample import ValidationSample
from models.training.scoring import Graph
from models.training.stays import Splits

ROOT = Path(__file__).resolve().parents[2]
BASELINES = "baselines"
BASELINE_THRESHOLDS = "thresholds.json"
ORIGIN = "origin.json"
DESCRIPTIONS = {
    FULL: "Causal transformer over 48 hours of observations: probability of sepsis onset within about 6 hours",
    DISTILLED: "Additive model distilled from sepsis-full: the same probability, with exact contributions per column",
}
ROLES = {FULL: "full", DISTILLED: "distilled"}


def build(source: DatasetSource, *, models: Path, work: Path, version: str) -> None:
    """Write the bundles of both tiers, without card and provenance, and the graphs of the comparison."""
    started, code = datetime.now(tz=UTC), code_state(ROOT)
    splits = source.splits()
    fitted = fit(splits, recipe=source.recipe, work=work)
    sample = ValidationSample.draw(splits.validation, source.recipe.calibration_hours)
    baselines = models / "training" / BASELINES
    thresholds = _write_baselines(fitted, sample, baselines)
    for name, graph in _export_tiers(fitted).items():
        files, utility = _bundle_files(name, graph, source=source, sample=sample, version=version)
        thresholds[name] = {"utility": utility}
        write_bundle(models / name / version, files)
        print(f"{name}: {len(graph) / 1e6:.2f} MB", flush=True)
    (baselines / BASELINE_THRESHOLDS).write_text(json.dumps(thresholds, indent=1) + "\n", encoding="utf-8")
    (work / TEACHER_CHECKPOINT).unlink()  # a finished run is not gone on with
    (work / ORIGIN).write_text(json.dumps(_origin(source, splits, started, code), indent=1) + "\n", encoding="utf-8")


def _export_tiers(fitted: FittedModels) -> dict[str, bytes]:
    return {
        FULL: export(fitted.full, outputs=(PROBABILITY, INPUT_CHECKS)),
        DISTILLED: export(fitted.distilled, outputs=(PROBABILITY, CONTRIBUTIONS, INPUT_CHECKS)),
    }


def _bundle_files(
    name: str, model: bytes, *, source: DatasetSource, sample: ValidationSample, version: str
) -> tuple[dict[str, bytes], float]:
    graph = Graph(model, threads=2)
    probability = sample.probability(graph)
    thresholds = band_thresholds(probability)
    facts = ManifestFacts(
        name=name,
        version=version,
        tier_role=ROLES[name],
        description=DESCRIPTIONS[name],
        population=source.population,
        thresholds=thresholds,
        with_contributions=CONTRIBUTIONS in graph.outputs,
    )
    files = {
        MODEL_FILE: model,
        "manifest.toml": manifest(facts),
        "known_answers.npz": known_answers(Graph(model)),
        "reference.json": reference(sample.stays, sample.rows, probability, thresholds),
    }
    return files, best_threshold(probability, sample.gain)


def band_thresholds(probability: NDArray[np.float64]) -> dict[str, float]:
    """Return the lowest probability of each band such that the alert budget is kept on these hours."""
    return {band: round(threshold_for_alert_rate(probability, rate), 5) for band, rate in ALERT_BUDGET.items()}


def _write_baselines(fitted: FittedModels, sample: ValidationSample, folder: Path) -> dict[str, dict[str, float]]:
    folder.mkdir(parents=True, exist_ok=True)
    thresholds = {}
    for name, module in fitted.baselines.items():
        content = export(module, outputs=(PROBABILITY,))
        (folder / f"{name}.onnx").write_bytes(content)
        probability = sample.probability(Graph(content, threads=2))
        thresholds[name] = {**band_thresholds(probability), "utility": best_threshold(probability, sample.gain)}
    return thresholds


def _origin(source: DatasetSource, splits: Splits, started: datetime, code: tuple[str, bool]) -> dict[str, object]:
    digests, stays = data_digests(splits)
    origin = Origin(
        recipe=source.recipe,
        simulated=source.folder is None,
        data_sha256=digests,
        stays=stays,
        commit=code[0],
        clean=code[1],
        started=started.isoformat(timespec="seconds"),
        finished=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        python=platform.python_version(),
        libraries=library_versions(),
        hardware=hardware(),
    )
    return asdict(origin)
