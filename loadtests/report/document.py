"""Writes a run to a folder: report.html, a PNG per scenario, results.json, and the outcomes of every encounter."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loadtests.report.bins import slices
from loadtests.report.figures import as_svg, figure, write_png
from loadtests.report.page import page
from loadtests.results import Played, Results
from loadtests.schedule import PROFILES


def write_report(results: Results, folder: Path) -> Path:
    """Write everything; returns the page. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for played in results.scenarios:
        if played.record is not None:
            drawn = figure(played.record, deadline_ms=deadline_ms(played))
            write_png(drawn, folder / f"{played.name}.png")
            pictures[played.name] = as_svg(drawn)
    (folder / "results.json").write_text(json.dumps(as_document(results), indent=1) + "\n", "utf-8")
    written = folder / "report.html"
    written.write_text(page(results, pictures), "utf-8")
    return written


def deadline_ms(played: Played) -> float:
    """The shortest deadline of a scenario's callers: the one that a screen waits for."""
    return min(load.deadline_ms or PROFILES[load.profile].deadline_ms for load in played.scenario.load)


def as_document(results: Results) -> dict[str, Any]:
    """The figures of a run, for programs."""
    return {
        "begun": results.begun.isoformat(timespec="seconds"),
        "took_s": round(results.took_s, 1),
        "conditions": results.conditions,
        "capacity_per_s": results.capacity_per_s,
        "limit_per_s": results.limit_per_s,
        "scenarios": [_scenario(played, results) for played in results.scenarios],
    }


def _scenario(played: Played, results: Results) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": played.name,
        "about": played.scenario.about,
        "verdict": played.verdict,
        "why": played.why,
        "encounters_per_s": results.rates(played.scenario),
        "findings": [asdict(finding) for finding in played.findings],
    }
    if played.record is None or played.measures is None:
        return document
    return document | {
        "measures": asdict(played.measures),
        "steps": [asdict(step) for step in played.record.steps],
        "moves": [asdict(move) for move in played.record.moves],
        "machine": asdict(played.record.machine) if played.record.machine is not None else None,
        "mislabelled": [
            {"request_id": each.request_id, "faults": each.label_faults}
            for each in played.record.outcomes
            if each.label_faults
        ],
        "timeline": [asdict(each) for each in slices(played.record)],
    }
