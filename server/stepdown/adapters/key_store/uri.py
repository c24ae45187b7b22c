"""PKCS#11 URIs (RFC 7512): which key of which token, through which library, and where the PIN is found.

Refuses a PIN inside the URI, which would stand in configuration files, shell histories and process lists, and every
attribute it does not know: one that was ignored could have said that another key is meant.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote_to_bytes, urlsplit

from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

SCHEME = "pkcs11:"
_TOKEN_ATTRIBUTES = frozenset({"token", "manufacturer", "serial", "model"})
_KEY_ATTRIBUTES = frozenset({"object", "id", "type"})
_QUERY_ATTRIBUTES = frozenset({"module-path", "pin-source"})
_TYPES = frozenset({"private", "public", "secret-key", "cert"})
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKeyUri:
    """One key of one token.

    `token` holds what the URI says of the token (token, manufacturer, serial, model); `label` and `key_id` name the
    key, and at least one of them is given. `pin_source` None: the token needs no PIN, or the caller has one.
    """

    token: Mapping[str, str]
    label: str | None
    key_id: bytes | None
    module: Path
    pin_source: Path | None

    def __str__(self) -> str:
        """Short, for messages: without the library's and the PIN's place."""
        parts = [f"{name}={value}" for name, value in self.token.items()]
        parts += [f"object={self.label}"] if self.label is not None else []
        parts += [f"id={self.key_id.hex()}"] if self.key_id is not None else []
        return SCHEME + ";".join(parts)


def is_token_uri(text: str) -> bool:
    """Whether a key is named by a PKCS#11 URI, and not by a file."""
    return text.lower().startswith(SCHEME)


def parse_token_uri(text: str) -> TokenKeyUri:
    """Read a URI such as `pkcs11:token=T;object=K?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin`.

    Raises: TrustError KEY_URI_INVALID naming the attribute and what is wrong with it.
    """
    if not is_token_uri(text):
        raise _invalid(f"does not begin with {SCHEME}")
    path, _, query = text[len(SCHEME) :].partition("?")
    of_key = _attributes(path, separator=";", known=_TOKEN_ATTRIBUTES | _KEY_ATTRIBUTES)
    of_place = _attributes(query, separator="&", known=_QUERY_ATTRIBUTES)
    kind = _text(of_key, "type")
    if kind is not None and kind not in _TYPES:
        raise _invalid(f"type must be one of {', '.join(sorted(_TYPES))}")
    token = {name: said for name in sorted(_TOKEN_ATTRIBUTES) if (said := _text(of_key, name)) is not None}
    label, key_id = _text(of_key, "object"), of_key.get("id")
    if not token:
        raise _invalid("names no token: give token=LABEL or serial=NUMBER")
    if label is None and key_id is None:
        raise _invalid("names no key: give object=LABEL or id=%XX")
    return TokenKeyUri(
        token=MappingProxyType(token),
        label=label,
        key_id=key_id,
        module=_module(_text(of_place, "module-path")),
        pin_source=_pin_source(_text(of_place, "pin-source")),
    )


def _attributes(text: str, *, separator: str, known: frozenset[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name == "pin-value":
            raise _invalid("carries a PIN (pin-value): put the PIN into a file, and name that with pin-source")
        if name not in known or not equals or not value:
            raise _invalid(f"{name!a} is not an attribute that is read; those are {', '.join(sorted(known))}")
        if name in found:
            raise _invalid(f"says {name} twice")
        found[name] = b"".join(_decoded(value, name))
    return found


def _decoded(value: str, name: str) -> Iterator[bytes]:
    for place, part in enumerate(value.split("%")):
        if place and not (len(part) >= 2 and set(part[:2]) <= _HEX_DIGITS):  # noqa: PLR2004 - RFC 3986 §2.1
            raise _invalid(f"{name} holds a % that two hexadecimal digits do not follow")
    yield unquote_to_bytes(value)


def _text(attributes: Mapping[str, bytes], name: str) -> str | None:
    if name not in attributes:
        return None
    try:
        text = attributes[name].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _invalid(f"{name} is not UTF-8") from error
    if not text.isprintable():
        raise _invalid(f"{name} holds characters that cannot be printed")
    return text


def _module(text: str | None) -> Path:
    if text is None or not text.startswith("/"):
        raise _invalid("must name the module's library by its whole path: ?module-path=/…/lib….so")
    return Path(text)


def _pin_source(text: str | None) -> Path | None:
    if text is None:
        return None
    place = urlsplit(text).path if text.startswith("file:") else text
    if not place.startswith("/"):
        raise _invalid("pin-source must be a file by its whole path: pin-source=/…/pin or file:/…/pin")
    return Path(place)


def _invalid(why: str) -> TrustError:
    return TrustError(rule=TrustRule.KEY_URI_INVALID, detail=f"the PKCS#11 URI {why}")
