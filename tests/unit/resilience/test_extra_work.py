from stepdown.resilience.extra_work import ExtraWork


def test_a_burst_is_free_and_then_only_a_share_of_the_work_is_done_twice() -> None:
    extra = ExtraWork(share=0.25, burst_rows=4)
    twice = 0
    for _ in range(400):
        extra.earn(1)
        if extra.affords(1):
            extra.spend(1)
            twice += 1
    assert twice == 4 + 99


def test_nothing_is_saved_up_beyond_the_burst() -> None:
    extra = ExtraWork(share=0.25, burst_rows=4)
    extra.earn(1_000_000)
    assert extra.affords(4)
    assert not extra.affords(5)


def test_no_share_and_no_burst_allow_nothing() -> None:
    extra = ExtraWork(share=0.0, burst_rows=0)
    extra.earn(1000)
    assert not extra.affords(1)
