"""One server for all tests of a module, put back to its start before each."""

from collections.abc import Iterator

import pytest

from stepdown.api.oip.open_inference_pb2_grpc import GRPCInferenceServiceStub
from tests.fakes.open_inference import echoed
from tests.fakes.open_inference_side import OpenInferenceSide, all_serving, open_inference_side


@pytest.fixture(scope="module")
def serving() -> Iterator[OpenInferenceSide]:
    with open_inference_side() as side:
        yield side


@pytest.fixture
def side(serving: OpenInferenceSide) -> OpenInferenceSide:
    """The one server of this module, as it was at its start."""
    serving.chain.answer = echoed
    serving.chain.move(*all_serving())
    serving.chain.submitted.clear()
    serving.chain.cancelled.clear()
    serving.recorded.notices.clear()
    serving.recorded.incidents.clear()
    return serving


@pytest.fixture
def stub(side: OpenInferenceSide) -> GRPCInferenceServiceStub:
    return GRPCInferenceServiceStub(side.grpc_side.assessor)
