from stepdown.domain.tiers import Urgency
from stepdown.resilience.waiting_line import Waiting, WaitingLine

AGES_S = 1000.0


def call(
    item: str, *, caller: str = "ward", urgency: Urgency = Urgency.ROUTINE, cost_s: float = 1.0, limit_s: float = AGES_S
) -> Waiting[str]:
    return Waiting(item=item, caller=caller, urgency=urgency, cost_s=cost_s, limit_s=limit_s)


def line_of(*calls: Waiting[str]) -> WaitingLine[str]:
    line: WaitingLine[str] = WaitingLine()
    for each in calls:
        assert line.join(each) is None
    return line


def order(line: WaitingLine[str]) -> list[str]:
    taken = []
    while line:
        taken.append(line.take().item)
    return taken


def test_of_one_caller_and_urgency_who_came_first_is_first() -> None:
    assert order(line_of(call("a"), call("b"), call("c"))) == ["a", "b", "c"]


def test_the_more_urgent_pass() -> None:
    line = line_of(call("r"), call("u", urgency=Urgency.URGENT), call("e", urgency=Urgency.EMERGENCY))
    assert order(line) == ["e", "u", "r"]


def test_one_turn_in_eight_is_kept_for_those_who_are_passed() -> None:
    urgent = [call(f"u{number}", urgency=Urgency.URGENT) for number in range(20)]
    assert order(line_of(call("r0"), call("r1"), *urgent)).index("r0") == 7
    assert order(line_of(call("r0"), call("r1"), *urgent)).index("r1") == 15


def test_callers_take_turns_by_the_work_that_they_bring() -> None:
    heavy = [call(f"h{number}", caller="heavy", cost_s=4.0) for number in range(2)]
    light = [call(f"l{number}", caller="light") for number in range(5)]
    assert order(line_of(*heavy, *light)) == ["h0", "l0", "l1", "l2", "l3", "h1", "l4"]


def test_who_was_served_before_does_not_pass_those_who_were_not() -> None:
    line = line_of(call("a0", caller="a", cost_s=3.0), call("b0", caller="b"), call("b1", caller="b"))
    assert line.take().item == "a0"
    line.join(call("a1", caller="a"))
    assert order(line) == ["b0", "b1", "a1"]


def test_the_wait_is_what_comes_before_stretched_as_it_was_of_late() -> None:
    line = line_of(call("a", cost_s=2.0), call("e", urgency=Urgency.EMERGENCY, cost_s=3.0))
    line.stretch = 2.0
    assert line.wait_s(Urgency.EMERGENCY, "ward", 1.0) == 6.0
    assert line.wait_s(Urgency.ROUTINE, "ward", 1.0) == 10.0
    assert line.wait_s(Urgency.ROUTINE, "another", 1.0) == 2.0 * (3.0 + 1.0)


def test_who_would_be_begun_too_late_is_turned_away() -> None:
    line = line_of(call("a", cost_s=2.0))
    late = call("b", limit_s=1.9)
    assert not line.has_room(late)
    assert line.join(late) is late
    assert order(line) == ["a"]


def test_a_caller_who_has_more_waiting_gives_way_with_its_newest() -> None:
    flood = [call(f"f{number}", caller="flood") for number in range(5)]
    line = line_of(*flood, call("w0"))
    one_more = call("w1", limit_s=1.5)
    assert line.has_room(one_more)
    assert line.join(one_more) is flood[-1]
    assert sorted(order(line)) == ["f0", "f1", "f2", "f3", "w0", "w1"]


def test_an_emergency_gives_way_to_nobody_less_urgent_and_is_not_kept_waiting_by_them() -> None:
    line = line_of(*(call(f"r{number}") for number in range(100)))
    emergency = call("e", urgency=Urgency.EMERGENCY, limit_s=0.1)
    assert line.join(emergency) is None
    assert line.take() is emergency


def test_who_leaves_is_not_begun_and_counts_no_more() -> None:
    first, second = call("a"), call("b", caller="another")
    line = line_of(first, second)
    line.leave(first)
    assert line.wait_s(Urgency.ROUTINE, "ward", 5.0) == 1.0
    line.leave(second)
    assert not line
    assert line.wait_s(Urgency.ROUTINE, "ward", 5.0) == 0.0


def test_callers_that_have_nothing_waiting_are_forgotten_in_time() -> None:
    line = line_of(call("w", cost_s=1.0))
    for number in range(1000):
        line.join(call("x", caller=f"caller {number}", cost_s=0.0001))
        assert line.take().item == "x" or line.join(call("w", cost_s=1.0)) is None
    assert len(line._classes[Urgency.ROUTINE].served) < 300  # noqa: SLF001
