"""Finish the bundles: card with the figures of the evaluation, provenance over every other file."""

import json
from pathlib import Path

from models.training.dataset import DatasetSource
from models.training.published import DISTILLED, FULL
from models.training.publishing.bundle import read_bundle, write_bundle
from models.training.publishing.card import NOT_AVAILABLE, SIMULATED_WARNING, CardFacts, card
from models.training.publishing.provenance import Origin, provenance
from models.training.recipe import Recipe

CARD, PROVENANCE, ORIGIN = "card.toml", "provenance.json", "origin.json"
EVALUATION = "evaluation.json"
ARCHITECTURES = {
    FULL: "Causal transformer over 48 hours, width 128, four layers, beside an additive path over columns.",
    DISTILLED: "Neural additive model on trend features, distilled from sepsis-full; contributions are exact.",
}


def publish(source: DatasetSource, *, models: Path, work: Path, version: str) -> None:
    """Write card and provenance of both bundles."""
    origin = _origin(work / ORIGIN)
    figures = _figures(models / EVALUATION)
    for name, architecture in ARCHITECTURES.items():
        folder = models / name / version
        files = {key: value for key, value in read_bundle(folder).items() if key != PROVENANCE}
        files[CARD] = card(_facts(name, architecture, source=source, origin=origin, figures=figures, version=version))
        files[PROVENANCE] = provenance(files, origin)
        write_bundle(folder, files)
        print(f"{folder}: {', '.join(sorted(files))}")


def _facts(
    name: str,
    architecture: str,
    *,
    source: DatasetSource,
    origin: Origin,
    figures: dict[str, dict[str, str]],
    version: str,
) -> CardFacts:
    sentences = figures.get(name, {})
    counts = ", ".join(f"{split} {count}" for split, count in origin.stays.items())
    warning = f" {SIMULATED_WARNING}" if origin.simulated else ""
    return CardFacts(
        name=name,
        version=version,
        released=origin.finished[:10],
        architecture=architecture,
        data=source.description,
        simulated=origin.simulated,
        cohort=f"Stays of 8 hours and longer, no onset in the first four hours. Stays: {counts}.{warning}",
        validity=sentences.get("validity", NOT_AVAILABLE),
        fairness=sentences.get("fairness", NOT_AVAILABLE),
        alerting=sentences.get("alerting", NOT_AVAILABLE),
    )


def _origin(path: Path) -> Origin:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Origin(**{**document, "recipe": Recipe(**document["recipe"])})


def _figures(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    sentences: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["card_sentences"]
    return sentences
