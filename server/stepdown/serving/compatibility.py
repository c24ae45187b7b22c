"""Whether a new version fits into the place of the one before: same role, same tensors, same meaning of the score.

Pure. Names the field of the manifest that does not fit. Refuses nothing that an answer says of itself anyway, such as
thresholds, bounds, calibration or labels: those are why there are new versions.
"""

from stepdown.domain.bundles import Manifest, ModelSpec, TensorSpec


def misfit(new: Manifest, *, present: Manifest | None, clinical: bool) -> str:
    """Why `new` cannot take the place of `present` (None: nothing verified stands there), or an empty text.

    `clinical`: the pathway assesses patients, so that a model needs a score and thresholds.
    """
    if present is not None and new.kind is not present.kind:
        return f"kind: {new.kind}, and the tier's is {present.kind}"
    if present is not None and new.tier_role is not present.tier_role:
        return f"tier_role: {new.tier_role}, and the tier's is {present.tier_role}"
    if new.model is None:
        return ""
    if clinical and (new.model.score is None or new.model.thresholds is None):
        return "score: without [score] and [thresholds] a model cannot assess risk"
    if present is None or present.model is None:
        return ""
    return _tensors(new.model, present.model) or _meaning(new.model, present.model)


def _tensors(new: ModelSpec, present: ModelSpec) -> str:
    """Inputs alike in order too, since payloads are sent in it; every output there was must still be there."""
    if tuple(map(_shape, new.inputs)) != tuple(map(_shape, present.inputs)):
        return f"input: {_named(new.inputs)}, and the tier's encoder gives {_named(present.inputs)}"
    given = set(map(_shape, new.outputs))
    missing = tuple(output for output in present.outputs if _shape(output) not in given)
    return f"output: lacks {_named(missing)}, which the tier gives now" if missing else ""


def _meaning(new: ModelSpec, present: ModelSpec) -> str:
    """Numbers of different outcomes or horizons must not take turns under one name."""
    if new.score is None or present.score is None:
        return "score: one of the two versions has none" if new.score is not present.score else ""
    if new.score.outcome != present.score.outcome:
        return "score.outcome: another than the tier's"
    return "score.horizon_h: another than the tier's" if new.score.horizon_h != present.score.horizon_h else ""


def _shape(tensor: TensorSpec) -> tuple[str, str, tuple[int, ...]]:
    return tensor.name, tensor.datatype, tensor.shape


def _named(tensors: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{tensor.name} {tensor.datatype} {list(tensor.shape)}" for tensor in tensors)
