"""What a single value of the configuration may be, and the sentence that says so when it is not."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from stepdown.adapters.key_store.uri import is_token_uri, parse_token_uri
from stepdown.domain.errors import TrustError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.ledger.retention import Retention
from stepdown.ledger.signed_note import is_key_name
from stepdown.trust.semantic_version import is_version

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
# RFC 3986: brackets tell an IPv6 address from its port. RFC 9293: ports are 16 bits.
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<v4>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65_535
_LONGEST_LEDGER_NAME = 128
_PROVIDERS = {str(provider): provider for provider in ExecutionProvider if provider is not ExecutionProvider.RULES}


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 64 of a-z, 0-9, '.', '_' and '-', with a letter or digit at both ends")
    return text


def _ledger_name(text: str) -> str:
    if not is_key_name(text) or len(text) > _LONGEST_LEDGER_NAME or not text.isascii():
        raise ValueError("must be 1 to 128 ASCII characters without spaces and '+', as in hospital.example/stepdown/1")
    return text


def kept_long_enough(days: int) -> int:
    """The days as they are. Raises: ValueError below the floor of retention."""
    return Retention(days=days).days


def _trust_domain(text: str) -> str:
    if not _TRUST_DOMAIN.fullmatch(text):
        raise ValueError("must be 1 to 255 of a-z, 0-9, '.', '_' and '-', as in spiffe://hospital.example/...")
    return text


def _version(text: str) -> str:
    if text and not is_version(text):
        raise ValueError("must be a semantic version such as 1.0.0, or empty for the newest one present")
    return text


def _resolved(path: Path, info: ValidationInfo) -> Path:
    folder = Path((info.context or {}).get("folder", "."))
    try:
        return (folder / path.expanduser()).resolve()
    except RuntimeError as error:
        raise ValueError("begins with ~ and the name of no user of this machine") from error


def _readable_file(path: Path) -> Path:
    if not (os.access(path, os.R_OK) and path.is_file()):
        raise ValueError(f"must be a readable file; {path} is none")
    return path


def _key_place(text: str, info: ValidationInfo) -> str:
    """A PKCS#11 URI as it stands, or the resolved path of a readable file."""
    if is_token_uri(text):
        try:
            parse_token_uri(text)
        except TrustError as error:
            raise ValueError(error.detail) from error
        return text
    return str(_readable_file(_resolved(Path(text), info)))


def _readable_folder(path: Path) -> Path:
    if not (os.access(path, os.R_OK | os.X_OK) and path.is_dir()):
        raise ValueError(f"must be a readable folder; {path} is none")
    return path


def _writable_folder(path: Path) -> Path:
    if not os.access(_readable_folder(path), os.W_OK):
        raise ValueError(f"must be a folder that can be written; {path} is none")
    return path


def _address(text: str) -> str:
    parts = _ADDRESS.fullmatch(text)
    try:
        version = ip_address(parts["v6"] or parts["v4"]).version if parts else 0
    except ValueError:
        version = 0
    if not parts or version != (6 if parts["v6"] else 4) or int(parts["port"]) > _HIGHEST_PORT:
        raise ValueError("must be IP:PORT, for example 127.0.0.1:8443 or [::1]:8443 (port 0 takes a free one)")
    return text


def _loopback(text: str) -> str:
    if not ip_address(text.rpartition(":")[0].strip("[]")).is_loopback:
        raise ValueError("must be a loopback address: the operations pages are not authenticated")
    return text


def _providers(names: object) -> object:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name in _PROVIDERS for name in names):
        raise ValueError(f"must be a list of {', '.join(_PROVIDERS)}")
    return tuple(_PROVIDERS[name] for name in names)


Name = Annotated[str, AfterValidator(_name)]
TrustDomain = Annotated[str, AfterValidator(_trust_domain)]
Version = Annotated[str, AfterValidator(_version)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
LedgerName = Annotated[str, AfterValidator(_ledger_name)]
Place = Annotated[Path, AfterValidator(_resolved)]
File = Annotated[Path, AfterValidator(_resolved), AfterValidator(_readable_file)]
KeyPlace = Annotated[str, AfterValidator(_key_place)]
Folder = Annotated[Path, AfterValidator(_resolved), AfterValidator(_readable_folder)]
WritableFolder = Annotated[Path, AfterValidator(_resolved), AfterValidator(_writable_folder)]
Address = Annotated[str, AfterValidator(_address)]
LoopbackAddress = Annotated[Address, AfterValidator(_loopback)]
Providers = Annotated[tuple[ExecutionProvider, ...], BeforeValidator(_providers)]
