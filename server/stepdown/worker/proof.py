"""Proof that an execution provider can be used: a model of one node is loaded on it alone, run, and checked.

Refuses to believe a list: "compiled in" and "a device is there" are not "it computes".
"""

from typing import Any

import numpy as np

from stepdown.domain.errors import WorkerError
from stepdown.domain.tiers import ExecutionProvider
from stepdown.worker.model_file import addition_model
from stepdown.worker.session import SessionPlan, open_session
from stepdown.worker.survey import device_label

_VALUES = np.array([[0.5, -1.25, 3.0, 1e6], [0.0, 2.0, -7.5, 0.125]], np.float32)


def prove(provider: ExecutionProvider, *, device_id: int = 0) -> dict[str, Any]:
    """`usable`, `device` and, when it is not usable, `why_not`. May hang or die with the driver: run it in a child."""
    plan = SessionPlan(provider=provider, minimum_placement_share=1.0, device_id=device_id)
    try:
        session = open_session(addition_model(), {}, plan)
        (total,) = session.run(["sum"], {"value": _VALUES})
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the answer asked for
        return _unusable(error.detail if isinstance(error, WorkerError) else " ".join(str(error).split()))
    if not np.array_equal(total, _VALUES + _VALUES):
        return _unusable("the device adds wrongly")
    return {"usable": True, "device": device_label(provider, device_id=device_id, threads=plan.threads), "why_not": ""}


def _unusable(why_not: str) -> dict[str, Any]:
    return {"usable": False, "device": "", "why_not": why_not}
