"""Everything that a drill can make fail, put together; made only for a server whose environment permits drills."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from stepdown.adapters.certificate_check import CertificateCheck
from stepdown.adapters.drills.board import DrillBoard
from stepdown.adapters.drills.bundles import AlteredBundles, BrokenSignature
from stepdown.adapters.drills.clock import SteppingClock
from stepdown.adapters.drills.ledger import FullLedgerDisk
from stepdown.adapters.drills.processors import HalvedProcessors
from stepdown.adapters.ledger.store import LedgerStore
from stepdown.adapters.self_checks import SelfChecks, Waking
from stepdown.adapters.worker_pool.pool import ProcessWorkerPool
from stepdown.domain.drills import InjectableFault
from stepdown.domain.status import PathwayStatus
from stepdown.transport.calls import CallRecord
from stepdown.transport.interference import Interference
from stepdown.wiring.translation import log_drill_end

if TYPE_CHECKING:
    from stepdown.ports import Sufferer


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakable:
    """The parts of a server, beside its workers, that a drill can make fail."""

    clock: SteppingClock
    bundles: AlteredBundles
    certificates: CertificateCheck
    interference: Interference
    ledger: LedgerStore | None


def drill_board(
    breakable: Breakable,
    *,
    pool: ProcessWorkerPool,
    checks: SelfChecks,
    status: Callable[[], Sequence[PathwayStatus]],
    record: CallRecord,
) -> DrillBoard:
    """Where an operator's faults go. `record` is told when one is over."""
    broken = BrokenSignature(
        breakable.bundles,
        bundle_of=lambda pathway, tier: _bundle_of(status(), pathway, tier),
        workers=pool,
        check=checks.wake,
    )
    sufferers: dict[InjectableFault, Sufferer] = {
        InjectableFault.SIGNATURE_BROKEN: broken,
        InjectableFault.CLOCK_JUMP: breakable.clock,
        InjectableFault.CERTIFICATE_EXPIRING: Waking(breakable.certificates, wake=checks.wake),
        InjectableFault.CPU_HALVED: HalvedProcessors(pool.process_ids),
        InjectableFault.NETWORK_DELAY: breakable.interference,
        InjectableFault.NETWORK_PARTITION: breakable.interference,
    }
    if breakable.ledger is not None:
        sufferers[InjectableFault.LEDGER_DISK_FULL] = FullLedgerDisk(breakable.ledger)
    return DrillBoard(
        workers=pool, sufferers=sufferers, ended=partial(log_drill_end, record.event), incident=record.incident
    )


def _bundle_of(status: Sequence[PathwayStatus], pathway: str, tier: str) -> str:
    found = (each.bundle for one in status if one.name == pathway for each in one.tiers if each.name == tier)
    bundle = next(found, None)
    return bundle.name if bundle is not None else ""
