"""One key of one token as the server holds it: calls to an attendant, each with an end.

The attendant is started when it is first needed, killed when it does not answer in time, and started again for the next
call: a token that was away is used again by itself. Refuses to try a PIN again that the token has refused, because
tokens lock themselves after a few: the next try is made once the PIN's file says something else.
"""

import hmac
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import IO, Any

import stepdown
from stepdown.adapters.key_store.messages import MAXIMUM_LINE, decode_line, encode_line
from stepdown.adapters.key_store.pins import read_pin
from stepdown.adapters.key_store.uri import TokenKeyUri
from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

PATIENCE_S = 10.0
"""How long a token may take for one answer, its library's start included."""
_PROGRAM = (sys.executable, "-m", "stepdown.adapters.key_store.attendant")
_SOURCE_ROOT = str(Path(stepdown.__file__).resolve().parent.parent)
_ENDS_WITHIN_S = 2.0
# A token that was taken away under an open session may only seem to hold no such key.
_BEGIN_ANEW = frozenset({TrustRule.TOKEN_UNAVAILABLE, TrustRule.TOKEN_KEY_NOT_FOUND})

PinSource = Callable[[], str | None]


class TokenKey:
    """A key by its URI. Calls from several threads wait for one another."""

    def __init__(self, uri: TokenKeyUri, *, pin: PinSource | None = None, patience_s: float = PATIENCE_S) -> None:
        """`pin` is asked at each opening of the token; without it the URI's `pin-source` is read."""
        self.uri = uri
        self._pin = pin or self._pin_from_uri
        self.patience_s = patience_s
        self._lock = Lock()
        self._attendant: subprocess.Popen[bytes] | None = None
        self._refused_pin = b""

    def call(self, operation: str, **request: object) -> dict[str, Any]:
        """Have it done. Raises: TrustError of the token's rules; then nothing is known to have been done."""
        with self._lock:
            try:
                if self._attendant is None:
                    self._open()
                return self._ask({"operation": operation, **self._key(), **request})
            except TrustError as error:
                if error.rule in _BEGIN_ANEW:
                    self._let_go()
                raise

    @property
    def process_id(self) -> int | None:
        """The attendant's; None while there is none."""
        return None if self._attendant is None else self._attendant.pid

    def close(self) -> None:
        """End the attendant, and with it the session."""
        with self._lock:
            self._let_go()

    def _key(self) -> dict[str, object]:
        return {"label": self.uri.label, "key_id": self.uri.key_id}

    def _pin_from_uri(self) -> str | None:
        return read_pin(self.uri.pin_source) if self.uri.pin_source is not None else None

    # --- the attendant -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if find_spec("pkcs11") is None:
            detail = "python-pkcs11 is not installed; it comes with the extra: pip install 'stepdown[hsm]'"
            raise self._refusal(TrustRule.TOKEN_UNAVAILABLE, detail)
        pin = self._pin()
        seen = sha256((pin or "").encode()).digest()
        if hmac.compare_digest(seen, self._refused_pin):
            raise self._refusal(TrustRule.PIN_REFUSED, "the token refused this PIN before; it is not tried again")
        try:
            self._attendant = subprocess.Popen(
                _PROGRAM,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,  # a request left in a buffer could not be let go of once the attendant has ended
                env={**os.environ, "PYTHONPATH": _SOURCE_ROOT},
                start_new_session=True,
            )
        except OSError as error:
            raise self._refusal(TrustRule.TOKEN_UNAVAILABLE, f"no process for it: {error.strerror}") from error
        try:
            self._ask({"operation": "open", "module": str(self.uri.module), "token": dict(self.uri.token), "pin": pin})
        except TrustError as error:
            if error.rule == TrustRule.PIN_REFUSED:
                self._refused_pin = seen
            self._let_go()
            raise

    def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        attendant = self._attendant
        if attendant is None or attendant.stdin is None or attendant.stdout is None:
            raise self._refusal(TrustRule.TOKEN_UNAVAILABLE, "no attendant")
        try:
            attendant.stdin.write(encode_line(request))
            reply = decode_line(self._line(attendant.stdout))
        except (OSError, ValueError) as error:
            raise self._refusal(TrustRule.TOKEN_UNAVAILABLE, "its attendant ended") from error
        if "refused" in reply:
            raise self._refusal(TrustRule(reply["refused"]), reply["detail"])
        return reply

    def _line(self, source: IO[bytes]) -> bytes:
        """One line, within the patience. Raises: TrustError, OSError at the end of the input."""
        line, end_s = b"", time.monotonic() + self.patience_s
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, end_s - time.monotonic())):
                    raise self._refusal(TrustRule.TOKEN_UNAVAILABLE, f"no answer within {self.patience_s:g} s")
                part = os.read(source.fileno(), MAXIMUM_LINE)
                line += part
                if not part or len(line) > MAXIMUM_LINE:
                    raise BrokenPipeError
        return line

    def _let_go(self) -> None:
        attendant, self._attendant = self._attendant, None
        if attendant is not None:
            attendant.kill()
            with attendant:  # closes the pipes and reaps
                attendant.wait(_ENDS_WITHIN_S)

    def _refusal(self, rule: TrustRule, detail: str) -> TrustError:
        return TrustError(rule=rule, detail=f"{self.uri}: {detail}")
