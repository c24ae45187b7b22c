"""`python -m models.training COMMAND`: every step from simulated stays to bundles, and their evaluation.

simulate    write stays as .psv files
build       simulate or read stays, train, distil, calibrate, export, write bundles (needs the train extra)
evaluate    judge the bundles on the untouched test split; write EVALUATION.md, evaluation.json and plots
references  make the drift references of the bundles again, without training
publish     write card and provenance into the bundles, from what build and evaluate left behind
release     build, evaluate, publish, one after another: what `make models` runs before signing
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from models.training.dataset import DatasetSource
from models.training.recipe import DEMO_SEED, RECIPES, RELEASE

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    options = _parser().parse_args(arguments)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.training", description="Simulate, train, judge, publish.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    simulate = commands.add_parser("simulate", help="write simulated stays as .psv files")
    simulate.add_argument("--stays", type=int, default=100, help="how many (default 100)")
    simulate.add_argument("--seed", type=int, default=DEMO_SEED)
    simulate.add_argument("--bedside", action="store_true", help="append consciousness and supplemental oxygen")
    simulate.add_argument("--out", type=Path, required=True, help="folder to write to")
    simulate.set_defaults(run=_simulate)
    demo = commands.add_parser("demo-stays", help="write the dozen stays of the demonstration")
    demo.add_argument("--out", type=Path, default=ROOT / "deploy" / "demo" / "stays")
    demo.set_defaults(run=_demo_stays)
    for name, step, text in (
        ("build", _build, "train, export and write the bundles"),
        ("evaluate", _evaluate, "judge the bundles on the test split"),
        ("references", _references, "make the drift references of the bundles again"),
        ("publish", _publish, "write card and provenance into the bundles"),
        ("release", _release, "build, evaluate, publish"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--data", type=Path, help="folder of the challenge's .psv files (default: simulate)")
        command.add_argument("--recipe", choices=sorted(RECIPES), default=RELEASE.name, help="size of the run")
        command.add_argument("--models", type=Path, default=ROOT / "models", help="where the bundles lie")
        command.add_argument("--work", type=Path, default=ROOT / ".build" / "training", help="checkpoints")
        command.add_argument("--version", default="1.0.0", help="version of the bundles")
        command.set_defaults(run=step)
    return parser


def _simulate(options: argparse.Namespace) -> None:
    from models.training.psv import write_folder  # noqa: PLC0415 -- each command loads what it needs
    from models.training.simulation.simulator import simulate  # noqa: PLC0415

    stays = simulate(options.stays, seed=options.seed).stays
    written = write_folder(stays, options.out, bedside=options.bedside)
    print(f"{len(written)} stays, {int(stays.is_septic.sum())} septic, in {options.out}")


def _demo_stays(options: argparse.Namespace) -> None:
    from models.training.demo_stays import write_demo_stays  # noqa: PLC0415

    for path in write_demo_stays(options.out):
        print(path)


def _build(options: argparse.Namespace) -> None:
    from models.training.build import build  # noqa: PLC0415 -- needs PyTorch

    build(_source(options), models=options.models, work=options.work, version=options.version)


def _evaluate(options: argparse.Namespace) -> None:
    from models.training.evaluation.run import evaluate  # noqa: PLC0415

    evaluate(_source(options), models=options.models, version=options.version)


def _references(options: argparse.Namespace) -> None:
    from models.training.publishing.refresh import refresh_references  # noqa: PLC0415

    refresh_references(_source(options), models=options.models, version=options.version)


def _publish(options: argparse.Namespace) -> None:
    from models.training.publishing.publication import publish  # noqa: PLC0415

    publish(_source(options), models=options.models, work=options.work, version=options.version)


def _release(options: argparse.Namespace) -> None:
    _build(options)
    _evaluate(options)
    _publish(options)


def _source(options: argparse.Namespace) -> DatasetSource:
    return DatasetSource(recipe=RECIPES[options.recipe], folder=options.data)


if __name__ == "__main__":
    main()
