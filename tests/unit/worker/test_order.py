import json
from dataclasses import replace

import pytest

from stepdown.domain.drills import InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.order import (
    NO_DRILLS,
    DrillTerms,
    LoadOrder,
    WorkerResources,
    load_order,
    order_from_json,
    order_to_json,
)
from tests.fakes.bundles import ECHO, bundle


@pytest.fixture
def order() -> LoadOrder:
    model = bundle(ECHO).manifest.model
    assert model is not None
    resources = WorkerResources(threads=2, cores=(0, 1), niceness=5, device_id=1)
    return load_order(
        model, providers=(ExecutionProvider.CUDA, ExecutionProvider.CPU), resources=resources, warm_up_s=0.25
    )


@pytest.mark.parametrize(
    "terms",
    [NO_DRILLS, DrillTerms(permitted=True), DrillTerms(permitted=True, load_fault=InjectableFault.PROVIDER_LOST)],
)
def test_the_terms_of_drills_travel_with_an_order(order: LoadOrder, terms: DrillTerms) -> None:
    assert order_from_json(order_to_json(replace(order, drills=terms))).drills == terms


@pytest.mark.parametrize("value", [1, "true", None])
def test_nothing_but_true_permits_drills(order: LoadOrder, value: object) -> None:
    text = json.dumps(json.loads(order_to_json(order)) | {"drills_permitted": value})
    assert order_from_json(text.encode()).drills == NO_DRILLS


def test_an_order_comes_back_as_it_was_written_without_what_a_child_need_not_know(order: LoadOrder) -> None:
    read = order_from_json(order_to_json(order))
    assert (read.providers, read.resources, read.warm_up_s) == (order.providers, order.resources, 0.25)
    assert [spec.name for spec in read.outputs] == ["score", "checks"]
    assert read.outputs[0].minimum is None
    assert read.layout() == order.layout()


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"{", b'{"providers": 3'])
def test_what_is_no_order_is_refused(text: bytes) -> None:
    with pytest.raises(WorkerError, match="order"):
        order_from_json(text)


@pytest.mark.parametrize(
    ("key", "value"), [("providers", ["GPU"]), ("threads", "many"), ("inputs", [{"name": "x"}]), ("warm_up_s", None)]
)
def test_an_order_with_a_value_of_another_kind_is_refused(order: LoadOrder, key: str, value: object) -> None:
    with pytest.raises(WorkerError, match="order"):
        order_from_json(json.dumps(json.loads(order_to_json(order)) | {key: value}).encode())
