"""What a server discloses about its bundles."""

from collections.abc import Iterator, Mapping

import grpc

from stepdown.api.v1.catalog_service_pb2 import CardAttribute, GetModelCardRequest, Provenance
from stepdown.api.v1.catalog_service_pb2_grpc import CatalogServiceStub
from stepdown.client.connection import Credentials
from stepdown.client.failures import AssessmentError


def model_card(
    addresses: str, credentials: Credentials, *, bundle: str, version: str = ""
) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The card of a bundle: per section, pairs of title and value. Raises AssessmentError, AddressError, OSError."""
    with credentials.channel(addresses) as channel:
        try:
            request = GetModelCardRequest(bundle=bundle, version=version)
            card = CatalogServiceStub(channel).GetModelCard(request, timeout=10.0).card
        except grpc.RpcError as error:
            raise AssessmentError.of_call(error) from error
    identity = card.bundle
    return {
        "bundle": (
            ("Name", identity.name),
            ("Version", identity.version),
            ("SHA-256", identity.sha256),
            ("Signed by", ", ".join(identity.signers)),
        ),
        "provenance": tuple(_provenance(card.provenance)),
        "hti1": tuple(map(_pair, card.hti1)),
        "evidence": tuple(map(_pair, card.evidence)),
        "chai": tuple(map(_pair, card.chai)),
    }


def _provenance(provenance: Provenance) -> Iterator[tuple[str, str]]:
    if not provenance.builder:
        return
    yield "Built by", provenance.builder
    if provenance.HasField("end_time"):
        yield "Built until", provenance.end_time.ToJsonString()
    for title, value in (
        ("Code", provenance.source_commit),
        ("Parameters", provenance.parameters),
        ("Hardware", provenance.hardware),
        ("Edited since", ", ".join(provenance.edited_files)),
    ):
        if value:
            yield title, value
    for material in provenance.materials:
        digests = (f"{algorithm}:{material.digests[algorithm]}" for algorithm in sorted(material.digests))
        yield "Built from", "  ".join(filter(None, (material.name, material.uri, *digests)))


def _pair(attribute: CardAttribute) -> tuple[str, str]:
    return attribute.title, attribute.value
