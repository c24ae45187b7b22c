"""An encrypted model that real workers run: where its plaintext is found, and what its absence costs.

The canary stands in the weights. It is looked for on the disk, in core dumps, and in what the kernel shows of a
process.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stepdown.adapters.admission import Admission
from stepdown.adapters.key_store.wrapping_key import FileWrappingKey
from stepdown.domain.bundles import VerifiedBundle
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider, TierState
from tests.fakes.bundles import LOOKUP, bundle
from tests.fakes.sealed_bundles import key_file, sealed
from tests.faults.living_chain import LivingChain, model_tier, pathway

CANARY = b"canary-of-the-weights-4711"
CPU = ExecutionProvider.CPU


@pytest.fixture
def plain() -> VerifiedBundle:
    """A model in whose weights the canary stands, beside a table that is looked up."""
    padding = np.frombuffer((CANARY * 4)[: len(CANARY) * 4 // 4 * 4], np.float32)
    table = np.concatenate([LOOKUP.constants["table"], padding])
    return bundle(replace(LOOKUP, constants={"table": table}), external="weights.bin")


@pytest.fixture
def key(tmp_path: Path) -> FileWrappingKey:
    return FileWrappingKey(path=key_file(tmp_path))


def held_by(path: Path) -> bool:
    """Whether the canary can be read from a file of a process; what the kernel refuses holds nothing for us."""
    try:
        return CANARY in path.read_bytes()
    except OSError:
        return False


def processes(chain: LivingChain) -> Iterator[Path]:
    for process in chain.pool.process_ids():
        yield Path(f"/proc/{process}")


def test_a_sealed_model_serves_and_its_plaintext_is_in_its_worker_alone(
    tmp_path: Path, plain: VerifiedBundle, key: FileWrappingKey
) -> None:
    assert CANARY in plain.files["weights.bin"]
    loads = sealed(plain, key)
    ward = pathway("ward", model_tier("full", CPU, loads=loads))
    with LivingChain(tmp_path / "chain", ward, real=True, admit=Admission(keys=(key,))) as chain:
        chain.until(lambda: chain.status("full").state is TierState.SERVING)
        shown = [each / name for each in processes(chain) for name in ("cmdline", "environ", "status")]
        assert shown
        assert not any(map(held_by, shown))
        assert not any(CANARY in content for content in loads.files.values())
        assert not any(map(held_by, (file for file in tmp_path.rglob("*") if file.is_file())))
        assert not any(CANARY in line.encode() for line in chain.log)
        (worker,) = chain.pool.process_ids()
        assert resource.prlimit(worker, resource.RLIMIT_CORE) == (0, 0)


def test_a_sealed_model_without_its_key_costs_its_tier_until_the_key_is_there(
    tmp_path: Path, plain: VerifiedBundle, key: FileWrappingKey
) -> None:
    ward = pathway("ward", model_tier("full", CPU, loads=sealed(plain, key)), model_tier("distilled", CPU, loads=plain))
    away = key.path.rename(tmp_path / "away")
    with LivingChain(tmp_path / "chain", ward, real=True, admit=Admission(keys=(key,))) as chain:
        chain.until(lambda: chain.status("distilled").state is TierState.SERVING)
        chain.until(lambda: chain.status("full").reason is Reason.BUNDLE_NOT_DECRYPTED)
        assert chain.status("full").state is TierState.SUSPENDED
        away.rename(key.path)
        chain.until(lambda: chain.status("full").state is TierState.SERVING)


def test_a_machine_that_lost_its_evidence_loses_the_tier_and_gets_it_back(
    tmp_path: Path, plain: VerifiedBundle
) -> None:
    lacking = ""
    admission = Admission(evidence=lambda _bundle: lacking)
    ward = pathway("ward", model_tier("full", CPU, loads=plain))
    with LivingChain(tmp_path / "chain", ward, real=True, admit=admission) as chain:
        chain.until(lambda: chain.status("full").state is TierState.SERVING)
        lacking = "ward-server: EVIDENCE_REFUSED"
        chain.pool.withdraw(admission.evidence)
        chain.until(lambda: chain.status("full").reason is Reason.EVIDENCE_MISSING)
        assert lacking in chain.faults("full")[0].detail
        lacking = ""
        chain.until(lambda: chain.status("full").state is TierState.SERVING)


def abort(folder: Path, *, confined: bool) -> bool:
    """End a process that holds the canary as a crash would; whether the canary is on the disk then."""
    folder.mkdir()
    program = (
        "import os, resource\n"
        "from stepdown.worker.confinement import leave_no_trace\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)\n"
        f"held = bytes({CANARY[::-1]!r}[::-1])\n"
        f"leave_no_trace() if {confined} else None\n"
        "os.abort()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, timeout=120, check=False)
    assert ended.returncode == -signal.SIGABRT
    return any(map(held_by, folder.iterdir()))


def test_what_the_server_and_its_workers_begin_with_leaves_no_core_dump(tmp_path: Path) -> None:
    if "/" not in Path("/proc/sys/kernel/core_pattern").read_text():
        assert abort(tmp_path / "without", confined=False), "a crash writes its memory here, so the test can fail"
    assert not abort(tmp_path / "with", confined=True)
