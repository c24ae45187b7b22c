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
    injected_fault: str


class DrillClient:
    """Needs the role `operator` to inject. Close it, or use it in a `with` block; that ends every watch too."""

    def __init__(self, addresses: str, credentials: Credentials) -> None:
        """`addresses`: as `Credentials.channel` takes them. Raises AddressError, OSError."""
        self._channel = credentials.channel(addresses)
        self._operations = OperationsServiceStub(self._channel)

    def tiers(self, pathway: str) -> tuple[TierView, ...]:
        """The tiers of a pathway now, best first. Raises AssessmentError."""
        try:
            (report,) = self._operations.ListTiers(wire.ListTiersRequest(pathway=pathway), timeout=_TIMEOUT_S).pathways
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error
        return tuple(map(_view, report.tiers))

    def watch(self, pathway: str) -> Iterator[tuple[TierView, ...]]:
        """The same now and after each change, until the client is closed or the server ends it."""
        try:
            for response in self._operations.WatchTiers(wire.WatchTiersRequest(pathway=pathway)):
                yield tuple(map(_view, response.pathways[0].tiers))
        except grpc.RpcError:
            return

    def inject(
        self, pathway: str, tier: str, *, fault: str, duration_s: float, delay_s: float, detail: str
    ) -> tuple[float, float]:
        """Put a fault in, by its name without prefix. Returns when it begins and ends, in the server's Unix time.

        Raises AssessmentError; ValueError for a fault that there is none of.
        """
        request = wire.InjectFaultRequest(
            pathway=pathway,
            tier=tier,
            fault=f"FAULT_{fault}",
            duration=_duration(duration_s),
            delay=_duration(delay_s) if delay_s else None,
            detail=detail,
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
        injected_fault=wire.Fault.Name(tier.injected_fault.fault).removeprefix("FAULT_")
        if tier.HasField("injected_fault")
        else "",
    )


def _duration(span_s: float) -> Duration:
    span = Duration()
    span.FromMicroseconds(round(span_s * 1e6))
    return span
