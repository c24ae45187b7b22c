"""Say where a bundle came from: an in-toto Statement v1 whose predicate is SLSA provenance v1.

Subjects are the bundle's own files; what went in is named by digest (the data, by seed or content; the code, by
commit). It records what was true at build time and claims no build level: a run of `make models` on a workstation is
not an isolated builder.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from models.training.recipe import TEST_SEED, TRAIN_SEED, VALIDATION_SEED, Recipe
from models.training.stays import Splits

BUILD_TYPE = "urn:stepdown:build:models-training:v1"
BUILDER = "urn:stepdown:builder:make-models"
LIBRARIES = ("torch", "numpy", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a whole run shares: recipe, data, code, times, place. `simulated` tells whether the seeds made the data."""

    recipe: Recipe
    simulated: bool
    data_sha256: dict[str, str]
    stays: dict[str, int]
    commit: str
    clean: bool
    started: str
    finished: str
    python: str
    libraries: dict[str, str]
    hardware: dict[str, str | int]


def data_digests(splits: Splits) -> tuple[dict[str, str], dict[str, int]]:
    """Return digest and number of stays of each split."""
    named = {"train": splits.train, "validation": splits.validation, "test": splits.test}
    return {name: stays.sha256 for name, stays in named.items()}, {name: len(stays) for name, stays in named.items()}


def code_state(root: Path) -> tuple[str, bool]:
    """Return the commit at `root` and whether the training code is unchanged since; ("", False) outside a checkout."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "models/training")
    except (OSError, subprocess.CalledProcessError):
        return "", False
    return commit, not changed


def provenance(files: Mapping[str, bytes], origin: Origin) -> bytes:
    """Return the statement about `files` as JSON."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
            for name, content in sorted(files.items())
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": _definition(origin), "runDetails": _run_details(origin)},
    }
    return (json.dumps(statement, indent=1) + "\n").encode()


def _definition(origin: Origin) -> dict[str, object]:
    seeds = {"train": TRAIN_SEED, "validation": VALIDATION_SEED, "test": TEST_SEED}
    data = [
        {
            "name": f"{split}-stays",
            "digest": {"sha256": digest},
            "annotations": {"stays": origin.stays[split], **({"seed": seeds[split]} if origin.simulated else {})},
        }
        for split, digest in origin.data_sha256.items()
    ]
    code = {
        "uri": "git+file:models/training",
        "digest": {"gitCommit": origin.commit},
        "annotations": {"clean": origin.clean},
    }
    libraries = [{"uri": f"pkg:pypi/{name}@{release}"} for name, release in origin.libraries.items()]
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {"recipe": asdict(origin.recipe), "data": "simulated" if origin.simulated else "folder"},
        "internalParameters": {"hardware": origin.hardware},
        "resolvedDependencies": [*data, code, *libraries],
    }


def _run_details(origin: Origin) -> dict[str, object]:
    return {
        "builder": {"id": BUILDER, "version": {"python": origin.python}},
        "metadata": {"startedOn": origin.started, "finishedOn": origin.finished},
    }


def library_versions() -> dict[str, str]:
    """Return the release of every library that has a say in the weights or the file."""
    return {name: version(name) for name in LIBRARIES}


def hardware() -> dict[str, str | int]:
    """Return processor name, number of cores and machine type, and nothing that names the machine or its owner."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": named or platform.processor() or "unknown",
        "cores": os.cpu_count() or 0,
        "machine": platform.machine(),
        "system": platform.system(),
    }


def _git(root: Path, *arguments: str) -> str:
    ended = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607 -- the git on PATH
    return ended.stdout.strip()
