"""How each kind of evidence is collected and judged, once. Refuses to remember anything."""

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stepdown.adapters.evidence.programs import run_program, unavailable
from stepdown.trust.evidence import Demand
from stepdown.trust.evidence_quote import MAXIMUM_BYTES, NONCE_BYTES, verify_quote

_MAXIMUM_SIGNATURE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmQuotes:
    """Quotes by tpm2-tools. `handle` is where the attestation key stays in the TPM; `tcti` says how it is reached."""

    handle: str = "0x81010001"
    tcti: str = "device:/dev/tpmrm0"
    program: str = "tpm2_quote"
    timeout_s: float = 20.0

    def collect(self, demand: Demand) -> None:
        """Have the TPM quote the PCRs for a fresh nonce, and accept it. Raises: TrustError of the EVIDENCE_ rules."""
        if demand.attestation_key is None:
            raise unavailable("no attestation key is pinned")
        nonce = secrets.token_bytes(NONCE_BYTES)
        selection = "sha256:" + ",".join(map(str, sorted(demand.pcrs)))
        with tempfile.TemporaryDirectory(prefix="stepdown-quote-") as folder:
            quoted, signature = Path(folder) / "quote", Path(folder) / "signature"
            command = [self.program, "-T", self.tcti, "-c", self.handle, "-l", selection, "-q", nonce.hex()]
            command += ["-m", str(quoted), "-s", str(signature), "-f", "plain", "-g", "sha256"]
            run_program(command, timeout_s=self.timeout_s, package="Debian package tpm2-tools")
            contents = _content(quoted, MAXIMUM_BYTES), _content(signature, _MAXIMUM_SIGNATURE_BYTES)
        verify_quote(*contents, key=demand.attestation_key, pcrs=demand.pcrs, nonce=nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaAttestation:
    """GPUs in confidential-computing mode, by NVIDIA's own command, which takes a nonce of its own and verifies here.

    Its exit code says whether every GPU's report, certificates and measurements were accepted.
    """

    program: str = "nvattest"
    timeout_s: float = 120.0

    def collect(self, demand: Demand) -> None:
        """Accept the machine's GPUs. Raises: TrustError EVIDENCE_UNAVAILABLE, also for GPUs that were not accepted."""
        del demand
        command = [self.program, "attest", "--device", "gpu", "--verifier", "local"]
        run_program(command, timeout_s=self.timeout_s, package="NVIDIA Attestation SDK")


def _content(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise unavailable(f"tpm2_quote wrote no {path.name}") from error
