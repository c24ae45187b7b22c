"""`stepdown ledger verify`: a whole copy against signed checkpoints, or one filed proof. Needs no server."""

import json
import sys
from pathlib import Path

import click

from stepdown.adapters.ledger.keys import is_signed, read_verifier_key
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.cli.options import FILE, as_json_option
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.domain.records import LedgerError
from stepdown.ledger.checkpoint import Checkpoint, verify_checkpoint, verify_cosignature
from stepdown.ledger.proof import parse_proof, verify_proof
from stepdown.ledger.signed_note import NoteKey
from stepdown.ledger.verification import Finding, FindingKind, Verdict, read_notes, verify_copy

_MOST_BYTES = 1 << 20
_END_OF_TIME = 1 << 63


@click.command("verify")
@click.argument("copy", metavar="[LEDGER]", type=FILE, required=False)
@click.option("--key", "key_file", type=FILE, required=True, help="The ledger's public key (one line).")
@click.option("--checkpoint", "checkpoint_files", type=FILE, multiple=True, help="A checkpoint that you kept.")
@click.option("--witness", "witness_file", type=FILE, help="Demand this witness's cosignature on each --checkpoint.")
@click.option("--proof", "proof_file", type=FILE, help="Instead of a ledger: the proof of one record.")
@as_json_option
@refusals_end_the_command
def verify(
    *,
    copy: Path | None,
    key_file: Path,
    checkpoint_files: tuple[Path, ...],
    witness_file: Path | None,
    proof_file: Path | None,
    as_json: bool,
) -> None:
    """Verify the copy of a ledger in LEDGER, record by record, or the proof of one record."""
    if (copy is None) is (proof_file is None):
        raise click.UsageError("name either a LEDGER or a --proof")
    key = read_verifier_key(key_file)
    if proof_file is not None:
        _verify_proof(proof_file, key, as_json=as_json)
        return
    notes = [_text(file) for file in checkpoint_files]
    if witness_file is not None:
        _require_witness(notes, read_verifier_key(witness_file))
    reader = LedgerReader(copy or Path(), is_copy=True)
    given = [verify_checkpoint(note, key, is_signed) for note in notes]
    own = read_notes(reader.checkpoints(), key, is_signed)
    checkpoints = [*own.signed, *given]
    if own.forged and not checkpoints:
        raise LedgerError(f"no checkpoint was given, and none in the copy holds: {own.forged[0].detail}")
    beside = (*own.forged, *_file_findings(reader))
    verdict = verify_copy(reader.rows(), checkpoints, subtrees=reader.subtrees(), beside=beside)
    _print(verdict, checkpoints, as_json=as_json)
    sys.exit(0 if verdict.is_intact else 1)


def _file_findings(reader: LedgerReader) -> tuple[Finding, ...]:
    """What SQLite itself says of the file: it concerns every record that is looked up in it."""
    last = max(reader.place_of_time(_END_OF_TIME) - 1, 0)
    return tuple(Finding(kind=FindingKind.FILE, first=0, last=last, detail=text) for text in reader.problems())


def _verify_proof(file: Path, key: NoteKey, *, as_json: bool) -> None:
    proof = parse_proof(_text(file))
    record, checkpoint = verify_proof(proof, key, is_signed)
    if as_json:
        click.echo(json.dumps({"intact": True, "record": json.loads(proof.body), "size": checkpoint.size}))
    else:
        click.echo(f"proven: record {record.sequence} ({record.kind}, {record.time}) is on {checkpoint.origin},")
        click.echo(f"under the checkpoint over {checkpoint.size} records that {key.name} signed")


def _require_witness(notes: list[str], witness: NoteKey) -> None:
    if not notes:
        raise click.UsageError("--witness needs a --checkpoint, which is what a witness signs")
    for note in notes:
        verify_cosignature(note, witness, is_signed)


def _print(verdict: Verdict, checkpoints: list[Checkpoint], *, as_json: bool) -> None:
    findings = [
        {"finding": each.kind.value, "first": each.first, "last": each.last, "detail": each.detail}
        for each in verdict.findings
    ]
    if as_json:
        document = {
            "intact": verdict.is_intact,
            "size": verdict.size,
            "covered": verdict.covered,
            "pruned": verdict.pruned,
            "checkpoints": len(checkpoints),
            "root": verdict.root.hex(),
            "findings": findings,
        }
        click.echo(json.dumps(document))
        return
    for each in verdict.findings:
        place = f"record {each.first}" if each.first == each.last else f"records {each.first} to {each.last}"
        click.echo(f"{each.kind.value}  {place}: {each.detail}")
    counts = f"{verdict.size} records, {verdict.covered} covered by {len(checkpoints)} signed checkpoints"
    pruned = f", {verdict.pruned} pruned" if verdict.pruned else ""
    click.echo(f"{'intact' if verdict.is_intact else 'NOT INTACT'}: {counts}{pruned}")


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(_MOST_BYTES)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise LedgerError(f"{file} is not text") from error
