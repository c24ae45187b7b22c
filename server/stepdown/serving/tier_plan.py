"""Where a tier is chosen: from health, time left and what the caller accepts to the ordered tiers worth asking.

Pure. The plan keeps the chain's order (best first), never contains a tier that is not serving, and names a reason for
each better tier that it skips. The rules are not in it: they have answered before a plan is made.
"""

from dataclasses import dataclass

from stepdown.domain.assessments import Degradation
from stepdown.domain.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TierView:
    """One model tier at the moment of planning.

    `unfit`: why it may not be asked at all (None = it serves). `service_s`: what a run takes (median; None before
    anything was measured); `wait_s`: what stands before it in the queue. A run slower than usual is the hedge's
    business.
    """

    name: str
    unfit: Reason | None
    detail: str
    service_s: float | None
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TierWish:
    """What the caller accepts: nothing below `minimum_tier`, or `only_tier` alone.

    `models_permitted` False asks no model, because the input suits none; `models_spared` asks none, because the server
    has no time to wait for one.
    """

    minimum_tier: str = ""
    only_tier: str = ""
    models_permitted: bool = True
    models_spared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPlan:
    """Indexes into the views, best first, and every skipped tier with its reason."""

    order: tuple[int, ...]
    skipped: tuple[Degradation, ...]


ANY_TIER = TierWish()
_UNSUITABLE = (Reason.INPUT_UNSUITABLE, "the input does not suit the models")
_SPARED = (Reason.QUEUE_FULL, "too many calls wait for the server itself")


def unfit_for(view: TierView, remaining_s: float) -> tuple[Reason, str] | None:
    """Why this tier is not worth asking with `remaining_s` left, or None when it is."""
    if view.unfit is not None:
        return view.unfit, view.detail
    if view.service_s is None:
        return None
    if view.service_s > remaining_s:
        return Reason.DEADLINE_TOO_SHORT, "a typical run takes longer than the time left"
    if view.wait_s + view.service_s > remaining_s:
        return Reason.QUEUE_FULL, "the queue is longer than the time left"
    return None


def plan_tiers(views: tuple[TierView, ...], *, remaining_s: float, wish: TierWish = ANY_TIER) -> TierPlan:
    """Order the tiers worth asking. `views` are the pathway's model tiers, best first."""
    order: list[int] = []
    skipped: list[Degradation] = []
    barred = _barred(wish)
    for index in _accepted(views, wish):
        view = views[index]
        unfit = barred or unfit_for(view, remaining_s)
        if unfit is None:
            order.append(index)
        else:
            skipped.append(Degradation(tier=view.name, reason=unfit[0], detail=unfit[1]))
    return TierPlan(order=tuple(order), skipped=tuple(skipped))


def _barred(wish: TierWish) -> tuple[Reason, str] | None:
    """Why no model at all is asked."""
    if not wish.models_permitted:
        return _UNSUITABLE
    return _SPARED if wish.models_spared else None


def _accepted(views: tuple[TierView, ...], wish: TierWish) -> range:
    names = [view.name for view in views]
    lowest = names.index(wish.minimum_tier) if wish.minimum_tier in names else len(names) - 1
    if wish.only_tier:
        position = names.index(wish.only_tier) if wish.only_tier in names else len(names)
        return range(position, min(position, lowest) + 1)
    return range(lowest + 1)
