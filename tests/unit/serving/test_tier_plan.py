import pytest

from stepdown.domain.reasons import Reason
from stepdown.serving.tier_plan import TierView, TierWish, plan_tiers


def view(name: str, *, unfit: Reason | None = None, service_s: float | None = 0.01, wait_s: float = 0.0) -> TierView:
    return TierView(name=name, unfit=unfit, detail="", service_s=service_s, wait_s=wait_s)


FULL, DISTILLED = view("full", service_s=0.05), view("distilled", service_s=0.002)


def test_asks_the_best_tier_first_and_keeps_the_chains_order() -> None:
    assert plan_tiers((FULL, DISTILLED), remaining_s=0.5).order == (0, 1)


def test_skips_a_tier_that_does_not_serve_and_says_why() -> None:
    plan = plan_tiers((view("full", unfit=Reason.WORKER_LOST), DISTILLED), remaining_s=0.5)
    assert plan.order == (1,)
    assert [(skipped.tier, skipped.reason) for skipped in plan.skipped] == [("full", Reason.WORKER_LOST)]


def test_skips_a_tier_whose_typical_run_outlasts_the_time_left() -> None:
    plan = plan_tiers((FULL, DISTILLED), remaining_s=0.02)
    assert plan.order == (1,)
    assert plan.skipped[0].reason is Reason.DEADLINE_TOO_SHORT


def test_skips_a_tier_whose_queue_outlasts_the_time_left() -> None:
    plan = plan_tiers((view("full", wait_s=1.0), DISTILLED), remaining_s=0.5)
    assert plan.order == (1,)
    assert plan.skipped[0].reason is Reason.QUEUE_FULL


def test_trusts_a_tier_that_was_never_measured() -> None:
    assert plan_tiers((view("full", service_s=None),), remaining_s=0.001).order == (0,)


def test_asks_nothing_below_the_callers_minimum() -> None:
    plan = plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=TierWish(minimum_tier="full"))
    assert plan.order == (0,)


def test_a_minimum_of_the_rules_accepts_every_model() -> None:
    assert plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=TierWish(minimum_tier="rules")).order == (0, 1)


@pytest.mark.parametrize(("only", "order"), [("full", (0,)), ("distilled", (1,)), ("rules", ()), ("nonsense", ())])
def test_an_addressed_tier_is_asked_alone(only: str, order: tuple[int, ...]) -> None:
    assert plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=TierWish(only_tier=only)).order == order


def test_asks_no_model_out_of_indication_and_says_so_for_each() -> None:
    plan = plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=TierWish(models_permitted=False))
    assert plan.order == ()
    assert [(skipped.tier, skipped.reason) for skipped in plan.skipped] == [
        ("full", Reason.INPUT_UNSUITABLE),
        ("distilled", Reason.INPUT_UNSUITABLE),
    ]


def test_a_caller_who_addressed_the_rules_alone_is_told_of_no_model() -> None:
    wish = TierWish(only_tier="rules", models_permitted=False)
    assert plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=wish).skipped == ()


def test_an_addressed_tier_below_the_callers_minimum_is_not_asked() -> None:
    wish = TierWish(only_tier="distilled", minimum_tier="full")
    assert plan_tiers((FULL, DISTILLED), remaining_s=0.5, wish=wish).order == ()
