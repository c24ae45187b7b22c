"""`grpc.health.v1` and reflection of a real server: the truth, told as it changes."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from stepdown.api.v1 import operations_service_pb2, tiers_pb2
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from tests.conformance.callers import channel_as
from tests.fakes.statuses import PATHWAY
from tests.faults.running_server import RunningServer, running_server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = {
    "grpc.health.v1.Health",
    "grpc.reflection.v1alpha.ServerReflection",
    "inference.GRPCInferenceService",
    "stepdown.api.v1.AssessmentService",
    "stepdown.api.v1.CatalogService",
    "stepdown.api.v1.OperationsService",
}


def check(channel: grpc.Channel, service: str) -> int:
    """The status of one service."""
    stub: Any = HealthStub(channel)
    status: int = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status
    return status


class Watching:
    """What a watch was told, in a thread of its own."""

    def __init__(self, channel: grpc.Channel, service: str) -> None:
        stub: Any = HealthStub(channel)
        self.told: list[int] = []
        self.ended = threading.Event()
        self._call = stub.Watch(health_pb2.HealthCheckRequest(service=service))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(grpc.RpcError):
            self.told.extend(response.status for response in self._call)
        self.ended.set()

    def cancel(self) -> None:
        self._call.cancel()


@contextmanager
def watching(server: RunningServer, *services: str) -> Iterator[list[Watching]]:
    """Watches of these services, each told the present already."""
    with channel_as(server, "viewer") as channel:
        watches = [Watching(channel, service) for service in services]
        server.until(lambda: all(watch.told for watch in watches))
        yield watches
        for watch in watches:
            watch.cancel()


def test_every_service_pathway_level_and_tier_serves_while_all_is_well(demo: RunningServer) -> None:
    names = {"", f"pathway/{PATHWAY}"} | {name for name in SERVICES if not name.startswith("grpc.")}
    names |= {f"pathway/{PATHWAY}@{level}" for level in ("FULL", "DEGRADED", "RULES_ONLY")}
    names |= {f"tier/{PATHWAY}/{tier}" for tier in ("full", "distilled", "rules")}
    with channel_as(demo, "viewer") as channel:
        assert {name: check(channel, name) for name in names} == dict.fromkeys(names, SERVING)


def test_reflection_names_every_service_and_describes_each(demo: RunningServer) -> None:
    with channel_as(demo, "viewer") as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        asked += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in sorted(SERVICES)]
        listed, *described = stub.ServerReflectionInfo(iter(asked), timeout=10)
    assert {service.name for service in listed.list_services_response.service} == SERVICES
    assert all(response.HasField("file_descriptor_response") for response in described)


def test_a_watch_of_the_pathway_is_told_each_change_of_what_it_can_do() -> None:
    """Both workers are killed, one after the other, and come back by themselves."""
    with running_server() as server:
        server.until_capable("FULL")
        names = (f"pathway/{PATHWAY}", f"pathway/{PATHWAY}@FULL", f"pathway/{PATHWAY}@DEGRADED", f"tier/{PATHWAY}/full")
        with watching(server, *names) as (pathway, full, degraded, tier), channel_as(server, "viewer") as channel:
            reports = OperationsServiceStub(channel).WatchTiers(operations_service_pb2.WatchTiersRequest())
            capabilities = [next(reports).pathways[0].capability]
            for name in ("full", "distilled"):
                server.send(name, signal.SIGKILL)
            while capabilities[-1] != tiers_pb2.CAPABILITY_FULL or tiers_pb2.CAPABILITY_RULES_ONLY not in capabilities:
                capabilities.append(next(reports).pathways[0].capability)
            reports.cancel()
            server.until(lambda: full.told == [SERVING, NOT_SERVING, SERVING])
            server.until(lambda: tier.told == [SERVING, NOT_SERVING, SERVING])
            server.until(lambda: degraded.told == [SERVING, NOT_SERVING, SERVING])
            # FULL, perhaps DEGRADED, RULES_ONLY, DEGRADED, FULL: told each time although the pathway served throughout.
            server.until(lambda: len(pathway.told) >= 4)
            assert pathway.told in ([SERVING] * 4, [SERVING] * 5)


def test_a_server_that_stops_says_so_before_it_goes() -> None:
    with running_server() as server:
        with watching(server, "", f"pathway/{PATHWAY}", f"tier/{PATHWAY}/rules") as watches:
            server.process.send_signal(signal.SIGTERM)
            for watch in watches:
                assert watch.ended.wait(20)
                assert watch.told[-1] == NOT_SERVING
        assert server.process.wait(20) == 0
