"""`stepdown bundle init`: the command line of making a bundle. Refuses to make anything: `bundle_making.py` does."""

import json
from pathlib import Path

import click

from stepdown.cli.bundle.draft import ModelDraft
from stepdown.cli.bundle.making import InitOrder, init_bundle
from stepdown.cli.options import FILE, NEW, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.domain.bundles import TensorSpec
from stepdown.trust.manifest import MAXIMUM_BATCH
from stepdown.trust.names import is_bundle_name
from stepdown.trust.semantic_version import is_version


@click.command("init")
@click.argument("model", type=FILE)
@click.option("--name", help="Name of the bundle. Default: the model file's name.")
@click.option("--version", default="1.0.0", show_default=True, help="Semantic version.")
@click.option(
    "--out", "directory", type=NEW, metavar="DIR", help="The bundle's new folder. Default: models/NAME/VERSION."
)
@click.option("--maximum-batch", type=click.IntRange(1, MAXIMUM_BATCH), default=64, show_default=True)
@click.option("--rows", type=click.IntRange(1, 1024), default=16, show_default=True, help="Known answers to make.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the inputs drawn for them.")
@click.option("--inputs", type=FILE, help="Inputs for them instead: an .npz with one array for each model input.")
@as_json_option
@refusals_end_the_command
def init(  # noqa: PLR0913 - one parameter for each option of the command
    *,
    model: Path,
    name: str | None,
    version: str,
    directory: Path | None,
    maximum_batch: int,
    rows: int,
    seed: int,
    inputs: Path | None,
    as_json: bool,
) -> None:
    """Start a bundle for an ONNX MODEL: manifest, known answers, card and provenance skeletons."""
    name = name if name is not None else model.stem.lower()
    _check_identity(name, version)
    order = InitOrder(
        model=model,
        name=name,
        version=version,
        directory=directory or Path("models") / name / version,
        maximum_batch=maximum_batch,
        rows=rows,
        seed=seed,
        inputs=inputs,
    )
    draft = init_bundle(order)
    if as_json:
        click.echo(json.dumps(_as_json(order, draft)))
    else:
        _print(order, draft)


def _check_identity(name: str, version: str) -> None:
    if not is_bundle_name(name):
        raise click.BadParameter(f"{name!a}: 1 to 64 of a-z, 0-9, '.', '_' and '-'", param_hint="--name")
    if not is_version(version):
        raise click.BadParameter(f"{version!a}: a semantic version such as 1.0.0", param_hint="--version")


def _print(order: InitOrder, draft: ModelDraft) -> None:
    click.echo(f"Made {order.directory}: {draft.name} {draft.version}")
    for kind, tensors in (("input", draft.inputs), ("output", draft.outputs)):
        for tensor in tensors:
            click.echo(f"  {kind:6}  {tensor.name}  {tensor.datatype} {list(tensor.shape)}")
    click.echo("Fill in card.toml, and manifest.toml if the model is more than generic. Then sign it:")
    click.echo(f"  stepdown bundle sign {order.directory} --key my-signer.key.pem --create-key")


def _as_json(order: InitOrder, draft: ModelDraft) -> dict[str, object]:
    return {
        "directory": str(order.directory),
        "name": draft.name,
        "version": draft.version,
        "inputs": [_tensor_as_json(tensor) for tensor in draft.inputs],
        "outputs": [_tensor_as_json(tensor) for tensor in draft.outputs],
        "external_data": list(draft.external_data),
    }


def _tensor_as_json(tensor: TensorSpec) -> dict[str, object]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
