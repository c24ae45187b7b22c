"""The methods that describe and those that are refused, over mutual TLS on loopback, called by generated stubs."""

import grpc
import pytest

from stepdown.api.oip import (
    metadata_pb2,
    model_configuration_pb2,
    open_inference_pb2,
    repository_pb2,
    settings_pb2,
    shared_memory_pb2,
    statistics_pb2,
)
from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from stepdown.domain.tiers import Capability
from stepdown.transport.oip.refusals import RefusedMethods
from tests.fakes.open_inference import ECHO, REFUSED, grid
from tests.fakes.open_inference_side import OpenInferenceSide, all_serving
from tests.fakes.statuses import PATHWAY, pathway_status, suspended_tier, tier_status
from tests.unit.transport.oip.asking import sepsis_request
from tests.unit.transport.oip.calling import ended

REFUSED_METHODS = {
    "RepositoryModelLoad": (repository_pb2.RepositoryModelLoadRequest(model_name="m"), "activated by the operator"),
    "RepositoryModelUnload": (repository_pb2.RepositoryModelUnloadRequest(), "activated by the operator"),
    "SystemSharedMemoryStatus": (shared_memory_pb2.SystemSharedMemoryStatusRequest(), "No memory is shared"),
    "SystemSharedMemoryRegister": (shared_memory_pb2.SystemSharedMemoryRegisterRequest(), "No memory is shared"),
    "SystemSharedMemoryUnregister": (shared_memory_pb2.SystemSharedMemoryUnregisterRequest(), "No memory is shared"),
    "CudaSharedMemoryStatus": (shared_memory_pb2.CudaSharedMemoryStatusRequest(), "No memory is shared"),
    "CudaSharedMemoryRegister": (shared_memory_pb2.CudaSharedMemoryRegisterRequest(), "No memory is shared"),
    "CudaSharedMemoryUnregister": (shared_memory_pb2.CudaSharedMemoryUnregisterRequest(), "No memory is shared"),
    "TraceSetting": (settings_pb2.TraceSettingRequest(), "not traced"),
    "LogSettings": (settings_pb2.LogSettingsRequest(), "configuration file"),
}


def test_live_and_ready(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert stub.ServerReady(metadata_pb2.ServerReadyRequest()).ready
    side.chain.move(pathway_status(), pathway_status(name=ECHO, capability=Capability.NONE))
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert not stub.ServerReady(metadata_pb2.ServerReadyRequest()).ready


def test_a_model_is_ready_while_a_tier_of_it_serves(side: OpenInferenceSide, stub: GRPCInferenceServiceStub) -> None:
    def ready(name: str, version: str = "") -> bool:
        return stub.ModelReady(metadata_pb2.ModelReadyRequest(name=name, version=version)).ready

    assert ready(PATHWAY)
    assert ready(f"{PATHWAY}/full", "1.0.0")
    assert not ready(f"{PATHWAY}/full", "2")
    assert not ready("elsewhere")
    assert not ready(REFUSED)
    down = pathway_status(suspended_tier(), suspended_tier(name="distilled"), tier_status(name="rules"))
    side.chain.move(down)
    assert not ready(PATHWAY)
    assert not ready(f"{PATHWAY}/full")
    assert ready(f"{PATHWAY}/rules")


def test_the_server_describes_itself_and_its_models(stub: GRPCInferenceServiceStub) -> None:
    server = stub.ServerMetadata(metadata_pb2.ServerMetadataRequest())
    assert (server.name, "statistics" in server.extensions) == ("stepdown", True)
    metadata = stub.ModelMetadata(metadata_pb2.ModelMetadataRequest(name=PATHWAY))
    assert [each.name for each in metadata.inputs] == ["observations"]
    config = stub.ModelConfig(model_configuration_pb2.ModelConfigRequest(name=f"{ECHO}/main")).config
    assert (config.name, config.max_batch_size) == (f"{ECHO}/main", 4)
    for call, request in (
        (stub.ModelMetadata, metadata_pb2.ModelMetadataRequest(name="elsewhere")),
        (stub.ModelConfig, model_configuration_pb2.ModelConfigRequest(name="elsewhere")),
        (stub.ModelStatistics, statistics_pb2.ModelStatisticsRequest(name="elsewhere")),
    ):
        assert ended(call, request)[0] is grpc.StatusCode.NOT_FOUND


def test_statistics_of_one_model_or_of_all(stub: GRPCInferenceServiceStub) -> None:
    one = stub.ModelStatistics(statistics_pb2.ModelStatisticsRequest(name=PATHWAY)).model_stats
    assert [(each.name, each.inference_count) for each in one] == [(PATHWAY, 3)]
    everything = stub.ModelStatistics(statistics_pb2.ModelStatisticsRequest()).model_stats
    assert len(everything) == 10


def test_the_index_lists_every_model_or_only_those_that_are_ready(
    side: OpenInferenceSide, stub: GRPCInferenceServiceStub
) -> None:
    index = {each.name: each for each in stub.RepositoryIndex(repository_pb2.RepositoryIndexRequest()).models}
    assert len(index) == 10
    assert (index[REFUSED].state, index[PATHWAY].state) == ("UNAVAILABLE", "READY")
    side.chain.move(*all_serving()[1:])
    ready = stub.RepositoryIndex(repository_pb2.RepositoryIndexRequest(ready=True)).models
    assert {each.name for each in ready} == {ECHO, f"{ECHO}/main"}
    named = repository_pb2.RepositoryIndexRequest(repository_name="models")
    assert ended(stub.RepositoryIndex, named)[0] is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", REFUSED_METHODS)
def test_what_is_not_offered_is_refused_with_its_reason(side: OpenInferenceSide, method: str) -> None:
    request, reason = REFUSED_METHODS[method]
    stub = GRPCInferenceServiceStub(side.grpc_side.operator)
    code, text = ended(getattr(stub, method), request)
    assert (code, reason in text) == (grpc.StatusCode.UNIMPLEMENTED, True)


def test_every_method_of_the_protocol_is_answered_or_refused_by_name() -> None:
    methods = {each.name for each in open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods}
    assert {name for name in vars(RefusedMethods) if name[0].isupper()} == set(REFUSED_METHODS)
    assert len(methods) == 20


def test_a_viewer_may_look_and_not_infer(side: OpenInferenceSide) -> None:
    stub = GRPCInferenceServiceStub(side.grpc_side.channel("viewer"))
    assert stub.ServerLive(metadata_pb2.ServerLiveRequest()).live
    assert ended(stub.ModelInfer, sepsis_request(grid(80.0)))[0] is grpc.StatusCode.PERMISSION_DENIED
