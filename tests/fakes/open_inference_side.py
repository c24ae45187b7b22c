"""The Open Inference Protocol served over mutual TLS on loopback, before a chain that echoes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from stepdown.adapters.observers.model_statistics import ModelStatisticsObserver
from stepdown.domain.status import PathwayStatus
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.oip.service import open_inference
from stepdown.transport.recording import NO_RECORDING
from tests.fakes.chain import FakeChain
from tests.fakes.open_inference import ECHO, REFUSED, WORDS, echoed, tensor_roster
from tests.fakes.statuses import PATHWAY, answer_given, pathway_status, suspended_tier, tier_status
from tests.unit.transport.grpc_side import GrpcSide, Recorded, grpc_side

TIERS = {PATHWAY: ("full", "distilled", "rules"), ECHO: ("main",), REFUSED: ("main",), WORDS: ("main",)}


def all_serving() -> tuple[PathwayStatus, ...]:
    """Every tier of the roster serves, but for the one whose bundle was refused."""
    return tuple(
        pathway_status(
            *(suspended_tier(name=tier) if name == REFUSED else tier_status(name=tier) for tier in tiers), name=name
        )
        for name, tiers in TIERS.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInferenceSide:
    """One server: the chain behind it, what the service put on record, and the gRPC side it is served by.

    `in_flight` counts what a drain of it waits for.
    """

    chain: FakeChain
    recorded: Recorded
    grpc_side: GrpcSide
    in_flight: InFlight


@contextmanager
def open_inference_side(**options: Any) -> Iterator[OpenInferenceSide]:  # noqa: ANN401
    """Serve until the test ends; `recording` is what inferences are put on, other `options` go to `grpc_side`."""
    chain = FakeChain(*all_serving(), answer=echoed)
    recorded = Recorded(recording=options.pop("recording", NO_RECORDING))
    observer = ModelStatisticsObserver(tiers=TIERS, wall_s=lambda: 1_700_000_000.0)
    observer.notice(answer_given(rows=3))
    add = open_inference(chain=chain, roster=tensor_roster(), record=recorded.as_record, statistics=observer.snapshot)
    lent: list[InFlight] = []

    def add_and_remember(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        lent.append(in_flight)
        return add(server, in_flight, drain)

    with grpc_side(chain=chain, add_services=(add_and_remember,), **options) as side:
        yield OpenInferenceSide(chain=chain, recorded=recorded, grpc_side=side, in_flight=lent[0])
