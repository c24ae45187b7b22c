"""`stepdown ledger prove`: the proof of one record, checked on arrival and written to file.

With the messages in hand and the digest key, it also says whether they are the request and the answer of the record.
"""

import hmac
from collections.abc import Callable
from pathlib import Path

import click

from stepdown.adapters.ledger.keys import is_signed, read_digest_key, read_verifier_key
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.cli.ledger.show import place_of
from stepdown.cli.options import FILE, NEW
from stepdown.cli.refusals import refusals_end_the_command
from stepdown.cli.target import Target, auditor_target_options
from stepdown.client.failures import AssessmentError
from stepdown.client.provenance import get_proof
from stepdown.domain.records import LedgerError, Record
from stepdown.ledger.proof import RecordProof, verify_proof


@click.command("prove")
@click.argument("record_id", metavar="RECORD_ID")
@click.option("--file", "copy", type=FILE, help="Prove from this ledger, or a copy of one, instead of asking a server.")
@click.option("--verifier", "key_file", type=FILE, required=True, help="The ledger's public key (one line).")
@click.option("--output", type=NEW, help="Where to write the proof. Default: standard output.")
@click.option("--request", "request_file", type=FILE, help="A request's bytes, to be compared with the record.")
@click.option("--answer", "answer_file", type=FILE, help="An answer's bytes without its record, likewise.")
@click.option("--digest-key", "digest_key_file", type=FILE, help="What digests are keyed with; needed to compare.")
@auditor_target_options
@refusals_end_the_command
def prove(  # noqa: PLR0913 - one for each option
    *,
    record_id: str,
    copy: Path | None,
    key_file: Path,
    output: Path | None,
    request_file: Path | None,
    answer_file: Path | None,
    digest_key_file: Path | None,
    target: Callable[[], Target],
) -> None:
    """Prove that the record RECORD_ID is on the ledger, as it is."""
    messages = {"request_hmac": request_file, "answer_hmac": answer_file}
    if any(messages.values()) and digest_key_file is None:
        raise click.UsageError("to compare messages with a record, name the --digest-key")
    proof = _from_file(copy, record_id) if copy is not None else _from_server(target(), record_id)
    record, checkpoint = verify_proof(proof, read_verifier_key(key_file), is_signed)
    for fact, file in messages.items():
        if file is not None and digest_key_file is not None:
            _compare(record, fact, file, digest_key_file)
    if output is None:
        click.echo(proof.document())
    else:
        output.write_text(proof.document() + "\n", "utf-8")
    click.echo(f"proven: record {record.sequence} is under the checkpoint over {checkpoint.size} records", err=True)


def _compare(record: Record, fact: str, file: Path, digest_key_file: Path) -> None:
    """Raises: LedgerError when the message is not the record's."""
    said = record.facts.get(fact)
    if not isinstance(said, str) or not hmac.compare_digest(
        read_digest_key(digest_key_file).digest(file.read_bytes()), said
    ):
        raise LedgerError(f"{file} is not what record {record.sequence} is about ({fact} differs)")
    click.echo(f"{fact}: {file} is what the record is about", err=True)


def _from_file(copy: Path, record_id: str) -> RecordProof:
    reader, place = LedgerReader(copy, is_copy=True), place_of(record_id)
    record, checkpoint = reader.record(place), reader.checkpoint()
    if record is None or checkpoint is None or place >= checkpoint[0]:
        raise LedgerError(f"{copy} holds no record {record_id} under a signed checkpoint")
    path = reader.inclusion(place, checkpoint[0])
    return RecordProof(sequence=place, body=record.body or b"", path=path, checkpoint=checkpoint[1])


def _from_server(target: Target, record_id: str) -> RecordProof:
    try:
        proof = get_proof(target.address, target.credentials, record_id)
    except AssessmentError as error:
        raise LedgerError(str(error)) from error
    if proof.record.record_id != record_id:
        raise LedgerError(f"asked for {record_id}, the server gave {proof.record.record_id}")
    return RecordProof(
        sequence=proof.record.sequence, body=proof.record.body, path=proof.path, checkpoint=proof.checkpoint
    )
