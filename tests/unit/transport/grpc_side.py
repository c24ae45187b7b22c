"""A whole gRPC side on loopback over a fake chain, and clients of it with each role."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import grpc

from stepdown.adapters.system_clock import SystemClock
from stepdown.adapters.tls_material import TlsMaterial
from stepdown.domain.alarms import StandingAlarm
from stepdown.domain.notices import Notice
from stepdown.ports import Drills
from stepdown.serving.assessment import ClinicalPathway
from stepdown.transport.authorization import Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.claims import Claims
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.interference import Interference
from stepdown.transport.listener import AddServices, Listener, Served, build_server
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.recording import NO_RECORDING, Recording
from stepdown.transport.tls import ReloadingCredentials
from stepdown.trust.issuance import Credential, issue_authority, issue_client, issue_server
from tests.fakes.activations import FakeActivations
from tests.fakes.chain import FakeChain
from tests.fakes.claims import FakeClaims
from tests.fakes.clinical_pathways import clinical_pathway, roster
from tests.fakes.statuses import PATHWAY

NOW_S = SystemClock().wall_s()
DAY_S = 86_400.0
TRUST_DOMAIN = "stepdown.demo"


THE_AUTHORITY = "the authority"


@cache
def _authority(name: str) -> Credential:
    return issue_authority(name, now_s=NOW_S, valid_s=90 * DAY_S)


def authority(name: str = THE_AUTHORITY) -> Credential:
    """A certificate authority."""
    return _authority(name)


@cache
def server_credential(name: str = THE_AUTHORITY) -> Credential:
    """A certificate for a server on loopback."""
    return issue_server(
        authority(name), dns_names=("localhost",), addresses=("127.0.0.1",), now_s=NOW_S, valid_s=90 * DAY_S
    )


@cache
def client_credential(identity: str, name: str = THE_AUTHORITY) -> Credential:
    """A client's certificate for a SPIFFE id."""
    return issue_client(authority(name), identity=identity, now_s=NOW_S, valid_s=DAY_S)


def material() -> TlsMaterial:
    """What a server is given."""
    return TlsMaterial(
        certificate_chain=server_credential().certificate_pem,
        private_key=server_credential().private_key_pem,
        client_authorities=authority().certificate_pem,
    )


@dataclass(slots=True)
class Recorded:
    """Everything that the edge put on record."""

    notices: list[Notice] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    incidents: list[BaseException] = field(default_factory=list)
    recording: Recording = NO_RECORDING

    def event(self, name: str, /, **fields: object) -> None:
        self.events.append((name, fields))

    def incident(self, error: BaseException) -> str:
        self.incidents.append(error)
        return f"incident-{len(self.incidents)}"

    @property
    def as_record(self) -> CallRecord:
        return CallRecord(
            notice=self.notices.append, event=self.event, incident=self.incident, recording=self.recording
        )


@dataclass(kw_only=True)
class GrpcSide:
    """One listener and what stands behind it."""

    chain: FakeChain
    claims: FakeClaims
    recorded: Recorded
    listener: Listener
    tls: ReloadingCredentials
    channels: list[grpc.Channel] = field(default_factory=list)

    def channel(self, role: str = "assessor", *, identity: str = "") -> grpc.Channel:
        """A client's channel, by role or by its whole SPIFFE id."""
        credential = client_credential(identity or f"spiffe://{TRUST_DOMAIN}/{role}/test")
        credentials = grpc.ssl_channel_credentials(
            authority().certificate_pem, credential.private_key_pem, credential.certificate_pem
        )
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.secure_channel(self.listener.address, credentials, options)
        self.channels.append(channel)
        return channel

    @cached_property
    def assessor(self) -> grpc.Channel:
        return self.channel("assessor")

    @cached_property
    def operator(self) -> grpc.Channel:
        return self.channel("operator")


@contextmanager
def grpc_side(  # noqa: PLR0913 - one for each part that a test may replace
    *,
    chain: FakeChain | None = None,
    claims: FakeClaims | None = None,
    pathway: ClinicalPathway | None = None,
    limits: RequestLimits | None = None,
    activations: FakeActivations | None = None,
    drills: Drills | None = None,
    interference: Interference | None = None,
    alarms: Callable[[], tuple[StandingAlarm, ...]] = tuple,
    outcomes: OutcomeDesk | None = None,
    add_services: Sequence[AddServices] = (),
    read_tls: Callable[[], TlsMaterial] = material,
    **options: Any,  # noqa: ANN401
) -> Iterator[GrpcSide]:
    """Serve until the test ends."""
    chain, claims, recorded = chain or FakeChain(), claims or FakeClaims(), Recorded()
    tls = ReloadingCredentials(read_tls, record=recorded.as_record)
    listener = build_server(
        replace(
            served(chain, claims, recorded, pathway or clinical_pathway()),
            activations=activations or FakeActivations(),
            drills=drills,
            interference=interference,
            alarms=alarms,
            outcomes=outcomes,
        ),
        tls=tls,
        authorization=Authorization(trust_domain=TRUST_DOMAIN),
        options=replace(ListenerOptions(address="127.0.0.1:0", announce_s=0.0), **options),
        limits=limits or RequestLimits(),
        add_services=add_services,
    )
    listener.start()
    side = GrpcSide(chain=chain, claims=claims, recorded=recorded, listener=listener, tls=tls)
    try:
        yield side
    finally:
        for channel in side.channels:
            channel.close()
        listener.drain(5.0)


def served(chain: FakeChain, claims: Claims, recorded: Recorded, pathway: ClinicalPathway) -> Served:
    """What stands behind the gRPC side."""
    return Served(
        chain=chain,
        activations=FakeActivations(),
        roster=roster(),
        clinical={PATHWAY: pathway},
        claims=claims,
        clock=SystemClock(),
        record=recorded.as_record,
    )
