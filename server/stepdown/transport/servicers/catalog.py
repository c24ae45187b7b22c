"""`CatalogService` on gRPC: what is served here, from the roster alone."""

import grpc

from stepdown.api.v1 import catalog_service_pb2 as wire
from stepdown.api.v1 import catalog_service_pb2_grpc
from stepdown.transport.catalog import Catalog


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Each method's docstring is the wire contract's."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def ListPathways(  # noqa: N802  # the wire's name
        self, request: wire.ListPathwaysRequest, context: grpc.ServicerContext
    ) -> wire.ListPathwaysResponse:
        """Every pathway."""
        del request, context
        return wire.ListPathwaysResponse(pathways=self._catalog.pathways())

    def GetPathway(  # noqa: N802
        self, request: wire.GetPathwayRequest, context: grpc.ServicerContext
    ) -> wire.GetPathwayResponse:
        """One pathway."""
        del context
        return wire.GetPathwayResponse(pathway=self._catalog.pathway(request.name))

    def GetModelCard(  # noqa: N802
        self, request: wire.GetModelCardRequest, context: grpc.ServicerContext
    ) -> wire.GetModelCardResponse:
        """One bundle's card."""
        del context
        return wire.GetModelCardResponse(card=self._catalog.card(request.bundle, version=request.version))
