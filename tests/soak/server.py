"""The server that is soaked: with a ledger, a state directory and a second version of each model to change to."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stepdown.adapters.ledger.keys import is_signed, read_verifier_key, verifier_key_path
from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.domain.records import RecordKind, StoredRecord
from stepdown.ledger.checkpoint import verify_checkpoint
from stepdown.ledger.encoding import decode
from stepdown.ledger.verification import verify_copy
from stepdown.trust.digests import bundle_digest
from tests.faults.new_versions import DISTILLED, FULL, SIGNER, release, trust_releases
from tests.faults.running_server import RunningServer, keep_ledger, running_server
from tests.soak.tally import Label

OTHER_VERSION = "1.1.0"
_BUNDLES: Mapping[str, str] = {"full": FULL, "distilled": DISTILLED}


@contextmanager
def soaked_server() -> Iterator[RunningServer]:
    """A whole demo chain whose first versions serve. Raises: AssertionError when it does not come to that."""
    folders: list[Path] = []

    def change(settings: dict[str, Any]) -> None:
        (folder,) = folders
        trust_releases(folder, settings)
        keep_ledger(settings)
        # An absent device is looked for every other second, or a drill of one would cost a minute.
        settings["engine"] = {"unavailable_retry_s": 2.0}

    with running_server(change, spoil=folders.append) as server:
        server.until_capable("FULL")
        yield server


def release_others(server: RunningServer) -> Mapping[str, Label]:
    """Lay a second version of each model beside the first; returns, by tier, what its answers must say."""
    return {
        tier: (_digest(release(server.folder, bundle, OTHER_VERSION)), (SIGNER,)) for tier, bundle in _BUNDLES.items()
    }


def signed_answers(server: RunningServer) -> int:
    """How many answers are on the ledger, each of its records verified; 0 for one that is not what was signed."""
    reader = LedgerReader(_ledger(server))
    key = read_verifier_key(verifier_key_path(_ledger(server).with_name("ledger.key.pem")))
    checkpoints = [verify_checkpoint(note, key, is_signed) for _, note in reader.checkpoints()]
    kinds: Counter[str] = Counter()

    def counted() -> Iterator[StoredRecord]:
        for row in reader.rows():
            kinds[decode(row.body or b"").kind] += 1
            yield row

    return kinds[RecordKind.ANSWER] if verify_copy(counted(), checkpoints).is_intact else 0


def records(server: RunningServer, state: str) -> float:
    """Records that are `waiting` for the disk, or were `missed`, by the server's own count."""
    name = {"waiting": "stepdown_ledger_waiting_records", "missed": "stepdown_ledger_missed_records_total"}[state]
    lines = server.get("/metrics")[1].splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def _ledger(server: RunningServer) -> Path:
    return server.folder / "certificates" / "ledger.db"


def _digest(bundle: Path) -> str:
    files = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()}
    return bundle_digest({name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()})
