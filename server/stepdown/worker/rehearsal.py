"""Faults rehearsed in a real worker: the run itself is slow, wrong or fatal, and everything around it is as always.

Only a worker whose order permits drills holds one of these. A fault acts where the real one would, between the batch
and the device, so that all that should notice it can. Refuses to undo damage: a process that died of a drill is dead.
"""

import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

import numpy as np

from stepdown.domain.drills import LOAD_FAULTS, InjectableFault
from stepdown.domain.errors import WorkerError
from stepdown.domain.reasons import Reason
from stepdown.worker.order import DrillTerms
from stepdown.worker.runner import ModelRunner

_MAXIMUM_DELAY_S = 3600.0
_BY_A_DRILL = "(injected by a drill)"
# The words of the real ones, so that the table of faults is rehearsed too.
_RAISED: Mapping[InjectableFault, str] = {
    InjectableFault.STICKY_ERROR: f"CUDA failure 700: an illegal memory access was encountered {_BY_A_DRILL}",
    InjectableFault.OUT_OF_MEMORY: f"BFCArena: Failed to allocate memory for the requested buffer {_BY_A_DRILL}",
}
_RUN_FAULTS = frozenset(
    {
        *_RAISED,
        InjectableFault.WORKER_SLOW,
        InjectableFault.OUTPUT_NAN,
        InjectableFault.OUTPUT_WRONG,
        InjectableFault.ABORT,
    }
)
_REFUSED: Mapping[InjectableFault, tuple[Reason, str]] = {
    InjectableFault.PROVIDER_LOST: (Reason.PROVIDER_UNAVAILABLE, f"no device is detected {_BY_A_DRILL}"),
    InjectableFault.PLACEMENT_LOST: (Reason.PLACEMENT_TOO_LOW, f"no node is on the provider {_BY_A_DRILL}"),
}


class RehearsedRunner(ModelRunner):
    """A runner that can be told to fail. Until it is told, and after it is told to stop, it is the plain one."""

    _fault: InjectableFault | None = None
    _delay_s: float = 0.0

    def rehearse(self, body: Mapping[str, object]) -> None:
        """Take a DRILL frame: `fault` with `delay_s`, or a `fault` of null to end it.

        Raises:
            WorkerError: INTERNAL_FAULT when it names no fault of a run, or a delay out of bounds.
        """
        fault, delay_s = body.get("fault"), body.get("delay_s", 0.0)
        if fault is None:
            self._fault = None
            return
        known = {str(each): each for each in _RUN_FAULTS}
        bounded = isinstance(delay_s, int | float) and math.isfinite(delay_s) and 0 <= delay_s <= _MAXIMUM_DELAY_S
        if not isinstance(fault, str) or fault not in known or not bounded:
            raise WorkerError(reason=Reason.INTERNAL_FAULT, detail="DRILL frame of another form")
        self._fault, self._delay_s = known[fault], float(str(delay_s))

    def run(self, inputs: Sequence[np.ndarray], rows: int) -> list[np.ndarray]:
        """As the plain one, with the fault in between. Raises what the real fault would raise."""
        fault = self._fault
        if fault is None:
            return super().run(inputs, rows)
        if fault in _RAISED:
            raise RuntimeError(_RAISED[fault])
        if fault is InjectableFault.ABORT:
            _abort()
        if fault is InjectableFault.WORKER_SLOW:
            time.sleep(self._delay_s)
            return super().run(inputs, rows)
        spoil = _not_a_number if fault is InjectableFault.OUTPUT_NAN else _wrong
        return [spoil(output) for output in super().run(inputs, rows)]


def refuse_to_load(terms: DrillTerms, *, at: InjectableFault) -> None:
    """Find the device fault of the terms, if it is this one.

    Raises:
        WorkerError: PROVIDER_UNAVAILABLE or PLACEMENT_TOO_LOW, as the session would have.
    """
    if terms.permitted and terms.load_fault in LOAD_FAULTS and terms.load_fault is at:
        reason, detail = _REFUSED[at]
        raise WorkerError(reason=reason, detail=detail)


def _not_a_number(output: np.ndarray) -> np.ndarray:
    """Nothing but NaN where the type has one; other types are left alone, as a broken kernel of floats would."""
    return np.full_like(output, np.nan) if output.dtype.kind == "f" else output


def _wrong(output: np.ndarray) -> np.ndarray:
    """Finite and plausible, and half of what it should be: inside any bounds that include zero."""
    return output / 2 if output.dtype.kind == "f" else output


def _abort() -> NoReturn:
    """What a driver does that has found its own state inconsistent."""
    os.abort()
