"""Making a bundle out of an ONNX file: ask a child process what the model is, then write the bundle's files.

The model is opened in `python -m stepdown.worker` only, as in service. The folder appears whole or not at all. Refuses
to write over anything, and models that no worker could serve, each with what to do about it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepdown import __version__
from stepdown.adapters.bundle_directory import read_directory
from stepdown.adapters.worker_pool.options import CHILD_PROGRAM
from stepdown.adapters.worker_pool.process import worker_environment
from stepdown.cli.bundle.draft import (
    MODEL_FILE,
    ModelDraft,
    draft_card,
    draft_manifest,
    draft_provenance,
    draft_reference,
)
from stepdown.domain.bundles import TensorSpec
from stepdown.domain.errors import StepdownError
from stepdown.domain.reasons import Reason
from stepdown.trust.contents import examine_contents
from stepdown.trust.manifest_tensors import DATATYPES, shape_problem
from stepdown.trust.names import check_names

_CHILD_TIMEOUT_S = 600
_RESERVED = frozenset(
    ("manifest.toml", MODEL_FILE, "known_answers.npz", "reference.json", "card.toml", "provenance.json")
)


class BundleInitError(StepdownError):
    """No bundle can be made of this model as it is; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOrder:
    """What to make: from which model, under which name, where, with which known answers."""

    model: Path
    name: str
    version: str
    directory: Path
    maximum_batch: int
    rows: int
    seed: int
    inputs: Path | None


def init_bundle(order: InitOrder) -> ModelDraft:
    """Write the bundle. Raises: BundleInitError, TrustError, OSError; the folder then does not exist."""
    if order.directory.exists() and any(order.directory.iterdir()):
        raise BundleInitError(f"{order.directory} exists and is not empty. Choose another folder or remove it.")
    draft = _draft(order)
    order.directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=order.directory.parent, prefix=".bundle-") as temporary:
        made = Path(temporary) / "bundle"
        made.mkdir(mode=0o755)
        _write(made, order, draft)
        examine_contents(read_directory(made))
        if order.directory.exists():
            order.directory.rmdir()
        made.rename(order.directory)
    return draft


def _draft(order: InitOrder) -> ModelDraft:
    described = _ask_worker("describe", str(order.model))
    external_data = tuple(described["external_data"])
    check_names((*_RESERVED, *external_data))
    return ModelDraft(
        name=order.name,
        version=order.version,
        server_version=__version__,
        maximum_batch=described["maximum_batch"] or order.maximum_batch,
        inputs=_tensors(described["inputs"], kind="input"),
        outputs=_tensors(described["outputs"], kind="output"),
        external_data=external_data,
    )


def _write(made: Path, order: InitOrder, draft: ModelDraft) -> None:
    sources = {MODEL_FILE: order.model, **{name: order.model.parent / name for name in draft.external_data}}
    for name, source in sources.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, made / name)
    _make_known_answers(made, order)
    digests = {name: _sha256(made / name) for name in sources}
    for name, text in (
        ("manifest.toml", draft_manifest(draft)),
        ("card.toml", draft_card()),
        ("reference.json", draft_reference()),
        ("provenance.json", draft_provenance(digests)),
    ):
        (made / name).write_text(text, encoding="utf-8")


def _make_known_answers(made: Path, order: InitOrder) -> None:
    # From the copy, not the original: the answers belong to the very bytes that will be signed.
    arguments = ["golden", str(made / MODEL_FILE), "--seed", str(order.seed), "--rows", str(order.rows)]
    if order.inputs is not None:
        arguments += ["--inputs", str(order.inputs)]
    _ask_worker(*arguments, "--out", str(made / "known_answers.npz"))


def _ask_worker(*arguments: str) -> Mapping[str, Any]:
    """What `python -m stepdown.worker` answers."""
    command = [*CHILD_PROGRAM, *arguments]
    environment = worker_environment(os.environ, {})
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=_CHILD_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BundleInitError(f"the model gave no answer within {_CHILD_TIMEOUT_S} s") from error
    if ended.returncode != 0:
        why = ended.stderr.strip().splitlines() or [f"the worker process ended with {ended.returncode}"]
        raise BundleInitError(why[-1].removeprefix("error: ").removeprefix(f"{Reason.EXECUTION_FAILED}: "))
    answer: Mapping[str, Any] = json.loads(ended.stdout)
    return answer


def _tensors(described: Sequence[Mapping[str, Any]], *, kind: str) -> tuple[TensorSpec, ...]:
    tensors = tuple(
        TensorSpec(name=item["name"], datatype=item["datatype"], shape=tuple(item["shape"])) for item in described
    )
    for tensor in tensors:
        _check_servable(tensor, kind=kind)
    return tensors


def _check_servable(tensor: TensorSpec, *, kind: str) -> None:
    what = f"{kind} {tensor.name!a} ({tensor.datatype} {list(tensor.shape)})"
    if tensor.datatype not in DATATYPES:
        raise BundleInitError(
            f"{what} has a type that cannot be served. Convert it inside the model to {', '.join(sorted(DATATYPES))}."
        )
    problem = shape_problem(tensor.shape)
    if problem is None:
        return
    remedy = (
        "Export it with a first dimension that varies, or is 1 (torch.onnx.export: dynamic_shapes or dynamic_axes)."
        if not tensor.shape or tensor.shape[0] != -1
        else "Fix every other dimension (python -m onnxruntime.tools.make_dynamic_shape_fixed), then try again."
    )
    raise BundleInitError(f"the shape of {what} {problem}. {remedy}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
