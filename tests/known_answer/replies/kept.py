"""Where the kept requests and replies lie, as gzipped messages of the wire contract."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
REQUESTS = _HERE / "requests.binpb.gz"
REPLIES = _HERE / "replies.binpb.gz"
LEDGER = _HERE / "ledger.sha256"
