"""A real TPM 2.0 in software (swtpm) with an attestation key, for one test session."""

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

HANDLE = "0x81010001"
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftTpm:
    """Where it listens, and its attestation key's public half in `folder`/ak.pem."""

    folder: Path
    port: int

    @property
    def tcti(self) -> str:
        return f"swtpm:host=127.0.0.1,port={self.port}"

    @property
    def attestation_key(self) -> bytes:
        return (self.folder / "ak.pem").read_bytes()

    def run(self, program: str, *arguments: object) -> str:
        command = [program, "-T", self.tcti, *map(str, arguments)]
        ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S)
        return ended.stdout

    def pcr(self, number: int) -> str:
        """Its value now, in hexadecimal."""
        return self.run("tpm2_pcrread", f"sha256:{number}").rpartition("0x")[2].strip().lower()

    def extend(self, number: int) -> None:
        """As a changed boot loader would."""
        self.run("tpm2_pcrextend", f"{number}:sha256={'ab' * 32}")


def start_tpm(folder: Path) -> tuple[SoftTpm, subprocess.Popen[bytes]]:
    """Start one and make its key; skips where swtpm or tpm2-tools are not installed."""
    for program, package in (("swtpm", "swtpm"), ("tpm2_quote", "tpm2-tools")):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian package {package})")
    folder.mkdir(parents=True)
    port = _two_free_ports()
    served = f"type=tcp,bindaddr=127.0.0.1,port={port}"
    control = f"type=tcp,bindaddr=127.0.0.1,port={port + 1}"
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}", "--server", served, "--ctrl", control]
    process = subprocess.Popen([*command, "--flags", "not-need-init,startup-clear"], stdout=subprocess.DEVNULL)
    tpm = SoftTpm(folder=folder, port=port)
    try:
        _await(tpm)
        tpm.run("tpm2_createek", "-c", folder / "ek.ctx", "-G", "ecc", "-u", folder / "ek.pub")
        tpm.run("tpm2_flushcontext", "-t")
        key = (
            "-G",
            "ecc",
            "-g",
            "sha256",
            "-s",
            "ecdsa",
            "-u",
            folder / "ak.pem",
            "-f",
            "pem",
            "-n",
            folder / "ak.name",
        )
        tpm.run("tpm2_createak", "-C", folder / "ek.ctx", "-c", folder / "ak.ctx", *key)
        tpm.run("tpm2_flushcontext", "-t")
        tpm.run("tpm2_evictcontrol", "-C", "o", "-c", folder / "ak.ctx", HANDLE)
        tpm.run("tpm2_flushcontext", "-t")
    except BaseException:
        process.kill()
        process.wait()
        raise
    return tpm, process


def _await(tpm: SoftTpm) -> None:
    """It takes connections one after the other; the first that is answered says that it is there."""
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with socket.create_connection(("127.0.0.1", tpm.port), timeout=1.0):
                return
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.02)


def _two_free_ports() -> int:
    """One whose successor is free as well: the programs take the control channel to be there."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return int(port)
    raise OSError("no two free ports side by side")
