"""What stands before every worker, as the settings name it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.alarms import AlarmKind
from stepdown.domain.errors import ConfigurationError, WorkerError
from stepdown.domain.reasons import Reason
from stepdown.wiring import guard as guard_module
from stepdown.wiring.checks import self_checks
from stepdown.wiring.guard import Guard
from tests.fakes.bundles import ECHO, bundle
from tests.fakes.clock import FakeClock
from tests.fakes.ledger import ledger_status
from tests.faults.workers import order
from tests.unit.trust.test_evidence import EC_KEY, POLICY, pem


@dataclass
class Heard:
    """What a guard said, and whom it woke."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    woken: threading.Event = field(default_factory=threading.Event)

    def event(self, name: str, **fields: Any) -> None:  # noqa: ANN401 - as the log takes them
        self.events.append((name, fields))


def made(heard: Heard, *, evidence: Path | None = None, keys: tuple[str, ...] = ()) -> Guard:
    tpm = SimpleNamespace(attestation_key="0x81010001", tcti="none")
    trust = SimpleNamespace(evidence=evidence, decryption_keys=keys, tpm=tpm)
    return Guard(SimpleNamespace(trust=trust), clock=FakeClock(), event=heard.event)  # type: ignore[arg-type]


def policy(folder: Path) -> Path:
    (folder / "ak.pem").write_bytes(pem(EC_KEY))
    file = folder / "evidence.toml"
    file.write_text(POLICY)
    return file


def test_without_a_policy_and_keys_every_bundle_in_the_clear_is_admitted() -> None:
    guard = made(Heard(), keys=("wrapping.key",))
    guard.start(wake=Heard().woken.set)
    assert guard.admission(order(loads=bundle(ECHO))) == {}
    assert guard.checks() == {}
    guard.close()


def test_a_machine_without_evidence_starts_nothing_ends_what_runs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdrawn: list[str] = []

    class Pool(ProcessWorkerPool):
        def withdraw(self, lacking: Any) -> None:  # noqa: ANN401
            withdrawn.append(lacking("tiny"))
            super().withdraw(lacking)

    monkeypatch.setattr(guard_module, "ProcessWorkerPool", Pool)
    monkeypatch.setenv("PATH", str(tmp_path))  # neither tpm2_quote nor nvattest
    heard = Heard()
    guard = made(heard, evidence=policy(tmp_path))
    pool = guard.pool(lambda _events: None, WorkerPoolOptions())
    guard.start(wake=heard.woken.set)
    assert heard.woken.wait(60.0)
    with pytest.raises(WorkerError, match="tpm2_quote is not installed") as refusal:
        guard.admission(order(loads=bundle(ECHO)))
    assert refusal.value.reason is Reason.EVIDENCE_MISSING
    guard.close()
    pool.close()
    assert {(name, fields["evidence"]) for name, fields in heard.events} == {
        ("evidence_lost", "ward-server"),
        ("evidence_lost", "gpu"),
    }
    assert "not available" in withdrawn[0]
    alarms = list(guard.checks()["evidence"]())
    assert {(alarm.kind, alarm.subject) for alarm in alarms} == {
        (AlarmKind.EVIDENCE_MISSING, "ward-server"),
        (AlarmKind.EVIDENCE_MISSING, "gpu"),
    }


def test_a_policy_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "evidence.toml"
    file.write_text("nonsense")
    with pytest.raises(ConfigurationError, match=r"trust\.evidence: POLICY_INVALID"):
        made(Heard(), evidence=file)


def test_checkpoints_that_are_late_are_an_alarm_of_their_own() -> None:
    late = SimpleNamespace(status=lambda: ledger_status(checkpoint_problem="TOKEN_UNAVAILABLE"))
    parts: dict[str, Any] = {"certificates": SimpleNamespace(alarms=list), "loaded": None, "trust": list}
    checks = self_checks(**parts, status=list, ledger=late)  # type: ignore[arg-type]
    (alarm,) = checks["ledger"]()
    assert (alarm.kind, alarm.detail) == (AlarmKind.CHECKPOINT_LATE, "TOKEN_UNAVAILABLE")
