"""What a drill asks of a server: how its tiers are, moment by moment, and a failure on purpose."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc
from google.protobuf.duration_pb2 import Duration

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.api.v1.tiers_pb2 import Reason, TierState
from stepdown.client.connection import Credentials
from stepdown.client.failures import AssessmentError

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """One tier at one moment. `state_time_s` is Unix time on the server's clock; `pid` None: it has no worker."""

    name: str
    state: str
    reason: str
    state_time_s: float
    pid: int | None
    sha256: str
    signers: tuple[str, ...]
    restarts: int
    injected_fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """A failure to ask for, by its name without prefix. What a fault does not need stays as it is.

    `pathway` and `tier`, or `client`, or neither, as the fault is a tier's, a client's or the server's own.
    """

    fault: str
    duration_s: float
    detail: str
    pathway: str = ""
    tier: str = ""
    client: str = ""
    delay_s: float = 0.0
    clock_step_s: float = 0.0
    days_left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A pathway's tiers, best first, and what else is going on: alarms as `KIND subject`, faults by their names."""

    tiers: tuple[TierView, ...]
    alarms: frozenset[str]
    injected: frozenset[str]


class DrillClient:
    """Needs the role `operator` to inject. Close it, or use it in a `with` block; that ends every watch too."""

    def __init__(self, addresses: str, credentials: Credentials) -> None:
        """`addresses`: as `Credentials.channel` takes them. Raises AddressError, OSError."""
        self._channel = credentials.channel(addresses, heeds_health=False)
        self._operations = OperationsServiceStub(self._channel)

    def tiers(self, pathway: str) -> tuple[TierView, ...]:
        """The tiers of a pathway now, best first. Raises AssessmentError."""
        return self.situation(pathway).tiers

    def situation(self, pathway: str) -> Situation:
        """How things are now. Raises AssessmentError."""
        try:
            listed = self._operations.ListTiers(wire.ListTiersRequest(pathway=pathway), timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error
        kinds = wire.AlarmKind
        return Situation(
            tiers=tuple(map(_view, listed.pathways[0].tiers)),
            alarms=frozenset(
                f"{kinds.Name(each.kind).removeprefix('ALARM_KIND_')} {each.subject}" for each in listed.alarms
            ),
            injected=frozenset(_fault_name(each) for each in listed.injected_faults),
        )

    def watch(self, pathway: str) -> Iterator[tuple[TierView, ...]]:
        """The same now and after each change, until the client is closed or the server ends it."""
        try:
            for response in self._operations.WatchTiers(wire.WatchTiersRequest(pathway=pathway)):
                yield tuple(map(_view, response.pathways[0].tiers))
        except grpc.RpcError:
            return

    def inject(self, order: FaultOrder) -> tuple[float, float]:
        """Put a fault in. Returns when it begins and ends, in the server's Unix time.

        Raises AssessmentError; ValueError for a fault that there is none of.
        """
        request = wire.InjectFaultRequest(
            pathway=order.pathway,
            tier=order.tier,
            fault=f"FAULT_{order.fault}",
            duration=_duration(order.duration_s),
            delay=_duration(order.delay_s) if order.delay_s else None,
            detail=order.detail,
            client=order.client,
            clock_step=_duration(order.clock_step_s) if order.clock_step_s else None,
            days_left=order.days_left,
        )
        try:
            injected = self._operations.InjectFault(request, timeout=_TIMEOUT_S).injected_fault
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error
        return injected.start_time.ToMicroseconds() / 1e6, injected.end_time.ToMicroseconds() / 1e6

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _view(tier: wire.TierReport) -> TierView:
    return TierView(
        name=tier.name,
        state=TierState.Name(tier.state).removeprefix("TIER_STATE_"),
        reason=Reason.Name(tier.reason).removeprefix("REASON_") if tier.HasField("reason") else "",
        state_time_s=tier.state_start_time.ToMicroseconds() / 1e6,
        pid=tier.worker_pid if tier.HasField("worker_pid") else None,
        sha256=tier.bundle.sha256,
        signers=tuple(tier.bundle.signers),
        restarts=tier.restarts,
        injected_fault=_fault_name(tier.injected_fault) if tier.HasField("injected_fault") else "",
    )


def _fault_name(injected: wire.InjectedFault) -> str:
    return wire.Fault.Name(injected.fault).removeprefix("FAULT_")


def _duration(span_s: float) -> Duration:
    span = Duration()
    span.FromMicroseconds(round(span_s * 1e6))
    return span
