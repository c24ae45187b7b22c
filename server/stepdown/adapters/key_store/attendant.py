"""`python -m stepdown.adapters.key_store.attendant`: the child process that alone loads a PKCS#11 library.

Reads one request a line from standard input and answers each on standard output: first `open`, with the PIN, then what
is to be done with one key. Ends when its input does, and after any failure of the token, so that the next one begins
with a fresh library. Refuses to show a private key; of a wrapped data key it gives what is inside.
"""

import os
import sys
from typing import Any, BinaryIO

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    MultipleObjectsReturned,
    NoSuchKey,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
)
from pkcs11.util.ec import encode_ec_public_key, encode_ecdsa_signature
from pkcs11.util.rsa import encode_rsa_public_key

from stepdown.adapters.key_store.messages import decode_line, encode_line
from stepdown.trust.encryption_wrapping import Wrapping
from stepdown.trust.refusal import TrustRule
from stepdown.worker.confinement import leave_no_trace

_PIN_REFUSED = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)
_TAG_BITS = 128
_OAEP = {
    Wrapping.RSA_OAEP_SHA256: (Mechanism.SHA256, pkcs11.MGF.SHA256, None),
    Wrapping.RSA_OAEP_SHA1: (Mechanism.SHA_1, pkcs11.MGF.SHA1, None),
}
_READABLE = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}


class _RefusedError(Exception):
    """Something this program says no to; `rule` is a TrustRule."""

    def __init__(self, rule: TrustRule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule


class Attendant:
    """One session with one token, and what is done in it."""

    def __init__(self) -> None:
        self._session: Any = None
        self._operations = {
            "open": self._open,
            "public": self._public,
            "certificate": self._certificate,
            "sign": self._sign,
            "wrap": self._wrap,
            "unwrap": self._unwrap,
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """What to reply. Raises: _RefusedError, PKCS11Error."""
        return self._operations[request["operation"]](request)

    def _open(self, request: dict[str, Any]) -> dict[str, Any]:
        if not os.path.exists(request["module"]):  # noqa: PTH110 - a path as the library is given it
            raise _RefusedError(TrustRule.TOKEN_UNAVAILABLE, f"there is no library {request['module']}")
        wanted = dict(request["token"])
        library = pkcs11.lib(request["module"])
        found = [
            token
            for token in library.get_tokens(token_label=wanted.pop("token", None))
            if all(_said_of(token, name) == value for name, value in wanted.items())
        ]
        if len(found) != 1:
            raise _RefusedError(TrustRule.TOKEN_UNAVAILABLE, f"{len(found)} tokens fit the URI, exactly 1 must")
        try:
            self._session = found[0].open(user_pin=request["pin"])
        except _PIN_REFUSED as error:
            raise _RefusedError(TrustRule.PIN_REFUSED, f"the token said {type(error).__name__}") from error
        return {}

    def _find(self, request: dict[str, Any], object_class: ObjectClass) -> Any:  # noqa: ANN401 - the library's own
        template: dict[Attribute, Any] = {Attribute.CLASS: object_class}
        if request["label"] is not None:
            template[Attribute.LABEL] = request["label"]
        if request["key_id"] is not None:
            template[Attribute.ID] = request["key_id"]
        found = list(self._session.get_objects(template))
        if len(found) != 1:
            detail = f"{len(found)} objects of class {object_class.name} fit the URI, exactly 1 must"
            raise _RefusedError(TrustRule.TOKEN_KEY_NOT_FOUND, detail)
        return found[0]

    def _public(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._find(request, ObjectClass.PUBLIC_KEY)
        if key.key_type == KeyType.EC:
            return {"kind": "ec", "der": encode_ec_public_key(key)}
        if key.key_type == KeyType.EC_EDWARDS:
            return {"kind": "ed25519", "point": bytes(key[Attribute.EC_POINT])}
        if key.key_type == KeyType.RSA:
            return {"kind": "rsa", "der": encode_rsa_public_key(key)}
        raise _RefusedError(TrustRule.KEY_UNSUPPORTED, f"a key of type {key.key_type.name} is of no use here")

    def _certificate(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"der": bytes(self._find(request, ObjectClass.CERTIFICATE)[Attribute.VALUE])}

    def _sign(self, request: dict[str, Any]) -> dict[str, Any]:
        key = self._find(request, ObjectClass.PRIVATE_KEY)
        if key.key_type == KeyType.EC_EDWARDS:
            return {"signature": key.sign(request["message"], mechanism=Mechanism.EDDSA)}
        return {"signature": encode_ecdsa_signature(key.sign(request["message"], mechanism=Mechanism.ECDSA))}

    # --- data keys ---------------------------------------------------------------------------------------------------

    def _wrap(self, request: dict[str, Any]) -> dict[str, Any]:
        """By the key alone: an AES key by GCM where the token has it, else by RFC 3394."""
        key = self._find(request, ObjectClass.SECRET_KEY)
        has_gcm = Mechanism.AES_GCM in self._session.token.slot.get_mechanisms()
        if has_gcm and request["wrapping"] != Wrapping.AES_KEY_WRAP:
            parameters = pkcs11.GCMParams(request["nonce"], request["bound_to"], _TAG_BITS)
            wrapped = key.encrypt(request["data_key"], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
            return {"wrapping": Wrapping.AES_256_GCM, "wrapped": request["nonce"] + wrapped}
        data_key = self._session.create_object(
            {
                Attribute.CLASS: ObjectClass.SECRET_KEY,
                Attribute.KEY_TYPE: KeyType.AES,
                Attribute.TOKEN: False,
                Attribute.VALUE: request["data_key"],
                **_READABLE,
            }
        )
        return {"wrapping": Wrapping.AES_KEY_WRAP, "wrapped": key.wrap_key(data_key, mechanism=Mechanism.AES_KEY_WRAP)}

    def _unwrap(self, request: dict[str, Any]) -> dict[str, Any]:
        wrapping = Wrapping(request["wrapping"])
        is_rsa = wrapping in _OAEP
        object_class = ObjectClass.PRIVATE_KEY if is_rsa else ObjectClass.SECRET_KEY
        key = self._find(request, object_class)
        try:
            return {"data_key": self._unwrapped(key, wrapping, request)}
        except PKCS11Error as error:
            self._find(request, object_class)  # a token that went away says so here; one that is there refused
            detail = f"the token said {type(error).__name__}"
            raise _RefusedError(TrustRule.DATA_KEY_REFUSED, detail) from error

    def _unwrapped(self, key: Any, wrapping: Wrapping, request: dict[str, Any]) -> bytes:  # noqa: ANN401
        wrapped, nonce_bytes = request["wrapped"], request["nonce_bytes"]
        if wrapping in _OAEP:
            return bytes(key.decrypt(wrapped, mechanism=Mechanism.RSA_PKCS_OAEP, mechanism_param=_OAEP[wrapping]))
        if wrapping is Wrapping.AES_256_GCM:
            parameters = pkcs11.GCMParams(wrapped[:nonce_bytes], request["bound_to"], _TAG_BITS)
            opened = key.decrypt(wrapped[nonce_bytes:], mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
            return bytes(opened)
        data_key = key.unwrap_key(
            ObjectClass.SECRET_KEY,
            KeyType.AES,
            wrapped,
            mechanism=Mechanism.AES_KEY_WRAP,
            store=False,
            template=_READABLE,
        )
        return bytes(data_key[Attribute.VALUE])


def _said_of(token: Any, name: str) -> str:  # noqa: ANN401 - the library's own
    value = {"manufacturer": token.manufacturer_id, "serial": token.serial, "model": token.model}[name]
    return value.decode("ascii", "replace").strip("\0 ") if isinstance(value, bytes) else str(value)


def serve(requests: BinaryIO, replies: BinaryIO) -> int:
    """Answer until the input ends (0) or the token fails (1)."""
    attendant = Attendant()
    for line in requests:
        failed = False
        try:
            reply = attendant.answer(decode_line(line))
        except _RefusedError as error:
            reply = {"refused": error.rule, "detail": str(error)}
        except (NoSuchKey, MultipleObjectsReturned) as error:
            reply = {"refused": TrustRule.TOKEN_KEY_NOT_FOUND, "detail": type(error).__name__}
        except (PKCS11Error, RuntimeError, OSError) as error:
            failed = True
            reply = {"refused": TrustRule.TOKEN_UNAVAILABLE, "detail": f"the token said {type(error).__name__}"}
        replies.write(encode_line(reply))
        replies.flush()
        if failed:
            return 1
    return 0


def main() -> int:
    """Serve the pipes this process was started with."""
    leave_no_trace()
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not look like an answer
    return serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    sys.exit(main())
