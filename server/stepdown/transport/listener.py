"""Puts the gRPC side together: one port, mutual TLS 1.3, every service behind the guard, a drain that loses nothing.

Refuses to start if a served method has no role, or if TLS 1.2 would be accepted.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import grpc
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha.reflection import enable_server_reflection

from stepdown.api.v1.assessment_service_pb2_grpc import add_AssessmentServiceServicer_to_server
from stepdown.api.v1.catalog_service_pb2_grpc import add_CatalogServiceServicer_to_server
from stepdown.api.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server
from stepdown.domain.alarms import StandingAlarm
from stepdown.domain.errors import ConfigurationError
from stepdown.ports import Activations, AnswerWatch, Asked, Chain, Clock, Drills
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.roster import Roster
from stepdown.transport.assessment_flow import AssessmentFlow
from stepdown.transport.authorization import Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.catalog import Catalog
from stepdown.transport.claims import Claims
from stepdown.transport.clinical_pathways import ClinicalPathways
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.draining import DrainSignal
from stepdown.transport.guarded_server import guarded_server
from stepdown.transport.health import ASSESSMENT_SERVICE, HealthBoard, ServedNames
from stepdown.transport.in_flight import InFlight
from stepdown.transport.interference import Interference
from stepdown.transport.listener_options import ListenerOptions, TransportStatus
from stepdown.transport.listener_resources import ListenerResources
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.servicers.assessment import AssessmentServicer
from stepdown.transport.servicers.assessment_steps import (
    ASSESS_RISK,
    BATCH_ASSESS_RISK,
    AssessRiskSteps,
    BatchAssessRiskSteps,
)
from stepdown.transport.servicers.catalog import CatalogServicer
from stepdown.transport.servicers.health import HealthServicer
from stepdown.transport.servicers.operations import OperationsServicer
from stepdown.transport.stepwise import StepwiseRegistry
from stepdown.transport.tls import ReloadingCredentials
from stepdown.transport.tls_self_test import require_tls_1_3_only

AddServices = Callable[[grpc.Server, InFlight, DrainSignal], tuple[str, ...]]
"""Adds servicers to a server, for which it may count answers in flight and hear of a drain. Returns their services."""

OWN_SERVICES = (ASSESSMENT_SERVICE, "stepdown.api.v1.CatalogService", "stepdown.api.v1.OperationsService")
PROTOCOL_SERVICES = ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")
_STREAM_GRACE_S = 1.0
# Long enough for those who keep calling to hear that they should not.
_REFUSAL_S = 0.1
# How long nobody must have called before it is thought that all have heard, and how long that is waited for at most.
_QUIET_S = 0.25
_ANNOUNCEMENTS = 10
_GOODBYE_S = 0.5
_REACHABLE = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}  # noqa: S104  # the address to test such a listener by


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What stands behind the gRPC side, as the composition root made it. `clinical` is by pathway name.

    `drills` None: faults are injected into nobody, and `interference` None: nobody's answers are held back. `watch`
    None: answers are compared with nothing, and `outcomes` None: reports on answers have no place. `alarms` gives those
    that stand.
    """

    chain: Chain
    activations: Activations
    roster: Roster
    clinical: Mapping[str, ClinicalPathway]
    claims: Claims
    clock: Clock
    record: CallRecord
    drills: Drills | None = None
    watch: AnswerWatch | None = None
    interference: Interference | None = None
    alarms: Callable[[], tuple[StandingAlarm, ...]] = tuple
    outcomes: OutcomeDesk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The port that was bound, and how calls are served there."""

    port: int
    transport: TransportStatus


class Listener:
    """A server that is bound to its port."""

    def __init__(
        self,
        server: grpc.Server,
        *,
        board: HealthBoard,
        chain: Chain,
        tls: ReloadingCredentials,
        resources: ListenerResources,
        options: ListenerOptions,
        binding: Binding,
    ) -> None:
        self._server = server
        self._board = board
        self._stop_listening = chain.subscribe(board.refresh)
        self._tls = tls
        self._resources = resources
        self._options = options
        self.port = binding.port
        self.transport = binding.transport

    @property
    def address(self) -> str:
        """host:port, with the port that was bound."""
        return f"{_host(self._options.address)}:{self.port}"

    def start(self) -> None:
        """Serve. Raises: ConfigurationError, and serves nothing, unless TLS 1.3 is spoken and TLS 1.2 refused."""
        self._board.refresh()
        self._server.start()
        host = _host(self._options.address)
        try:
            require_tls_1_3_only(_REACHABLE.get(host, host).strip("[]"), self.port)
        except ConfigurationError:
            self._server.stop(None)
            self._close()
            raise
        self._tls.watch()

    def drain(self, grace_s: float) -> int:
        """Stop and lose nothing that was accepted: say NOT_SERVING, go on a while, refuse what is new, answer the rest.

        gRPC's own stop comes last, because it cuts off calls that have arrived and were not looked at yet. Returns how
        many calls were cut off because `grace_s` was not enough.
        """
        resources = self._resources
        until_s = time.monotonic() + grace_s
        self._board.drain()
        self._answer_on(grace_s)
        resources.drain.set()
        self._board.end_watches()
        _pause(min(_REFUSAL_S, grace_s / 2))
        left = resources.in_flight.wait_until_idle(max(0.0, until_s - time.monotonic()))
        # Watches end by themselves in a moment; a stream that does not is not being answered, and is cut off.
        resources.open_streams.wait_until_idle(min(grace_s, _STREAM_GRACE_S))
        # With a grace gRPC says goodbye first, and clients send what was not begun elsewhere by themselves.
        self._server.stop(min(grace_s, _GOODBYE_S)).wait(_GOODBYE_S + 1.0)
        self._close()
        return left

    def _answer_on(self, grace_s: float) -> None:
        """Answer what comes while the word goes round, and on while it comes, for a third of the grace at most."""
        calls, announce_s = self._resources.in_flight, self._options.announce_s
        _pause(min(announce_s, grace_s / 2))
        until_s = time.monotonic() + min(announce_s * _ANNOUNCEMENTS, grace_s / 3)
        entered = -1
        while time.monotonic() < until_s and entered != calls.entered:
            entered = calls.entered
            _pause(_QUIET_S)

    def _close(self) -> None:
        self._stop_listening()
        self._tls.close()
        self._resources.close()


def build_server(
    served: Served,
    *,
    tls: ReloadingCredentials,
    authorization: Authorization,
    options: ListenerOptions,
    limits: RequestLimits,
    add_services: Sequence[AddServices] = (),
) -> Listener:
    """Bind the port and put every service behind the guard; `Listener.start` serves.

    Raises: ConfigurationError if the port cannot be bound, or a method has no role.
    """
    resources = ListenerResources(options, clock=served.clock, event=served.record.event)
    server, transport = guarded_server(
        resources,
        options,
        authorization=authorization,
        chain=served.chain,
        record=served.record,
        clock=served.clock,
        interference=served.interference,
    )
    _add_own_services(server, served, resources, limits)
    services = (
        *OWN_SERVICES,
        *(name for add in add_services for name in add(server, resources.in_flight, resources.drain)),
    )
    names = ServedNames(services=frozenset(services), clinical=frozenset(served.clinical))
    board = HealthBoard(names, read=served.chain.status)
    add_HealthServicer_to_server(HealthServicer(board), server)
    enable_server_reflection((*services, *PROTOCOL_SERVICES), server)
    authorization.require_cover((*services, *PROTOCOL_SERVICES))
    port = _bound_port(server, options.address, tls)
    binding = Binding(port=port, transport=transport)
    return Listener(
        server, board=board, chain=served.chain, tls=tls, resources=resources, options=options, binding=binding
    )


def _add_own_services(server: grpc.Server, served: Served, resources: ListenerResources, limits: RequestLimits) -> None:
    def flow(asked: Asked) -> AssessmentFlow:
        return AssessmentFlow(
            chain=asked,
            pathways=ClinicalPathways(
                clinical=served.clinical, others=frozenset(served.roster.pathways) - frozenset(served.clinical)
            ),
            claims=served.claims,
            clock=served.clock,
            record=served.record,
            limits=replace(limits, shedding=resources.shedding),
            watch=served.watch,
        )

    if isinstance(server, StepwiseRegistry):
        in_steps = flow(server.asked)
        server.add_stepwise(ASSESS_RISK, AssessRiskSteps(in_steps))
        server.add_stepwise(BATCH_ASSESS_RISK, BatchAssessRiskSteps(in_steps))
    assessments = AssessmentServicer(
        flow(served.chain), in_flight=resources.in_flight, drain=resources.drain, outcomes=served.outcomes
    )
    operations = OperationsServicer(
        served.chain,
        activations=served.activations,
        drills=served.drills,
        alarms=served.alarms,
        drain=resources.drain,
        event=served.record.event,
    )
    add_AssessmentServiceServicer_to_server(assessments, server)
    add_CatalogServiceServicer_to_server(CatalogServicer(Catalog(served.roster)), server)
    add_OperationsServiceServicer_to_server(operations, server)


def _bound_port(server: grpc.Server, address: str, tls: ReloadingCredentials) -> int:
    """Raises: ConfigurationError; gRPC's own text names the address and the system's reason only in the log."""
    try:
        return server.add_secure_port(address, tls.server_credentials())
    except RuntimeError as error:
        raise ConfigurationError((f"server.grpc_address: cannot listen on {address}; is it in use?",)) from error


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
