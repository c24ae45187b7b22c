"""What a server looks at in itself: its certificates, the bundles in service as they are stored, and its ledger."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from stepdown.adapters.certificate_check import CertificateCheck
from stepdown.adapters.ledger.store import LedgerStore
from stepdown.adapters.self_checks import Check
from stepdown.domain.alarms import Alarm, AlarmKind
from stepdown.domain.records import LedgerState
from stepdown.domain.status import PathwayStatus
from stepdown.settings import TlsSettings
from stepdown.wiring.loading import Loading

CHECK_PERIOD_S = 3600.0


def certificate_files(tls: TlsSettings) -> dict[str, Path]:
    """The certificates whose end matters, by what they are for; the server's own first."""
    return {"server": tls.certificate, "client authorities": tls.client_ca}


def self_checks(
    *,
    certificates: CertificateCheck,
    loaded: Loading,
    trust: Check,
    status: Callable[[], Sequence[PathwayStatus]],
    ledger: LedgerStore | None,
) -> dict[str, Check]:
    """Every check, by its name."""
    checks: dict[str, Check] = {
        "certificates": certificates.alarms,
        "bundles": lambda: loaded.damaged(
            tier.bundle for pathway in status() for tier in pathway.tiers if tier.bundle is not None
        ),
        "trust": trust,
    }
    if ledger is not None:
        checks["ledger"] = partial(_ledger_alarms, ledger)
    return checks


def _ledger_alarms(store: LedgerStore) -> Iterator[Alarm]:
    status = store.status()
    if status.state in {LedgerState.UNAVAILABLE, LedgerState.REFUSED}:
        yield Alarm(kind=AlarmKind.LEDGER_UNAVAILABLE, subject=status.name, detail=status.detail)
    if status.checkpoint_problem:
        yield Alarm(kind=AlarmKind.CHECKPOINT_LATE, subject=status.name, detail=status.checkpoint_problem)
