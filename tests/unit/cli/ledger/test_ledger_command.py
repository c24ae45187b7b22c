"""`stepdown ledger` as an auditor runs it, on ledgers that an honest server wrote and somebody else changed."""

import hashlib
import hmac
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stepdown.adapters.ledger.keys import DigestKey
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.cli.commands import stepdown
from stepdown.domain.records import Draft, RecordKind
from stepdown.transport.servicers.provenance import provenance
from tests.fakes.ledger_keys import Witness, note_signer
from tests.fakes.ledger_on_disk import NAME, LedgerOnDisk
from tests.unit.transport.grpc_side import TRUST_DOMAIN, Recorded, authority, client_credential, grpc_side

COUNT = 12
SECRET = b"\x07" * 32


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    one = LedgerOnDisk(folder, checkpoint_period_s=0.001)
    one.store.start()
    for number in range(COUNT - 1):
        one.record(number)
    said = {"request_hmac": DigestKey(secret=SECRET).digest(b"request"), "band": "HIGH", "tier": "full"}
    one.store.submit(Draft(kind=RecordKind.ANSWER, time_s=1_800_000_000.0, facts=said))
    one.store.close()
    (folder / "ledger.vkey").write_text(note_signer(NAME).key.line() + "\n")
    (folder / "digests.key").write_text(SECRET.hex())
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy to do with as one likes."""
    shutil.copytree(written, tmp_path / "copy")
    return tmp_path / "copy"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(stepdown, ["ledger", *map(str, arguments)])


def verified(folder: Path, *more: object) -> Result:
    return run("verify", folder / "ledger.db", "--key", folder / "ledger.vkey", *more)


def forge(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as connection:
        connection.create_function("leaf", 1, lambda body: hashlib.sha256(b"\0" + body).digest())
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for trigger, _ in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in (*statements, *(sql for _, sql in triggers)):
            connection.execute(statement)


ALTER_ONE = """UPDATE record SET body = CAST(replace(CAST(body AS TEXT), '"number":5', '"number":9') AS BLOB)
    WHERE sequence = 5"""


def test_an_honest_copy_is_intact(folder: Path) -> None:
    result = verified(folder, "--checkpoint", folder / "second-place" / "checkpoint")
    assert (result.exit_code, result.output.split(":")[0]) == (0, "intact")
    document = json.loads(verified(folder, "--json").output)
    assert (document["intact"], document["size"], document["covered"], document["findings"]) == (True, COUNT, COUNT, [])


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        ((ALTER_ONE,), "ALTERED  record 5:"),
        (
            (ALTER_ONE, "UPDATE record SET leaf = leaf(body)"),
            "ALTERED  record 5:",
        ),
        (("DELETE FROM record WHERE sequence = 5",), "REMOVED  record 5:"),
        (
            (
                "DELETE FROM record WHERE sequence = 5",
                "UPDATE record SET sequence = sequence - 1 WHERE sequence > 5",
            ),
            "REMOVED  record 5:",
        ),
        (
            (
                "UPDATE record SET sequence = -1 WHERE sequence = 5",
                "UPDATE record SET sequence = 5 WHERE sequence = 9",
                "UPDATE record SET sequence = 9 WHERE sequence = -1",
            ),
            "REORDERED  record 5:",
        ),
        (
            (
                "UPDATE record SET sequence = -sequence - 1 WHERE sequence > 5",
                "UPDATE record SET sequence = -sequence WHERE sequence < 0",
                "INSERT INTO record SELECT 6, time_us, kind, leaf, body FROM record WHERE sequence = 3",
            ),
            "INSERTED  record 3:",
        ),
        (("DELETE FROM record WHERE sequence > 8",), "CUT  records 9 to 11:"),
        (("UPDATE record SET body = NULL WHERE sequence = 5",), "REMOVED  record 5:"),
    ],
)
def test_what_was_done_to_a_copy_is_named(folder: Path, statements: tuple[str, ...], said: str) -> None:
    forge(folder, *statements)
    result = verified(folder)
    assert result.exit_code == 1
    assert said in result.output
    assert "NOT INTACT" in result.output


def test_a_cut_that_took_the_checkpoints_along_is_seen_by_whoever_kept_one(folder: Path) -> None:
    forge(folder, "DELETE FROM record WHERE sequence > 8", "DELETE FROM checkpoint WHERE size > 9")
    assert verified(folder).exit_code == 0
    result = verified(folder, "--checkpoint", folder / "second-place" / "checkpoint")
    assert (result.exit_code, "CUT  records 9 to 11" in result.output) == (1, True)


def test_another_ledgers_key_or_checkpoint_is_refused(folder: Path) -> None:
    (folder / "ledger.vkey").write_text(note_signer(NAME, seed=2).key.line())
    result = verified(folder)
    assert (result.exit_code, "not signed by" in result.output) == (1, True)


def test_a_witness_is_demanded(folder: Path) -> None:
    witness = Witness("witness.example/w1")
    (folder / "witness.vkey").write_text(witness.key.line())
    exported = folder / "second-place" / "checkpoint"
    demanded = ("--witness", folder / "witness.vkey")
    assert verified(folder, *demanded).exit_code == 2
    assert "not cosigned by" in verified(folder, "--checkpoint", exported, *demanded).output
    exported.write_text(witness.cosign(exported.read_text(), time_s=1_800_000_000))
    assert verified(folder, "--checkpoint", exported, *demanded).exit_code == 0


def test_a_record_is_shown_from_a_file(folder: Path) -> None:
    shown = run("show", f"{NAME}/3", "--file", folder / "ledger.db")
    assert json.loads(shown.output)["facts"] == {"number": 3}
    lines = run("show", "--last", "2", "--file", folder / "ledger.db").output.splitlines()
    assert [line.split()[0] for line in lines] == ["11", "10"]
    assert "band=HIGH" in lines[0]
    raw = run("show", "3", "--json", "--file", folder / "ledger.db").output
    assert hashlib.sha256(raw.encode()).digest()  # one line, as it was digested
    assert json.loads(raw)["sequence"] == 3
    forge(folder, "UPDATE record SET body = NULL WHERE sequence = 3")
    assert "let go" in run("show", "3", "--file", folder / "ledger.db").output


@pytest.mark.parametrize("asked", ["99", "nothing"])
def test_a_record_that_is_not_there_is_said(folder: Path, asked: str) -> None:
    for command in (("show",), ("prove", "--verifier", folder / "ledger.vkey")):
        result = run(*command, asked, "--file", folder / "ledger.db")
        assert (result.exit_code, "error:" in result.output) == (1, True)


def test_a_proof_is_made_from_a_file_filed_and_verified_without_it(folder: Path) -> None:
    proof = folder / "proof.json"
    made = run("prove", "3", "--file", folder / "ledger.db", "--verifier", folder / "ledger.vkey", "--output", proof)
    assert made.exit_code == 0
    (folder / "ledger.db").unlink()
    checked = run("verify", "--proof", proof, "--key", folder / "ledger.vkey")
    assert (checked.exit_code, "proven: record 3" in checked.output) == (0, True)
    assert json.loads(run("verify", "--proof", proof, "--key", folder / "ledger.vkey", "--json").output)["intact"]
    proof.write_text(proof.read_text().replace('\\"number\\":3', '\\"number\\":4'))
    refused = run("verify", "--proof", proof, "--key", folder / "ledger.vkey")
    assert (refused.exit_code, "does not lead" in refused.output) == (1, True)


def test_a_message_in_hand_is_shown_to_be_the_records(folder: Path) -> None:
    asked = ("prove", "11", "--file", folder / "ledger.db", "--verifier", folder / "ledger.vkey")
    (folder / "request").write_bytes(b"request")
    (folder / "other").write_bytes(b"other")
    assert run(*asked, "--request", folder / "request").exit_code == 2
    key = ("--digest-key", folder / "digests.key")
    same = run(*asked, "--request", folder / "request", *key)
    assert (same.exit_code, "is what the record is about" in same.output) == (0, True)
    other = run(*asked, "--request", folder / "other", *key)
    assert (other.exit_code, "request_hmac differs" in other.output) == (1, True)
    assert run(*asked, "--answer", folder / "request", *key).exit_code == 1
    assert hmac.new(SECRET, b"request", "sha256").hexdigest() in same.output


@pytest.fixture
def served(written: Path, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """A server over the ledger, as the options that name it."""
    auditor = client_credential(f"spiffe://{TRUST_DOMAIN}/auditor/test")
    (tmp_path / "ca").write_bytes(authority().certificate_pem)
    (tmp_path / "cert").write_bytes(auditor.certificate_pem)
    (tmp_path / "key").write_bytes(auditor.private_key_pem)
    service = provenance(archive=LedgerReader(written / "ledger.db"), ledger=NAME, event=Recorded().event)
    with grpc_side(add_services=(service,)) as side:
        files = (part for name in ("ca", "cert", "key") for part in (f"--{name}", str(tmp_path / name)))
        yield ("--address", side.listener.address, *files)


def test_records_are_shown_and_proven_from_a_running_server(written: Path, served: tuple[str, ...]) -> None:
    assert json.loads(run("show", f"{NAME}/3", *served).output)["facts"] == {"number": 3}
    assert len(run("show", "--last", "5", *served).output.splitlines()) == 5
    proven = run("prove", f"{NAME}/3", "--verifier", written / "ledger.vkey", *served)
    assert (proven.exit_code, "proven: record 3" in proven.output) == (0, True)
    for command in (("show",), ("prove", "--verifier", written / "ledger.vkey")):
        missing = run(*command, f"{NAME}/99", *served)
        assert (missing.exit_code, "error:" in missing.output) == (1, True)


def test_the_public_key_of_a_signing_key_is_printed(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - for this one alone
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    signer = note_signer(NAME)
    file = tmp_path / "ledger.key.pem"
    file.write_bytes(signer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert run("key", "--signing-key", file, "--name", NAME).output.strip() == signer.key.line()


def test_there_must_be_something_to_verify(folder: Path) -> None:
    assert run("verify", "--key", folder / "ledger.vkey").exit_code == 2
    (folder / "bytes").write_bytes(b"\xff")
    assert "is not text" in verified(folder, "--checkpoint", folder / "bytes").output
