"""One picture per scenario: who answered, and how long it took, over time, with what was done to the servers.

Drawn once. In the page its colours are names that the page gives a value for light and for dark; as PNG it is light.
Colours are Okabe and Ito's, which people of every colour vision tell apart; tiers differ in hatching too.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.record import ScenarioRecord
from loadtests.report.bins import Slice, slices

# Drawn with the first, shown as the second: matplotlib takes no names of a style sheet.
COLOURS = {
    "ink": "#1b1f24",
    "quiet": "#6b7280",
    "grid": "#d9dde3",
    "tier-0": "#0072b2",
    "tier-1": "#e69f00",
    "tier-2": "#009e73",
    "tier-3": "#cc79a7",
    "lost": "#d11f2a",
}
_HATCHES = ("", "////", "....", "xx")
_DPI = 120
_SIZE_INCHES = (10.0, 5.4)


def figure(record: ScenarioRecord, *, deadline_ms: float) -> Figure:
    """The picture of one scenario."""
    with mpl.rc_context(_style()):
        drawn = Figure(figsize=_SIZE_INCHES, layout="constrained")
        top, middle, bottom = drawn.subplots(3, 1, sharex=True, height_ratios=(3, 1.1, 4))
        cut = slices(record)
        _answers(top, record.tiers, cut)
        _questions(middle, cut)
        _latencies(bottom, cut, deadline_ms=deadline_ms)
        _marks((top, middle, bottom), record)
        bottom.set_xlim(0, record.length_s)
        bottom.set_xlabel("seconds")
    return drawn


def as_svg(drawn: Figure) -> str:
    """For the page: text stays text, and every colour is one of the page's own."""
    buffer = io.StringIO()
    with mpl.rc_context(_style()):
        drawn.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    return text[text.index("<svg") :]


def write_png(drawn: Figure, path: Path) -> None:
    """For a file or a slide."""
    with mpl.rc_context(_style()):
        drawn.savefig(path, format="png", dpi=_DPI, facecolor="white")


def _style() -> dict[str, object]:
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "stepdown",
        "font.family": "sans-serif",
        "font.size": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": COLOURS["quiet"],
        "axes.labelcolor": COLOURS["ink"],
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": COLOURS["grid"],
        "xtick.color": COLOURS["quiet"],
        "ytick.color": COLOURS["quiet"],
        "xtick.labelcolor": COLOURS["ink"],
        "ytick.labelcolor": COLOURS["ink"],
        "text.color": COLOURS["ink"],
        "legend.frameon": False,
        "hatch.linewidth": 0.7,
        "hatch.color": "white",
    }


def _answers(axes: Axes, tiers: Sequence[str], cut: Sequence[Slice]) -> None:
    """Stacked bars: each tier's share of what was asked, and the share that nobody answered."""
    floor = [0.0] * len(cut)
    stacks = [
        (tier, f"tier-{min(place, 3)}", _HATCHES[min(place, 3)], [_share(each.answers[tier], each) for each in cut])
        for place, tier in enumerate(tiers)
    ]
    stacks.append(("no answer", "lost", "", [_share(each.lost, each) for each in cut]))
    for label, colour, hatch, heights in stacks:
        axes.bar(
            [each.at_s for each in cut],
            heights,
            width=[each.width_s for each in cut],
            bottom=floor,
            align="edge",
            label=label,
            color=COLOURS[colour],
            hatch=hatch,
            linewidth=0,
        )
        floor = [below + height for below, height in zip(floor, heights, strict=True)]
    axes.set_ylim(0, 100)
    axes.set_ylabel("answered by, %")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(stacks), borderaxespad=0.2, handlelength=1.2)


def _share(count: int, asked: Slice) -> float:
    return 100.0 * count / asked.asked if asked.asked else 0.0


def _questions(axes: Axes, cut: Sequence[Slice]) -> None:
    edges = [*(each.at_s for each in cut), cut[-1].at_s + cut[-1].width_s]
    axes.stairs([each.asked / each.width_s for each in cut], edges, color=COLOURS["quiet"], fill=True, alpha=0.55)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("asked / s")


def _latencies(axes: Axes, cut: Sequence[Slice], *, deadline_ms: float) -> None:
    middle = [each.at_s + each.width_s / 2 for each in cut]
    missing = float("nan")
    for label, style, values in (
        ("worst", {"ls": "", "marker": ".", "color": COLOURS["quiet"], "ms": 5}, [each.worst_ms for each in cut]),
        ("99 %", {"lw": 1.6, "ls": "--", "color": COLOURS["ink"]}, [each.p99_ms for each in cut]),
        ("median", {"lw": 2.0, "color": COLOURS["tier-0"]}, [each.p50_ms for each in cut]),
    ):
        axes.plot(middle, [missing if value is None else value for value in values], label=label, **style)
    axes.axhline(deadline_ms, color=COLOURS["lost"], lw=1.2, ls=":")
    axes.annotate(
        f"deadline {deadline_ms:g} ms", (1, deadline_ms), xycoords=("axes fraction", "data"), ha="right", va="bottom",
        color=COLOURS["lost"], fontsize=8.5,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(1, max(1000.0, 2 * deadline_ms))
    axes.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.set_ylabel("latency in ms")
    axes.legend(loc="upper left", ncols=3, borderaxespad=0.2, handlelength=1.6)


def _marks(both: Sequence[Axes], record: ScenarioRecord) -> None:
    """A line where something was done, numbered as in the page's list; a band while more was asked than could be."""
    for axes in both:
        for step in record.steps:
            axes.axvline(step.at_s, color=COLOURS["ink"], lw=1.0, ls=(0, (3, 2)))
        if record.surge is not None:
            axes.axvspan(*record.surge, color=COLOURS["lost"], alpha=0.08, lw=0)
    for number, step in enumerate(record.steps, start=1):
        both[0].annotate(
            f" {number}", (step.at_s, 1), xycoords=("data", "axes fraction"), va="bottom", ha="center", weight="bold"
        )
