"""Score the test split with every model and rule, compute the figures, write the report."""

import json
import tomllib
from dataclasses import dataclass, is_dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training.dataset import DatasetSource
from models.training.evaluation.corruptions import detection
from models.training.evaluation.figures import ModelFigures, ScoredModel, difference, judge
from models.training.evaluation.findings import Findings
from models.training.evaluation.latency import latency_ms
from models.training.evaluation.news2 import HIGH_TOTAL, MEDIUM_TOTAL, News2, news2
from models.training.evaluation.plots import draw_plots
from models.training.evaluation.report import card_sentences, markdown
from models.training.evaluation.subgroups import subgroup_figures
from models.training.evaluation.tiers import TierBands, compare
from models.training.metrics.bootstrap import Interval
from models.training.metrics.switching import HIGH, bands
from models.training.published import DISTILLED, FULL, MODEL_FILE, PROBABILITY
from models.training.scoring import Graph
from models.training.stays import Stays
from models.training.windows import windows

BASELINES = "baselines"
THRESHOLDS = "thresholds.json"
REPORT, RECORD, PLOTS = "EVALUATION.md", "evaluation.json", "evaluation"
CHECKED_WINDOWS = 2_000
SAMPLE_SEED = 20190808
NEWS2 = "news2"
SWITCHES = ((FULL, DISTILLED), (DISTILLED, FULL), (FULL, NEWS2), (DISTILLED, NEWS2))
PAIRED = ("auroc", "auprc", "utility", "brier")
TITLES = {
    FULL: "full: causal transformer",
    DISTILLED: "distilled: additive model, teacher and labels",
    "additive-teacher-only": "additive model, teacher alone",
    "additive-hard-labels": "additive model, labels alone",
    "perceptron": "perceptron, teacher and labels",
    "linear-hard-labels": "linear, labels alone",
}
Cuts = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One graph and its thresholds."""

    name: str
    path: Path
    cuts: Cuts


def evaluate(source: DatasetSource, *, models: Path, version: str) -> None:
    """Judge the bundles of `version` under `models` and write report, record and plots there."""
    stays = source.test()
    contestants = _contestants(models, version)
    scores = {contestant.name: _scores(contestant, stays) for contestant in contestants}
    rules = news2(stays, bedside=True)
    judged = {row.name: _judged(row, stays, source) for row in _rows(contestants, scores, stays, rules)}
    scored = _Scored(source=source, stays=stays, contestants=contestants, scores=scores, rules=rules)
    findings = scored.findings(judged)
    record = {"card_sentences": card_sentences(findings), "findings": _plain(findings)}
    (models / RECORD).write_text(json.dumps(record, indent=1, allow_nan=True) + "\n", encoding="utf-8")
    (models / REPORT).write_text(markdown(findings), encoding="utf-8")
    draw_plots(models / PLOTS, findings, stays=stays, scores=scores)


def _contestants(models: Path, version: str) -> list[Contestant]:
    folder = models / "training" / BASELINES
    thresholds: dict[str, Cuts] = json.loads((folder / THRESHOLDS).read_text(encoding="utf-8"))
    paths = {name: models / name / version / MODEL_FILE for name in (FULL, DISTILLED)}
    paths |= {name: folder / f"{name}.onnx" for name in thresholds if name not in paths}
    return [
        Contestant(name=name, path=path, cuts=thresholds[name] | _manifest_cuts(path)) for name, path in paths.items()
    ]


def _manifest_cuts(model: Path) -> Cuts:
    manifest = model.parent / "manifest.toml"
    if not manifest.exists():
        return {}
    cuts: Cuts = tomllib.loads(manifest.read_text(encoding="utf-8"))["thresholds"]
    return cuts


def _scores(contestant: Contestant, stays: Stays) -> NDArray[np.float64]:
    rows = np.arange(len(stays.label))
    print(f"scoring {len(rows)} hours with {contestant.name}", flush=True)
    return Graph(contestant.path, threads=2).over_rows(stays, rows, PROBABILITY)[:, 0].astype(np.float64)


def _rows(
    contestants: list[Contestant], scores: dict[str, NDArray[np.float64]], stays: Stays, rules: News2
) -> list[ScoredModel]:
    rows = [
        ScoredModel(
            name=contestant.name,
            title=TITLES[contestant.name],
            score=scores[contestant.name],
            alert_from=contestant.cuts["medium"],
            utility_from=contestant.cuts["utility"],
        )
        for contestant in contestants
    ]
    partial = news2(stays, bedside=False)
    for name, title, result in (
        (NEWS2, "NEWS2 with consciousness and oxygen", rules),
        ("news2-partial", "NEWS2-partial (challenge columns only)", partial),
    ):
        score = result.lowest.astype(np.float64)
        rows.append(ScoredModel(name=name, title=title, score=score, alert_from=MEDIUM_TOTAL, utility_from=HIGH_TOTAL,
                                is_probability=False))  # fmt: skip
    return rows


def _judged(row: ScoredModel, stays: Stays, source: DatasetSource) -> ModelFigures:
    print(f"judging {row.name}", flush=True)
    return judge(row, stays, replicates=source.recipe.bootstrap_replicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """Test hours with everything that was scored on them."""

    source: DatasetSource
    stays: Stays
    contestants: list[Contestant]
    scores: dict[str, NDArray[np.float64]]
    rules: News2

    @property
    def replicates(self) -> int:
        return self.source.recipe.bootstrap_replicates

    @property
    def tiers(self) -> list[Contestant]:
        return [contestant for contestant in self.contestants if contestant.name in {FULL, DISTILLED}]

    def findings(self, judged: dict[str, ModelFigures]) -> Findings:
        stays, label = self.stays, self.stays.label
        sample = self._sample()
        graphs = {tier.name: Graph(tier.path) for tier in self.tiers}
        bands = self._bands()
        return Findings(
            data=self.source.description,
            simulated=self.source.folder is None,
            stays=len(stays),
            septic_stays=int(stays.is_septic.sum()),
            hours=len(label),
            positive_hours=int(label.sum()),
            replicates=self.replicates,
            models=tuple(judged.values()),
            differences=_differences(judged),
            switches=tuple(compare(bands[a], bands[b], stays, replicates=self.replicates) for a, b in SWITCHES),
            undetermined=1 - float(self.rules.determined.mean()),
            rules_high_models_low={
                name: float(np.mean(bands[name].band[self.rules.lowest_band == HIGH] == 0)) for name in graphs
            },
            subgroups={
                tier.name: subgroup_figures(
                    self.scores[tier.name], tier.cuts["medium"], stays, replicates=self.replicates
                )
                for tier in self.tiers
            },
            checks=detection(graphs[DISTILLED], sample),
            latency={name: latency_ms(graph, sample) for name, graph in graphs.items()},
            bytes={contestant.name: contestant.path.stat().st_size for contestant in self.contestants},
        )

    def _bands(self) -> dict[str, TierBands]:
        models = [
            TierBands(
                name=tier.name,
                band=bands(self.scores[tier.name], (tier.cuts["low_medium"], tier.cuts["medium"], tier.cuts["high"])),
            )
            for tier in self.tiers
        ]
        return {tier.name: tier for tier in (*models, TierBands(name=NEWS2, band=self.rules.lowest_band))}

    def _sample(self) -> NDArray[np.float32]:
        rng = np.random.default_rng(SAMPLE_SEED)
        count = min(CHECKED_WINDOWS, len(self.stays.label))
        return windows(self.stays, rng.choice(len(self.stays.label), count, replace=False))


def _differences(judged: dict[str, ModelFigures]) -> dict[str, dict[str, Interval]]:
    full = judged[FULL]
    return {
        name: {figure: difference(row, full, figure) for figure in PAIRED if figure in row.figures}
        for name, row in judged.items()
        if name != FULL
    }


def _plain(value: object) -> object:
    if isinstance(value, ModelFigures):
        return {"name": value.model.name, "title": value.model.title, "figures": _plain(value.figures)}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return round(value, 6) if isinstance(value, float) else value
