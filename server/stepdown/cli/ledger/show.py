"""`stepdown ledger show`: records, from a running server or from a file."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.cli.options import FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.cli.target import Target, auditor_target_options
from stepdown.client.failures import AssessmentError
from stepdown.client.provenance import get_record, newest_records
from stepdown.domain.records import LedgerError

DEFAULT_COUNT = 20


@click.command("show")
@click.argument("record_id", metavar="[RECORD_ID]", required=False)
@click.option("--file", "copy", type=FILE, help="Read this ledger, or a copy of one, instead of asking a server.")
@click.option(
    "--last", "count", type=click.IntRange(1, 500), default=DEFAULT_COUNT, show_default=True, help="How many."
)
@auditor_target_options
@as_json_option
@refusals_end_the_command
def show(*, record_id: str | None, copy: Path | None, count: int, target: Callable[[], Target], as_json: bool) -> None:
    """Show the record RECORD_ID (from an answer's `record_id`; offline its place does), or the newest records."""
    bodies = _from_file(copy, record_id, count) if copy is not None else _from_server(target(), record_id, count)
    for body in bodies:
        if not body:
            click.echo('{"pruned":true}' if as_json else "(the body was let go; the digest is kept)")
        elif as_json:
            click.echo(body.decode())
        elif record_id is not None:
            click.echo(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
        else:
            click.echo(_line(json.loads(body)))


def place_of(record_id: str) -> int:
    """The place that a record id ends in. Raises: LedgerError."""
    place = record_id.rpartition("/")[2]
    if not (place.isascii() and place.isdecimal()):
        raise LedgerError(f"{record_id} is not the id of a record")
    return int(place)


def _from_file(copy: Path, record_id: str | None, count: int) -> list[bytes]:
    reader = LedgerReader(copy, is_copy=True)
    if record_id is None:
        return [record.body or b"" for record in reader.records(before=None, kind="", most=count)]
    record = reader.record(place_of(record_id))
    if record is None:
        raise LedgerError(f"{copy} holds no record {record_id}")
    return [record.body or b""]


def _from_server(target: Target, record_id: str | None, count: int) -> list[bytes]:
    try:
        if record_id is None:
            return [record.body for record in newest_records(target.address, target.credentials, count)]
        return [get_record(target.address, target.credentials, record_id).body]
    except AssessmentError as error:
        raise LedgerError(str(error)) from error


def _line(record: dict[str, object]) -> str:
    facts = record["facts"]
    shown = ("act", "pathway", "tier", "band", "state", "capability", "reason", "method", "bundle")
    said = [f"{name}={facts[name]}" for name in shown if isinstance(facts, dict) and facts.get(name)]
    return f"{record['sequence']!s:>8}  {record['time']}  {record['kind']!s:<18} {' '.join(said)}"
