"""Evidence from a real TPM in software, and from programs that are not there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepdown.adapters.evidence.collectors import NvidiaAttestation, TpmQuotes
from stepdown.domain.errors import TrustError
from stepdown.trust.evidence import Demand, EvidenceKind, parse_evidence_policy
from tests.fakes.soft_tpm import HANDLE, SoftTpm, start_tpm
from tests.unit.trust.test_evidence import EC_KEY, POLICY, pem

GPU = Demand(name="gpu", kind=EvidenceKind.NVIDIA_GPU, maximum_age_s=60)


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftTpm]:
    made, process = start_tpm(tmp_path_factory.mktemp("tpm") / "state")
    yield made
    process.kill()
    process.wait()


def demand(tpm: SoftTpm, *, key: bytes = b"") -> Demand:
    """PCR 7 as it is now, quoted by the TPM's own key unless another is pinned."""
    text = POLICY.replace("77" * 32, tpm.pcr(7)).encode()
    return parse_evidence_policy(text, {"ak.pem": key or tpm.attestation_key}).demands["ward-server"]


def refused(collect: TpmQuotes | NvidiaAttestation, wanted: Demand, rule: str) -> str:
    with pytest.raises(TrustError, match=rule) as refusal:
        collect.collect(wanted)
    return refusal.value.detail


def test_a_tpm_quotes_what_the_policy_asks_until_its_pcrs_change(tpm: SoftTpm) -> None:
    quotes, wanted = TpmQuotes(handle=HANDLE, tcti=tpm.tcti), demand(tpm)
    quotes.collect(wanted)
    assert "not signed" in refused(quotes, demand(tpm, key=pem(EC_KEY)), "EVIDENCE_REFUSED")
    tpm.extend(7)
    assert "PCRs 7 are not all" in refused(quotes, wanted, "EVIDENCE_REFUSED")
    quotes.collect(demand(tpm))


def test_a_tpm_or_key_that_is_not_there_is_not_available(tpm: SoftTpm) -> None:
    nowhere = TpmQuotes(handle="0x81010009", tcti=tpm.tcti)
    assert refused(nowhere, demand(tpm), "EVIDENCE_UNAVAILABLE").startswith("not available: tpm2_quote: ERROR")


def program(folder: Path, text: str) -> str:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


def pinned() -> Demand:
    return parse_evidence_policy(POLICY.encode(), {"ak.pem": pem(EC_KEY)}).demands["ward-server"]


def test_programs_that_are_absent_silent_slow_or_unusable_are_not_available(tmp_path: Path) -> None:
    absent = TpmQuotes(program="/nowhere/tpm2_quote")
    assert "is not installed (Debian package tpm2-tools)" in refused(absent, pinned(), "EVIDENCE_UNAVAILABLE")
    quiet = TpmQuotes(program=program(tmp_path, "exit 0"))
    assert "wrote no quote" in refused(quiet, pinned(), "EVIDENCE_UNAVAILABLE")
    slow = TpmQuotes(program=program(tmp_path, "exec sleep 60"), timeout_s=0.05)
    assert "no answer within 0.05 s" in refused(slow, pinned(), "EVIDENCE_UNAVAILABLE")
    os.truncate(slow.program, 0)
    (tmp_path / "program").chmod(0o600)
    assert "cannot be run" in refused(TpmQuotes(program=slow.program), pinned(), "EVIDENCE_UNAVAILABLE")
    assert "no attestation key" in refused(absent, GPU, "EVIDENCE_UNAVAILABLE")


def test_gpus_count_only_when_nvidia_s_own_command_accepts_them(tmp_path: Path) -> None:
    here = refused(NvidiaAttestation(program="/nowhere/nvattest"), GPU, "EVIDENCE_UNAVAILABLE")
    assert here == "not available: /nowhere/nvattest is not installed (NVIDIA Attestation SDK)"
    rejecting = NvidiaAttestation(program=program(tmp_path, "echo measurements differ >&2; exit 1"))
    assert "measurements differ" in refused(rejecting, GPU, "EVIDENCE_UNAVAILABLE")
    NvidiaAttestation(program=program(tmp_path, '[ "$*" = "attest --device gpu --verifier local" ]')).collect(GPU)
