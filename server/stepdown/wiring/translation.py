"""Settings in the words of those who are set: the server's file on one side, options of each part on the other."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType

from stepdown.adapters.tls_material import TlsMaterial
from stepdown.adapters.worker_pool.options import WorkerPoolOptions
from stepdown.adapters.worker_pool.sharing import TierDemand, share_out, this_machine
from stepdown.domain.drills import InjectedFault, place_of
from stepdown.resilience.load_shedding import LoadShedding
from stepdown.serving.activation import TierOrder
from stepdown.serving.engine.policy import EnginePolicy, PathwaySpec, TierSpec
from stepdown.serving.roster import Pathway
from stepdown.settings import EngineSettings, PathwaySettings, Settings, TierSettings, TlsSettings
from stepdown.transport.listener_options import ListenerOptions


def tls_material(tls: TlsSettings) -> TlsMaterial:
    """Certificates and key, read now. Raises: OSError."""
    return TlsMaterial(
        certificate_chain=tls.certificate.read_bytes(),
        private_key=tls.key.read_bytes(),
        client_authorities=tls.client_ca.read_bytes(),
    )


def tier_order(tier: TierSettings) -> TierOrder:
    """What activation is asked for."""
    return TierOrder(
        name=tier.name, bundle=tier.bundle, version=tier.version, execution_providers=tier.execution_providers
    )


def pathway_spec(pathway: Pathway, configured: PathwaySettings) -> PathwaySpec:
    """What the engine runs."""
    devices = {tier.name: tier.resources().device_id for tier in configured.tier}
    return PathwaySpec(
        name=pathway.name,
        tiers=tuple(
            TierSpec(
                name=tier.name,
                bundle=tier.bundle,
                execution_providers=tier.execution_providers,
                is_rules=tier.is_rules,
                refusal=tier.refusal,
                refusal_detail=tier.refusal_detail,
                previous=tier.previous,
                device_id=devices[tier.name],
            )
            for tier in pathway.tiers
        ),
        supporting=pathway.supporting_status,
    )


def engine_policy(engine: EngineSettings) -> EnginePolicy:
    """How the engine supervises."""
    return EnginePolicy(
        reserve_s=engine.reserve_ms / 1e3,
        watchdog_s=engine.watchdog_s,
        stall_s=engine.stall_s,
        probe_period_s=engine.probe_period_s,
        probation_dwell_s=engine.probation_dwell_s,
        unavailable_retry_s=engine.unavailable_retry_s,
        maximum_queue_s=engine.maximum_queue_s,
        routine_share=engine.routine_share,
        urgent_share=engine.urgent_share,
        hedge_share=engine.hedge_share,
    )


def listener_options(configuration: Settings) -> ListenerOptions:
    """Where the listener listens, and whom it turns away when calls wait."""
    server, engine = configuration.server, configuration.engine
    return ListenerOptions(
        address=server.grpc_address,
        transport=server.transport,
        call_threads=server.call_threads,
        shedding=LoadShedding(
            maximum_wait_s=server.maximum_wait_s,
            routine_share=engine.routine_share,
            urgent_share=engine.urgent_share,
        ),
    )


def pool_options(configuration: Settings, event: Callable[..., None]) -> WorkerPoolOptions:
    """How the pool treats workers. `event` writes a line of the log."""
    demands = {
        (pathway.name, tier.name): TierDemand(execution_providers=tier.execution_providers, resources=tier.resources())
        for pathway in configuration.pathway
        for tier in pathway.tier
        if tier.execution_providers
    }
    return WorkerPoolOptions(
        tier_resources=MappingProxyType(share_out(demands, this_machine())),
        load_timeout_s=configuration.engine.load_limit_s,
        log=lambda line: event("worker_output", line=line),
        drills_permitted=configuration.permits_drills,
        drill_ended=partial(log_drill_end, event),
    )


def log_drill_end(event: Callable[..., None], injected: InjectedFault, how: str) -> None:
    """The line that says a fault is over."""
    injection = injected.injection
    event("fault_ended", **place_of(injection), fault=injection.fault.value, how=how)
