# ruff: noqa: ARG002, N802 - the protocol names its methods, and gRPC passes each a request and a context
"""The ten methods that are answered: two that infer and eight that describe. The other ten are in `refusals`."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import grpc

import stepdown
from stepdown.adapters.observers.model_statistics import ModelCounts
from stepdown.api.oip import infer_pb2, metadata_pb2, open_inference_pb2, repository_pb2, statistics_pb2
from stepdown.api.oip import model_configuration_pb2 as configuration_pb2
from stepdown.api.oip.open_inference_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from stepdown.domain.reasons import RejectReason
from stepdown.domain.status import TierStatus
from stepdown.domain.tiers import Capability
from stepdown.ports import Asked, Chain
from stepdown.serving.roster import Roster
from stepdown.transport.calls import CallRecord
from stepdown.transport.draining import DrainSignal
from stepdown.transport.in_flight import InFlight
from stepdown.transport.oip.descriptions import (
    EXTENSIONS,
    READY,
    SERVER_NAME,
    configuration_of,
    index_entry,
    metadata_of,
    state_of,
)
from stepdown.transport.oip.inference import InferenceCalls
from stepdown.transport.oip.inference_steps import MODEL_INFER, ModelInferSteps
from stepdown.transport.oip.models import ServedModel, find_model, served_models
from stepdown.transport.oip.refusals import RefusedMethods
from stepdown.transport.oip.statistics import statistics_of
from stepdown.transport.refusals import refused
from stepdown.transport.stepwise import StepwiseRegistry

# Read from the descriptor, which also puts the service where reflection and the authorization table look it up.
SERVICE = open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


Statistics: TypeAlias = Callable[[], Mapping[tuple[str, str], ModelCounts]]
"""The counts of every model by pathway and tier, the tier of a chain being empty."""


def open_inference(
    *, chain: Chain, roster: Roster, record: CallRecord, statistics: Statistics
) -> Callable[[grpc.Server, InFlight, DrainSignal], tuple[str, ...]]:
    """What adds the service to a server, which lends its count of calls and its drain signal. Returns its name."""

    def add(server: grpc.Server, in_flight: InFlight, drain: DrainSignal) -> tuple[str, ...]:
        service = OpenInferenceService(
            chain=chain, roster=roster, record=record, statistics=statistics, in_flight=in_flight, drain=drain
        )
        if isinstance(server, StepwiseRegistry):
            # Where no answer may go out without a record, a thread waits for that.
            in_steps = None if record.recording.is_required else ModelInferSteps(service.calls_of(server.asked))
            server.add_stepwise(MODEL_INFER, in_steps)
        add_GRPCInferenceServiceServicer_to_server(service, server)
        return (SERVICE,)

    return add


class OpenInferenceService(RefusedMethods):
    """Answers from the roster and the chain's present state, and asks the chain to infer."""

    def __init__(
        self,
        *,
        chain: Chain,
        roster: Roster,
        record: CallRecord,
        statistics: Statistics,
        in_flight: InFlight,
        drain: DrainSignal,
    ) -> None:
        """`in_flight` counts what a drain has to wait for, and `drain` tells streams of it."""
        self._chain = chain
        self._models = served_models(roster)
        self._statistics = statistics
        self._record = record
        self._in_flight = in_flight
        self._drain = drain
        self._calls = self.calls_of(chain)

    def calls_of(self, asked: Asked) -> InferenceCalls:
        """What asks on behalf of the two methods that infer."""
        return InferenceCalls(
            chain=asked, models=self._models, record=self._record, in_flight=self._in_flight, drain=self._drain
        )

    def ModelInfer(
        self, request: infer_pb2.ModelInferRequest, context: grpc.ServicerContext
    ) -> infer_pb2.ModelInferResponse:
        """Run a model once."""
        return self._calls.infer(request, context)

    def ModelStreamInfer(
        self, request_iterator: Iterator[infer_pb2.ModelInferRequest], context: grpc.ServicerContext
    ) -> Iterator[infer_pb2.ModelStreamInferResponse]:
        """Run a model for each request of the stream."""
        return self._calls.stream(request_iterator, context)

    def ServerLive(
        self, request: metadata_pb2.ServerLiveRequest, context: grpc.ServicerContext
    ) -> metadata_pb2.ServerLiveResponse:
        """Always true: whoever is not live gives no answer."""
        return metadata_pb2.ServerLiveResponse(live=True)

    def ServerReady(
        self, request: metadata_pb2.ServerReadyRequest, context: grpc.ServicerContext
    ) -> metadata_pb2.ServerReadyResponse:
        """Whether every pathway can answer in one way or another."""
        pathways = self._chain.status()
        ready = bool(pathways) and all(pathway.capability is not Capability.NONE for pathway in pathways)
        return metadata_pb2.ServerReadyResponse(ready=ready)

    def ModelReady(
        self, request: metadata_pb2.ModelReadyRequest, context: grpc.ServicerContext
    ) -> metadata_pb2.ModelReadyResponse:
        """Whether this model would be asked now. False, not an error, for a model that is not here."""
        model = self._models.get(request.name)
        if model is None or request.version not in {"", model.version}:
            return metadata_pb2.ModelReadyResponse(ready=False)
        state, _ = state_of(model, self._tiers_now(model.pathway))
        return metadata_pb2.ModelReadyResponse(ready=state == READY)

    def ServerMetadata(
        self, request: metadata_pb2.ServerMetadataRequest, context: grpc.ServicerContext
    ) -> metadata_pb2.ServerMetadataResponse:
        """Name, version, and the extensions that are served whole."""
        return metadata_pb2.ServerMetadataResponse(
            name=SERVER_NAME, version=stepdown.__version__, extensions=EXTENSIONS
        )

    def ModelMetadata(
        self, request: metadata_pb2.ModelMetadataRequest, context: grpc.ServicerContext
    ) -> metadata_pb2.ModelMetadataResponse:
        """Inputs and outputs of one model."""
        return metadata_of(find_model(self._models, name=request.name, version=request.version))

    def ModelConfig(
        self, request: configuration_pb2.ModelConfigRequest, context: grpc.ServicerContext
    ) -> configuration_pb2.ModelConfigResponse:
        """How one model is set up."""
        model = find_model(self._models, name=request.name, version=request.version)
        return configuration_pb2.ModelConfigResponse(config=configuration_of(model))

    def ModelStatistics(
        self, request: statistics_pb2.ModelStatisticsRequest, context: grpc.ServicerContext
    ) -> statistics_pb2.ModelStatisticsResponse:
        """Counts and times of one model, or of all when none is named."""
        models: tuple[ServedModel, ...] = tuple(self._models.values())
        if request.name:
            models = (find_model(self._models, name=request.name, version=request.version),)
        counted = self._statistics()
        return statistics_pb2.ModelStatisticsResponse(model_stats=[statistics_of(model, counted) for model in models])

    def RepositoryIndex(
        self, request: repository_pb2.RepositoryIndexRequest, context: grpc.ServicerContext
    ) -> repository_pb2.RepositoryIndexResponse:
        """Every model with its state, or only those that are ready."""
        if request.repository_name:
            text = "repository_name: there is one repository, and it has no name; leave it empty."
            raise refused(RejectReason.TENSOR_INVALID, field="repository_name", description=text)
        now = {pathway.name: {tier.name: tier for tier in pathway.tiers} for pathway in self._chain.status()}
        entries = [index_entry(model, now.get(model.pathway, {})) for model in self._models.values()]
        return repository_pb2.RepositoryIndexResponse(
            models=[entry for entry in entries if not request.ready or entry.state == READY]
        )

    def _tiers_now(self, pathway: str) -> Mapping[str, TierStatus]:
        return {tier.name: tier for each in self._chain.status() if each.name == pathway for tier in each.tiers}
