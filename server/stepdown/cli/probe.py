"""`stepdown probe`: which execution providers really work here, and why the others do not.

Exit code 0 when the CPU can be used, without which no chain can be built; 1 when not. Refuses to guess: every line
with a yes was proven by a model that ran.
"""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from stepdown.adapters.inventory import Inventory, InventoryError, ProviderVerdict, take_inventory
from stepdown.cli.options import as_json_option
from stepdown.domain.tiers import ExecutionProvider

_GIBIBYTE = 1 << 30


@click.command("probe")
@click.option(
    "--device", "device_id", type=click.IntRange(min=0), default=0, show_default=True, help="Accelerator number."
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Seconds each provider may take.",
)
@as_json_option
@click.pass_context
def probe(context: click.Context, *, device_id: int, timeout_s: float, as_json: bool) -> None:
    """Show which execution providers really work here, each proven by a model that ran."""
    try:
        inventory = take_inventory(timeout_s=timeout_s, device_id=device_id)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(inventory)))
    else:
        _print(Console(), inventory)
    if not any(verdict.usable and verdict.provider is ExecutionProvider.CPU for verdict in inventory.providers):
        context.exit(1)


def _print(console: Console, inventory: Inventory) -> None:
    table = Table("Provider", "Compiled in", "Usable", "Device")
    table.add_column("Why not", overflow="fold", ratio=1)
    for verdict in inventory.providers:
        table.add_row(*_row(verdict))
    console.print(table)
    console.print(
        f"ONNX Runtime {inventory.runtime_version}; {inventory.processor}, "
        f"{inventory.processors} processor(s) may be used",
        highlight=False,
    )
    memory = "" if inventory.memory_bytes is None else f"{inventory.memory_bytes / _GIBIBYTE:.1f} GiB of memory; "
    cores = ", ".join(map(str, inventory.reserved_cores))
    console.print(
        f"{memory}{f'cores {cores} are' if cores else 'no cores, being too few, are'} kept for CPU tiers beside "
        "accelerator tiers",
        highlight=False,
    )
    for device in inventory.devices:
        memory = "" if device.memory_bytes is None else f", {device.memory_bytes / _GIBIBYTE:.0f} GiB"
        warnings = "".join(f"; [bold red]{warning}[/]" for warning in device.warnings)
        console.print(f"{device.name}{memory}{warnings}", highlight=False)


def _row(verdict: ProviderVerdict) -> tuple[str, ...]:
    usable = "[green]yes[/]" if verdict.usable else "[red]no[/]"
    return (verdict.provider, "yes" if verdict.compiled_in else "no", usable, verdict.device, verdict.why_not)
