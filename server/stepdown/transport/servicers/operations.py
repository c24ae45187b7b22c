"""`OperationsService` on gRPC: how tiers are doing, taking them out and back in, and changing their bundles."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from stepdown.api.v1 import operations_service_pb2 as wire
from stepdown.api.v1 import operations_service_pb2_grpc
from stepdown.domain.activations import ActivationRefusedError
from stepdown.domain.alarms import StandingAlarm
from stepdown.domain.drills import TIER_FAULTS, DrillRefusedError, place_of
from stepdown.domain.reasons import RejectReason
from stepdown.ports import Activations, Chain, Drills
from stepdown.transport.calls import EventLog, current_call
from stepdown.transport.codec.activations import decode_wish
from stepdown.transport.codec.alarms import encode_alarm
from stepdown.transport.codec.drills import decode_injection, encode_injected
from stepdown.transport.codec.tiers import encode_pathways
from stepdown.transport.doorbell import Doorbell
from stepdown.transport.draining import DrainSignal
from stepdown.transport.refusals import refused

MAXIMUM_DETAIL = 256


class OperationsServicer(operations_service_pb2_grpc.OperationsServiceServicer):
    """Each method's docstring is the wire contract's."""

    def __init__(
        self,
        chain: Chain,
        *,
        activations: Activations,
        drills: Drills | None,
        alarms: Callable[[], tuple[StandingAlarm, ...]],
        drain: DrainSignal,
        event: EventLog,
    ) -> None:
        """`drills` None: this server permits none."""
        self._chain = chain
        self._activations = activations
        self._alarms = alarms
        self._drills = drills
        self._drain = drain
        self._event = event

    def ListTiers(  # noqa: N802  # the wire's name
        self, request: wire.ListTiersRequest, context: grpc.ServicerContext
    ) -> wire.ListTiersResponse:
        """Every pathway and tier now."""
        del context
        injected = self._drills.injected() if self._drills is not None else ()
        return wire.ListTiersResponse(
            pathways=self._reports(request.pathway),
            alarms=map(encode_alarm, self._alarms()),
            injected_faults=map(encode_injected, injected),
        )

    def WatchTiers(  # noqa: N802
        self, request: wire.WatchTiersRequest, context: grpc.ServicerContext
    ) -> Iterator[wire.WatchTiersResponse]:
        """Every pathway and tier now, and after each change; until the caller leaves or the server stops."""
        bell = Doorbell()
        stop_listening = self._chain.subscribe(bell.ring)
        stop_watching = self._drain.watch(bell.close)
        try:
            if not context.add_callback(bell.close):
                return
            yield wire.WatchTiersResponse(pathways=self._reports(request.pathway))
            while bell.wait():
                yield wire.WatchTiersResponse(pathways=self._reports(request.pathway))
        finally:
            stop_watching()
            stop_listening()

    def DisableTier(  # noqa: N802
        self, request: wire.DisableTierRequest, context: grpc.ServicerContext
    ) -> wire.DisableTierResponse:
        """Take a tier out of service."""
        del context
        _require_detail(request.detail)
        self._known(request.pathway, request.tier)
        self._chain.disable_tier(request.pathway, request.tier, detail=f"{_caller()}: {request.detail}")
        self._event(
            "tier_disabled", pathway=request.pathway, tier=request.tier, caller=_caller(), detail=request.detail
        )
        return wire.DisableTierResponse(tier=self._report(request.pathway, request.tier))

    def EnableTier(  # noqa: N802
        self, request: wire.EnableTierRequest, context: grpc.ServicerContext
    ) -> wire.EnableTierResponse:
        """Give a tier back."""
        del context
        self._known(request.pathway, request.tier)
        self._chain.enable_tier(request.pathway, request.tier)
        self._event("tier_enabled", pathway=request.pathway, tier=request.tier, caller=_caller())
        return wire.EnableTierResponse(tier=self._report(request.pathway, request.tier))

    def ActivateBundle(  # noqa: N802
        self, request: wire.ActivateBundleRequest, context: grpc.ServicerContext
    ) -> wire.ActivateBundleResponse:
        """Bring a new version in beside the one that serves."""
        del context
        _require_detail(request.detail)
        self._known(request.pathway, request.tier)
        wish = decode_wish(request)
        fields = self._act(request) | {"version": wish.version}
        with self._refusal_told(fields):
            self._activations.activate(wish)
        self._event("bundle_activated", **fields)
        return wire.ActivateBundleResponse(tier=self._report(request.pathway, request.tier))

    def RollbackBundle(  # noqa: N802
        self, request: wire.RollbackBundleRequest, context: grpc.ServicerContext
    ) -> wire.RollbackBundleResponse:
        """Take a version back."""
        del context
        _require_detail(request.detail)
        self._known(request.pathway, request.tier)
        with self._refusal_told(self._act(request)):
            self._activations.roll_back(request.pathway, request.tier, detail=f"{_caller()}: {request.detail}")
        self._event("bundle_rolled_back", **self._act(request))
        return wire.RollbackBundleResponse(tier=self._report(request.pathway, request.tier))

    @staticmethod
    def _act(request: wire.ActivateBundleRequest | wire.RollbackBundleRequest) -> dict[str, str]:
        return {"pathway": request.pathway, "tier": request.tier, "caller": _caller(), "detail": request.detail}

    @contextmanager
    def _refusal_told(self, fields: dict[str, str]) -> Iterator[None]:
        """An operator's act that is refused goes on record like one that is done."""
        try:
            yield
        except ActivationRefusedError as refusal:
            self._event("activation_refused", **fields, reason=refusal.reason.value, obstacle=refusal.detail)
            raise refused(refusal.reason, field="", description=refusal.detail) from refusal

    def InjectFault(  # noqa: N802
        self, request: wire.InjectFaultRequest, context: grpc.ServicerContext
    ) -> wire.InjectFaultResponse:
        """Make something fail, for a drill."""
        del context
        if self._drills is None:
            self._event("fault_refused", pathway=request.pathway, tier=request.tier, caller=_caller(), detail="")
            text = "this server's environment permits no drills"
            raise refused(RejectReason.DRILLS_NOT_PERMITTED, field="", description=text)
        _require_detail(request.detail)
        injection = decode_injection(request)
        if injection.fault in TIER_FAULTS:
            self._known(injection.pathway, injection.tier)
        try:
            injected = self._drills.inject(injection)
        except DrillRefusedError as refusal:
            raise refused(RejectReason.DRILL_NOT_POSSIBLE, field="fault", description=str(refusal)) from refusal
        self._event(
            "fault_injected",
            **place_of(injection),
            caller=_caller(),
            detail=request.detail,
            fault=injection.fault.value,
            duration_s=injection.duration_s,
        )
        return wire.InjectFaultResponse(injected_fault=encode_injected(injected))

    def _reports(self, pathway: str) -> list[wire.PathwayReport]:
        chosen = [each for each in self._chain.status() if pathway in {"", each.name}]
        if not chosen and pathway:
            raise refused(RejectReason.PATHWAY_UNKNOWN, field="pathway", description="no such pathway")
        return encode_pathways(sorted(chosen, key=lambda each: each.name))

    def _report(self, pathway: str, tier: str) -> wire.TierReport:
        (report,) = self._reports(pathway)
        return next(each for each in report.tiers if each.name == tier)

    def _known(self, pathway: str, tier: str) -> None:
        """Raises: RequestRejectedError for a pathway or tier that is not there."""
        (report,) = self._reports(pathway or "-")
        if tier not in {each.name for each in report.tiers}:
            known = ", ".join(each.name for each in report.tiers)
            text = f"the pathway has the tiers {known}"
            raise refused(RejectReason.TIER_UNKNOWN, field="tier", description=text)


def _caller() -> str:
    return current_call().caller.name


def _require_detail(detail: str) -> None:
    if not detail.strip() or len(detail) > MAXIMUM_DETAIL or not detail.isprintable():
        text = f"say why, in one line of at most {MAXIMUM_DETAIL} printable characters"
        raise refused(RejectReason.DETAIL_REQUIRED, field="detail", description=text)
