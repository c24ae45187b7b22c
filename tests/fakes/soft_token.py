"""A real PKCS#11 token of SoftHSM in a folder of its own, with one key of every kind that is used.

The library is loaded by child processes only, as in the product: its configuration is read once per process.
Run as a program this file makes the keys, or puts a certificate beside one: see `main`.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL = "ceremony"
PIN = "canary-pin-7391"
_CURVES = {"p256": "secp256r1", "p384": "secp384r1"}
_ED25519 = bytes.fromhex("06032b6570")  # OID 1.3.101.112


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftToken:
    """Where it is. Keys: p256, p384, ed25519, aes, rsa; all of them under the PIN."""

    folder: Path

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    @property
    def configuration(self) -> Path:
        """What SOFTHSM2_CONF must name."""
        return self.folder / "softhsm2.conf"

    @property
    def store(self) -> Path:
        """Where the token itself lies: moved away, it is gone."""
        return self.folder / "tokens"

    def uri(self, label: str, *, pin: bool = True, token: str = LABEL) -> str:
        source = f"&pin-source=file:{self.pin_file}" if pin else ""
        return f"pkcs11:token={token};object={label}?module-path={MODULE}{source}"

    def copied(self, folder: Path) -> "SoftToken":
        """Another token with the same keys, which a test may break."""
        shutil.copytree(self.folder, folder)
        made = SoftToken(folder=folder)
        made.configure()
        return made

    def configure(self) -> None:
        self.configuration.write_text(f"directories.tokendir = {self.store}\nlog.level = ERROR\n")

    def keep_certificate(self, der: bytes, *, label: str) -> None:
        (self.folder / "certificate.der").write_bytes(der)
        self.run(sys.executable, __file__, "certificate", label, self.folder / "certificate.der")

    def run(self, *command: object) -> None:
        environment = {**os.environ, "SOFTHSM2_CONF": str(self.configuration)}
        subprocess.run([str(part) for part in command], check=True, capture_output=True, env=environment)


def make_token(folder: Path) -> SoftToken:
    """A token with its keys; skips where SoftHSM is not installed."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        pytest.skip("SoftHSM is not installed (Debian package softhsm2)")
    token = SoftToken(folder=folder)
    token.store.mkdir(parents=True)
    token.configure()
    token.pin_file.write_text(PIN + "\n")
    token.pin_file.chmod(0o600)
    token.run("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN)
    token.run(sys.executable, __file__, "keys")
    return token


def main(arguments: list[str]) -> None:
    """`keys`, or `certificate LABEL FILE`."""
    import pkcs11  # noqa: PLC0415 - only the child loads it

    with pkcs11.lib(str(MODULE)).get_token(token_label=LABEL).open(user_pin=PIN, rw=True) as session:
        if arguments[0] == "keys":
            _make_keys(session)
        else:
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.LABEL: arguments[1],
                    pkcs11.Attribute.SUBJECT: b"",
                    pkcs11.Attribute.VALUE: Path(arguments[2]).read_bytes(),
                }
            )


def _make_keys(session: Any) -> None:  # noqa: ANN401 - the library's own
    from pkcs11 import Attribute, KeyType, Mechanism  # noqa: PLC0415
    from pkcs11.util.ec import encode_named_curve_parameters  # noqa: PLC0415

    for label, curve in _CURVES.items():
        parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
        session.create_domain_parameters(KeyType.EC, parameters, local=True).generate_keypair(store=True, label=label)
    session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: _ED25519}, local=True).generate_keypair(
        mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="ed25519"
    )
    session.generate_key(KeyType.AES, 256, store=True, label="aes")
    session.generate_keypair(KeyType.RSA, 2048, store=True, label="rsa")


if __name__ == "__main__":
    main(sys.argv[1:])
