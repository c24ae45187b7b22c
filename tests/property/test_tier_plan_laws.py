from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.reasons import Reason
from stepdown.serving.tier_plan import TierView, plan_tiers

seconds = st.floats(min_value=1e-5, max_value=10.0)


@st.composite
def views(draw: st.DrawFn) -> tuple[TierView, ...]:
    count = draw(st.integers(min_value=0, max_value=5))
    made = []
    for index in range(count):
        service_s = draw(st.none() | seconds)
        wait_s = draw(st.floats(min_value=0.0, max_value=5.0))
        unfit = draw(st.none() | st.sampled_from(Reason))
        made.append(TierView(name=f"tier-{index}", unfit=unfit, detail="", service_s=service_s, wait_s=wait_s))
    return tuple(made)


@given(views(), seconds)
def test_a_plan_is_ordered_and_accounts_for_every_tier(chain: tuple[TierView, ...], remaining_s: float) -> None:
    plan = plan_tiers(chain, remaining_s=remaining_s)
    assert list(plan.order) == sorted(plan.order)
    assert {chain[index].name for index in plan.order} | {skipped.tier for skipped in plan.skipped} == {
        tier.name for tier in chain
    }
    assert len(plan.order) + len(plan.skipped) == len(chain)


@given(views(), seconds, st.data())
def test_a_plan_never_improves_when_something_breaks(
    chain: tuple[TierView, ...], remaining_s: float, data: st.DataObject
) -> None:
    if not chain:
        return
    broken = data.draw(st.integers(min_value=0, max_value=len(chain) - 1))
    worse = tuple(
        TierView(name=tier.name, unfit=Reason.WORKER_LOST, detail="", service_s=None) if index == broken else tier
        for index, tier in enumerate(chain)
    )
    before = plan_tiers(chain, remaining_s=remaining_s).order
    after = plan_tiers(worse, remaining_s=remaining_s).order
    assert set(after) <= set(before)


@given(views(), seconds, seconds)
def test_less_time_never_adds_a_tier(chain: tuple[TierView, ...], one_s: float, other_s: float) -> None:
    short, long = sorted((one_s, other_s))
    assert set(plan_tiers(chain, remaining_s=short).order) <= set(plan_tiers(chain, remaining_s=long).order)
