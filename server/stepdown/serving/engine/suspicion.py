"""Looks over the scores of each batch for what no check of a single one can see; suspicion brings the probe forward.

Refuses to take back or to hold up an answer: only the golden probe condemns.
"""

from collections.abc import Sequence
from struct import unpack_from

from stepdown.domain.bands import Band
from stepdown.domain.bundles import BandThresholds
from stepdown.domain.tensors import RowsResult
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.tier import Tier
from stepdown.serving.model_answer import band_of

# Two bands apart is what a second opinion may be; HIGH against LOW_MEDIUM, or MEDIUM against LOW, is more than taste.
_GROSS = 2
_FLOAT_BYTES = 4


def looks_wrong(tier: Tier, cases: Sequence[Case], results: Sequence[RowsResult]) -> bool:
    """Whether these answers, after those before, look constant or at odds with the rules beyond chance."""
    model = tier.model
    if model is None or model.score is None:
        return False
    suspected = False
    for case, result in zip(cases, results, strict=True):
        payload, score = case.request.payload, (result.outputs or {}).get(model.score.output)
        if payload is None or score is None:
            continue
        suspected |= tier.constancy.suspects(payload.tensors, score)
        if model.thresholds is not None and case.request.rules_band is not Band.INDETERMINATE:
            disagrees = _disagrees(score, case.request.rules_band, model.thresholds)
            suspected |= tier.disagreement.suspects(disagrees=disagrees)
    return suspected


def _disagrees(score: bytes, rules_band: Band, thresholds: BandThresholds) -> bool:
    if len(score) < _FLOAT_BYTES:
        return False
    return abs(band_of(unpack_from("<f", score)[0], thresholds) - rules_band) >= _GROSS
