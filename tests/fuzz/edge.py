"""The whole gRPC side in one process and without a socket.

Guard, admission, reception and every servicer are called as gRPC would call them, over a chain that answers at once and
a ledger that encodes what it is given and keeps nothing. An answer is an answer or a status of our table. Anything that
ends as an incident is a defect.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import grpc

from stepdown.adapters.ledger.reader import LedgerReader
from stepdown.adapters.observers.model_statistics import ModelStatisticsObserver
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.engine_events import Request
from stepdown.domain.reasons import Reason
from stepdown.domain.records import Draft
from stepdown.ledger.encoding import decode, encode, encode_facts
from stepdown.ports import Receipt
from stepdown.resilience.rate_limit import RatePolicy
from stepdown.transport import listener
from stepdown.transport.authorization import METHOD_ROLES, Authorization
from stepdown.transport.calls import CallRecord
from stepdown.transport.codec.requests import RequestLimits
from stepdown.transport.listener import Served, build_server
from stepdown.transport.listener_options import ListenerOptions
from stepdown.transport.oip.service import open_inference
from stepdown.transport.outcome_desk import OutcomeDesk
from stepdown.transport.recording import Recording
from stepdown.transport.servicers.provenance import provenance
from stepdown.transport.stored_claims import StoredClaims
from stepdown.transport.tls import ReloadingCredentials
from tests.fakes.activations import FakeActivations
from tests.fakes.chain import FakeChain, by_rules
from tests.fakes.clinical_pathways import by_model, clinical_pathway, roster
from tests.fakes.drills import FakeDrills
from tests.fakes.ledger import FakeReceipt, ledger_status
from tests.fakes.open_inference import ECHO, REFUSED, WORDS, echoed, tensor_roster
from tests.fakes.statuses import PATHWAY, degradation, pathway_status, tier_status

ARCHIVE = Path(__file__).parents[1] / "known_answer" / "ledger_v1" / "ledger.db"
LEDGER = "hospital.example/ledger"
TIERS = {PATHWAY: ("full", "distilled", "rules"), ECHO: ("main",), REFUSED: ("main",), WORDS: ("main",)}
MOST_ANSWERS = 8
CLOCK = SystemClock()


class ForgetfulLedger:
    """Encodes every record as the real one does, reads it back, and forgets it."""

    def submit(self, draft: Draft, when_done: Callable[[Receipt], None] | None = None) -> FakeReceipt:
        facts = encode_facts(draft.facts)
        decode(encode(draft.kind, facts=facts, time_s=draft.time_s, sequence=1, previous=b"\0" * 32))
        receipt = FakeReceipt(when_done)
        receipt.is_done, receipt.record_id = True, f"{LEDGER}/1"
        return receipt

    def count_unrecorded(self) -> None:
        pass

    def status(self) -> object:
        return ledger_status()


class AnyChain(FakeChain):
    """Answers assessments by a model or by rules, and tensors by themselves; remembers nothing."""

    def __init__(self) -> None:
        statuses = tuple(
            pathway_status(*(tier_status(name=tier) for tier in tiers), name=name) for name, tiers in TIERS.items()
        )
        super().__init__(*statuses, answer=self._any)
        self._random = random.Random(7)

    def submit(self, requests: Sequence[Request]) -> None:
        super().submit(requests)
        self.submitted.clear()
        self.operator_details.clear()

    def cancel(self, request: Request) -> None:
        del request

    def _any(self, request: Request) -> Outcome:
        if request.pathway != PATHWAY or not request.rules_in_hand:
            return echoed(request)
        if request.payload is None or self._random.random() < 0.5:
            return by_rules(request)
        return by_model(self._random.random(), degradation("full", Reason.WORKER_LOST, "signal 9"))


class Context:
    """Meets what is used of `grpc.ServicerContext`. `status` is how the call ended, None for an answer."""

    def __init__(self, identity: bytes, metadata: Sequence[tuple[str, str | bytes]]) -> None:
        self._identity = identity
        self._metadata = tuple(metadata)
        self._callbacks: list[Callable[[], None]] = []
        self.status: grpc.StatusCode | None = None
        self.text = ""

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    def set_trailing_metadata(self, metadata: object) -> None:
        del metadata

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"ssl_tls_version": [b"TLSv1.3"], "peer_uri": [self._identity]}

    def time_remaining(self) -> float:
        return 1.0

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self._callbacks.append(callback)
        return True

    def is_active(self) -> bool:
        return True

    def cancel(self) -> None:
        pass

    def code(self) -> grpc.StatusCode | None:
        return self.status

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.status, self.text = code, details
        raise Exception  # noqa: TRY002 - what gRPC raises

    def end(self) -> None:
        """The call is over: whoever asked to be told is."""
        for callback in self._callbacks:
            callback()


class _Socketless:
    """Meets what is used of `grpc.Server`; keeps the handlers and the guard before them."""

    def __init__(self, _pool: object, interceptors: Sequence[Any], **_options: object) -> None:
        self.guard = interceptors[0]
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        del handlers  # the same as the registered ones

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        self.handlers |= {f"/{service}/{name}": handler for name, handler in handlers.items()}

    def add_secure_port(self, address: str, credentials: object) -> int:
        del address, credentials
        return 1


class Edge:
    """Calls methods with bytes. `incidents` holds every exception that our table does not name."""

    def __init__(self, server: _Socketless, incidents: list[BaseException]) -> None:
        self._server = server
        self.incidents = incidents
        self.methods = tuple(method for method in METHOD_ROLES if method in server.handlers)

    def call(self, method: str, messages: Sequence[bytes], *, traceparent: str = "") -> Context:
        """One call by somebody who may make it, and how it ended. Raises what gRPC would have to make UNKNOWN of."""
        role = min(METHOD_ROLES[method])
        context = Context(f"spiffe://stepdown.demo/{role}/fuzz".encode(), [("traceparent", traceparent)])
        details = SimpleNamespace(method=method, invocation_metadata=())
        handler = self._server.guard.intercept_service(lambda _: self._server.handlers[method], details)
        try:
            self._take(handler, iter(messages), context)
        except Exception:
            if context.status is None:
                raise
        finally:
            context.end()
        return context

    def _take(self, handler: Any, messages: Iterator[bytes], context: Context) -> None:  # noqa: ANN401
        if handler.stream_unary is not None:
            handler.stream_unary(messages, context)
            return
        answers = handler.stream_stream(messages, context)
        try:
            for _, answer in zip(range(MOST_ANSWERS), answers, strict=False):
                assert answer is not None
                if "Watch" in type(answer).__name__ or "HealthCheck" in type(answer).__name__:
                    break  # a watch goes on for ever
        finally:
            answers.close()


@contextmanager
def edge() -> Iterator[Edge]:
    """Everything that a server puts behind its port."""
    incidents: list[BaseException] = []

    def incident(error: BaseException) -> str:
        incidents.append(error)
        return "incident"

    recording = Recording(
        ledger=ForgetfulLedger(),  # type: ignore[arg-type]
        digest=lambda content: str(len(content)),
        wall_s=CLOCK.wall_s,
    )
    record = CallRecord(notice=lambda _: None, event=lambda *_, **__: None, incident=incident, recording=recording)
    chain, archive = AnyChain(), LedgerReader(ARCHIVE, is_copy=True)
    statistics = ModelStatisticsObserver(tiers=TIERS, wall_s=CLOCK.wall_s).snapshot
    services = (
        open_inference(chain=chain, roster=tensor_roster(), record=record, statistics=statistics),
        provenance(archive=archive, ledger=LEDGER, event=record.event),
    )
    with patch.object(grpc, "server", _Socketless), patch.object(listener, "enable_server_reflection"):
        built = build_server(
            _served(chain, record, archive),
            tls=_NoTls(),
            authorization=Authorization(trust_domain="stepdown.demo"),
            options=ListenerOptions(address="127.0.0.1:0", transport="public"),
            limits=RequestLimits(),
            add_services=services,
        )
    try:
        yield Edge(built._server, incidents)  # type: ignore[arg-type]  # noqa: SLF001
    finally:
        built._resources.close()  # noqa: SLF001


def _served(chain: AnyChain, record: CallRecord, archive: LedgerReader) -> Served:
    return Served(
        chain=chain,
        activations=_Forgetful(),
        roster=roster(),
        clinical={PATHWAY: clinical_pathway()},
        claims=StoredClaims(CLOCK, rate=RatePolicy(per_second=10_000.0, burst=1_000_000)),
        clock=CLOCK,
        record=record,
        drills=_ForgetfulDrills(),
        outcomes=OutcomeDesk(
            archive=archive, recording=record.recording, ledger=LEDGER, clock=CLOCK, unseal=lambda _, __: b"\0" * 8
        ),
    )


class _NoTls(ReloadingCredentials):
    def __init__(self) -> None:
        pass

    def server_credentials(self) -> Any:  # noqa: ANN401
        return None


class _Forgetful(FakeActivations):
    def activate(self, wish: object) -> None:
        del wish

    def roll_back(self, pathway: str, tier: str, *, detail: str) -> None:
        del pathway, tier, detail


class _ForgetfulDrills(FakeDrills):
    def inject(self, injection: Any) -> Any:  # noqa: ANN401
        self._injected.clear()
        return super().inject(injection)
