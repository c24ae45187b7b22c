"""Parts of the server that take more than one line to put together: the engine with its driver, and the metrics."""

from collections.abc import Callable, Sequence

from stepdown.adapters.build import this_build
from stepdown.adapters.engine_driver import EngineDriver
from stepdown.adapters.notice_board import NoticeBoard
from stepdown.adapters.observers.exposition import Metrics
from stepdown.domain.certificates import TlsStatus
from stepdown.domain.drift import DriftReport
from stepdown.domain.drills import InjectedFault
from stepdown.domain.status import PathwayStatus
from stepdown.ports import Clock
from stepdown.serving.engine.engine import Engine
from stepdown.serving.roster import Roster
from stepdown.settings import Settings
from stepdown.wiring.translation import engine_policy, pathway_spec


def make_driver(
    roster: Roster,
    settings: Settings,
    *,
    clock: Clock,
    board: NoticeBoard,
    on_error: Callable[[Exception], object],
    injected: Callable[[], tuple[InjectedFault, ...]],
) -> EngineDriver:
    """The engine over the roster, and who drives it."""
    engine = Engine(
        pathways=tuple(pathway_spec(roster.pathways[wanted.name], wanted) for wanted in settings.pathway),
        policy=engine_policy(settings.engine),
        now_s=clock.monotonic_s(),
    )
    return EngineDriver(engine=engine, clock=clock, board=board, on_error=on_error, injected=injected)


def make_metrics(
    roster: Roster,
    settings: Settings,
    *,
    status: Callable[[], Sequence[PathwayStatus]],
    clock: Clock,
    drift: Callable[[], tuple[DriftReport, ...]],
    tls: Callable[[], TlsStatus],
) -> Metrics:
    """Metrics of every tier of the roster."""
    return Metrics(
        tiers={name: tuple(tier.name for tier in pathway.tiers) for name, pathway in roster.pathways.items()},
        status=status,
        clock=clock,
        build=this_build(),
        environment=settings.environment,
        drift=drift,
        tls=tls,
    )
