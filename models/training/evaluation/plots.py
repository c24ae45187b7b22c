"""Three small plots in colours that colour-blind readers can tell apart (Okabe and Ito), and markers."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.training.evaluation.findings import Findings
from models.training.evaluation.news2 import news2
from models.training.metrics.calibration import reliability
from models.training.published import DISTILLED, FULL
from models.training.stays import Stays

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
STYLES = {FULL: (BLUE, "o"), DISTILLED: (ORANGE, "s")}
DOTS_PER_INCH = 110
LEAD_SHOWN_H = 30
# Neither software version nor date goes into the file, so that the same numbers give the same picture.
METADATA = {"Software": None}


def draw_plots(folder: Path, findings: Findings, *, stays: Stays, scores: dict[str, NDArray[np.float64]]) -> None:
    """Write `comparison.png`, `calibration.png` and `stay.png` into `folder`."""
    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (
        ("comparison", _comparison(findings)),
        ("calibration", _calibration(findings, stays, scores)),
        ("stay", _stay(findings, stays, scores)),
    ):
        figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH, metadata=METADATA)


def _comparison(findings: Findings) -> Figure:
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = [model.model.title for model in findings.models]
    place = np.arange(len(names))[::-1]
    for axes, key, title in ((left, "auroc", "AUROC"), (right, "auprc", "average precision (AUPRC)")):
        for at, model in zip(place, findings.models, strict=True):
            colour, marker = STYLES.get(model.model.name, (GREY, "D"))
            found = model.figures[key]
            axes.plot([found.low, found.high], [at, at], color=colour, linewidth=2)
            axes.plot(found.value, at, marker=marker, color=colour, markersize=6)
        axes.set_title(title, fontsize=10)
        axes.set_yticks(place, names, fontsize=8)
        _quiet(axes)
    left.axvline(0.5, color=GREY, linewidth=0.8, linestyle=":")
    right.axvline(findings.positive_hours / findings.hours, color=GREY, linewidth=0.8, linestyle=":")
    return figure


def _calibration(findings: Findings, stays: Stays, scores: dict[str, NDArray[np.float64]]) -> Figure:
    figure = Figure(figsize=(4.6, 4.0), layout="constrained")
    axes = figure.subplots()
    ones = np.ones(len(stays.label))
    for name, (colour, marker) in STYLES.items():
        predicted, observed, _ = reliability(scores[name], stays.label, ones, bins=10)
        axes.plot(
            predicted,
            observed,
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1,
            label=findings.of(name).model.title,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot([1e-3, 0.5], [1e-3, 0.5], color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xlabel("predicted probability (10 equal-mass groups)", fontsize=9)
    axes.set_ylabel("share observed", fontsize=9)
    axes.legend(fontsize=8, frameon=False)
    _quiet(axes)
    return figure


def _stay(findings: Findings, stays: Stays, scores: dict[str, NDArray[np.float64]]) -> Figure:
    rows = _typical_septic_stay(stays, scores[FULL])
    hour = stays.hour_of_row[rows]
    figure = Figure(figsize=(8.6, 3.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for name, (colour, marker) in STYLES.items():
        above.plot(
            hour,
            scores[name][rows],
            color=colour,
            marker=marker,
            markersize=3,
            linewidth=1.2,
            label=findings.of(name).model.title,
        )
        above.axhline(findings.of(name).model.alert_from, color=colour, linewidth=0.8, linestyle="--")
    below.step(hour, news2(stays, bedside=True).lowest[rows], where="mid", color=GREEN, label="NEWS2")
    below.axhline(5, color=GREEN, linewidth=0.8, linestyle="--")
    first_positive = int(hour[np.argmax(stays.label[rows])])
    for axes in (above, below):
        axes.axvline(first_positive + 6, color=GREY, linewidth=1, linestyle=":")
        axes.legend(fontsize=8, frameon=False, loc="upper left")
        _quiet(axes)
    above.set_ylabel("probability", fontsize=9)
    below.set_ylabel("points", fontsize=9)
    below.set_xlabel("hours in intensive care; dotted: sepsis; dashed: MEDIUM", fontsize=9)
    return figure


def _typical_septic_stay(stays: Stays, score: NDArray[np.float64]) -> NDArray[np.int64]:
    # Not the prettiest: the stay whose highest score is the median among septic stays that were long enough to show a
    # lead.
    lengths = np.diff(stays.first_row)
    chosen = np.flatnonzero(stays.is_septic & (lengths >= LEAD_SHOWN_H))
    peaks = np.maximum.reduceat(score, stays.first_row[:-1])[chosen]
    stay = chosen[np.argsort(peaks, kind="stable")[len(chosen) // 2]]
    return np.arange(stays.first_row[stay], stays.first_row[stay + 1])


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
