"""The key that signs checkpoints, from a file or from a token, as the settings name it.

A token's public half is kept beside the ledger, so that a server comes up and records while the token is away. Refuses
to begin a ledger whose key was never seen.
"""

from dataclasses import dataclass
from pathlib import Path

from stepdown.adapters.key_store.signing import TokenNoteSigner, token_note_signer
from stepdown.adapters.key_store.token import TokenKey
from stepdown.adapters.key_store.uri import is_token_uri, parse_token_uri
from stepdown.adapters.keys import replace_file
from stepdown.adapters.ledger.keys import read_note_signer, read_verifier_key
from stepdown.domain.errors import TrustError
from stepdown.domain.records import LedgerError
from stepdown.ledger.signed_note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointKey:
    """What signs. `is_remote`: it may be slow or away, so nothing else may wait for it."""

    signer: Signer
    is_remote: bool = False


def read_checkpoint_key(named: str, *, name: str, ledger: Path | None = None) -> CheckpointKey:
    """The key that a path or a PKCS#11 URI names. `ledger`: where its public half is kept beside.

    Raises: LedgerError, TrustError, OSError.
    """
    if not is_token_uri(named):
        return CheckpointKey(signer=read_note_signer(Path(named), name=name))
    key = TokenKey(parse_token_uri(named))
    kept = ledger.with_name(ledger.name + ".vkey") if ledger is not None else None
    try:
        signer = token_note_signer(key, name=name)
    except TrustError:
        if kept is None or not kept.exists():
            raise
        public = read_verifier_key(kept)
        if public.name != name:
            raise LedgerError(f"{kept} is the key of {public.name}, not of {name}") from None
        return CheckpointKey(signer=TokenNoteSigner(token_key=key, key=public), is_remote=True)
    if kept is not None:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(kept, signer.key.line().encode() + b"\n", mode=0o644)
    return CheckpointKey(signer=signer, is_remote=True)
