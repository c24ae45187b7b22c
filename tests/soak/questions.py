"""Good questions, and bad ones of every kind that an integration has been seen to send."""

from collections.abc import Callable, Mapping
from functools import cache
from uuid import uuid4

import numpy as np

from stepdown.api.oip import infer_pb2
from stepdown.client import AssessRiskRequest
from stepdown.client.encounter import DEMO_PATHWAY
from tests.faults.load import requests
from tests.faults.running_server import ROOT

_DIFFERENT = 400

GOOD = tuple(requests(_DIFFERENT))


def good(number: int) -> tuple[int, AssessRiskRequest]:
    """One of the good questions under a new id, and which it is."""
    question = number % len(GOOD)
    request = AssessRiskRequest()
    request.CopyFrom(GOOD[question])
    request.request_id = str(uuid4())
    return question, request


def _not_a_number(request: AssessRiskRequest) -> None:
    request.observations[0].value = float("nan")


def _no_moment(request: AssessRiskRequest) -> None:
    request.ClearField("as_of_time")


def _unknown_pathway(request: AssessRiskRequest) -> None:
    request.pathway = "appendicitis"


def _no_id(request: AssessRiskRequest) -> None:
    request.request_id = ""


def _far_future(request: AssessRiskRequest) -> None:
    request.as_of_time.seconds += 10 * 86_400


def _far_too_many(request: AssessRiskRequest) -> None:
    request.observations.extend([request.observations[0]] * 30_000)


_BAD: Mapping[str, Callable[[AssessRiskRequest], None]] = {
    "not a number": _not_a_number,
    "no moment": _no_moment,
    "unknown pathway": _unknown_pathway,
    "no id": _no_id,
    "far future": _far_future,
    "far too many": _far_too_many,
}


def bad(number: int) -> tuple[str, AssessRiskRequest]:
    """A question that must be refused, and what is wrong with it."""
    name = list(_BAD)[number % len(_BAD)]
    _, request = good(next(place for place, each in enumerate(GOOD) if each.observations))
    _BAD[name](request)
    return name, request


def tensor(number: int) -> infer_pb2.ModelInferRequest:
    """Grids of observations as the Open Inference Protocol sends them, one to all of those with a known answer."""
    cells = _grids()[: 1 + number % len(_grids())]
    request = infer_pb2.ModelInferRequest(model_name=DEMO_PATHWAY, id=str(number))
    request.inputs.add(name="observations", datatype="FP32", shape=cells.shape)
    request.raw_input_contents.append(cells.tobytes())
    return request


@cache
def _grids() -> np.ndarray:
    with np.load(ROOT / "models" / "sepsis-full" / "1.0.0" / "known_answers.npz", allow_pickle=False) as known:
        grids: np.ndarray = known["input.observations"].astype("<f4")
    # Infinite ones are there for the model to survive; the protocol refuses them before.
    finite: np.ndarray = grids[~np.isinf(grids).any(axis=(1, 2))]
    return finite


def torn_tensor(number: int) -> infer_pb2.ModelInferRequest:
    """The same with bytes missing."""
    request = tensor(number)
    request.raw_input_contents[0] = request.raw_input_contents[0][:-5]
    return request
