"""The commands beside `serve`: what a person, `bundle init` and `probe` ask of a child process. One JSON document each.

Refuses to serve: nothing here outlives its answer.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import numpy as np

from stepdown.domain.errors import WorkerError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker import description
from stepdown.worker.proof import prove
from stepdown.worker.providers import MODEL_PROVIDERS
from stepdown.worker.survey import survey

_REFUSED = 2
_STANDARD_OUTPUT = 1
_STANDARD_ERROR = 2


def run_command(arguments: list[str]) -> int:
    """Carry out one command line; the exit code is 0, or 2 with the reason on standard error."""
    parsed = _parser().parse_args(arguments)
    try:
        with _libraries_kept_off_the_answer():
            answer = _answer(parsed)
    except (WorkerError, OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return _REFUSED
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


@contextmanager
def _libraries_kept_off_the_answer() -> Iterator[None]:
    """Standard output holds one document; what drivers and libraries print meanwhile goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(_STANDARD_OUTPUT)
    os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, _STANDARD_OUTPUT)
        os.close(kept)


def _answer(parsed: argparse.Namespace) -> object:
    match parsed.command:
        case "describe":
            return description.describe(parsed.model)
        case "golden":
            return _golden(parsed)
        case "prove":
            return prove(ExecutionProvider(parsed.provider), device_id=parsed.device)
        case _:
            return survey()


def _golden(parsed: argparse.Namespace) -> object:
    given = None
    if parsed.inputs is not None:
        with np.load(parsed.inputs, allow_pickle=False) as archive:
            given = {name: archive[name] for name in archive.files}
    arrays = description.make_known_answers(parsed.model, seed=parsed.seed, rows=parsed.rows, given=given)
    with parsed.out.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return {"file": str(parsed.out), "arrays": {name: list(array.shape) for name, array in arrays.items()}}


def _rows(text: str) -> int:
    rows = int(text)
    if not 1 <= rows <= description.MAXIMUM_ROWS:
        raise argparse.ArgumentTypeError(f"1 to {description.MAXIMUM_ROWS}")
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stepdown.worker", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    describe = commands.add_parser("describe", help="inputs, outputs and weight files of a model")
    describe.add_argument("model", type=Path)
    golden = commands.add_parser("golden", help="make known answers on the CPU")
    golden.add_argument("model", type=Path)
    golden.add_argument("--seed", type=int, default=0)
    golden.add_argument("--rows", type=_rows, default=16)
    golden.add_argument("--inputs", type=Path, help="an .npz with one array per graph input, instead of drawn ones")
    golden.add_argument("--out", type=Path, required=True)
    proof = commands.add_parser("prove", help="run a model of one node on an execution provider")
    proof.add_argument("provider", choices=list(map(str, MODEL_PROVIDERS)))
    proof.add_argument("--device", type=int, default=0)
    commands.add_parser("inventory", help="what this machine and this build hold")
    return parser
