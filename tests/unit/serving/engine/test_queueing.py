from collections import Counter

import pytest

from stepdown.domain.engine_events import Request
from stepdown.domain.tensors import TensorRows
from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.queueing import CaseQueue

RANK = 0
NEVER_S = 1e9


def case(
    client: str = "", urgency: str = "routine", *, rows: int = 1, answer_by_s: float = NEVER_S, vetted: bool = True
) -> Case:
    request = Request(
        pathway="",
        payload=TensorRows(rows=rows, tensors=()),
        deadline_s=answer_by_s,
        reply_to=None,
        client=client,
        urgency=Urgency(urgency),
        vetted=vetted,
    )
    return Case(request=request, arrived_s=0.0, answer_by_s=answer_by_s, order=(RANK,))


@pytest.fixture
def queue() -> CaseQueue:
    return CaseQueue(RANK)


def clients(batch: tuple[Case, ...]) -> list[str]:
    return [each.request.client for each in batch]


def fill(queue: CaseQueue, number: int, client: str = "", urgency: str = "routine") -> list[Case]:
    cases = [case(client, urgency) for _ in range(number)]
    for each in cases:
        queue.put(each)
    return cases


def take(queue: CaseQueue, rows: int) -> tuple[Case, ...]:
    return queue.take_batch(maximum_rows=rows, now_s=0.0)


def test_within_one_client_whoever_came_first_goes_first(queue: CaseQueue) -> None:
    cases = fill(queue, 5)
    assert take(queue, 3) == tuple(cases[:3])
    assert take(queue, 3) == tuple(cases[3:])
    assert take(queue, 3) == ()


def test_a_client_that_floods_waits_behind_its_own(queue: CaseQueue) -> None:
    fill(queue, 100, "flood")
    fill(queue, 3, "ward")
    assert Counter(clients(take(queue, 8))) == {"flood": 5, "ward": 3}


def test_turns_are_counted_in_rows_not_in_requests(queue: CaseQueue) -> None:
    for _ in range(10):
        queue.put(case("sweep", rows=8))
    fill(queue, 40, "bedside")
    served: Counter[str] = Counter()
    for _ in range(6):
        for each in take(queue, 8):
            served[each.request.client] += each.rows
    assert served["bedside"] >= 23
    assert served["sweep"] >= 16


def test_whoever_comes_back_has_saved_up_no_turns(queue: CaseQueue) -> None:
    fill(queue, 1, "returning")
    take(queue, 1)
    fill(queue, 100, "steady")
    for _ in range(50):
        take(queue, 1)
    fill(queue, 50, "returning")
    assert Counter(clients(take(queue, 20))) == {"steady": 10, "returning": 10}


def test_the_most_urgent_go_first_and_the_others_are_not_starved(queue: CaseQueue) -> None:
    fill(queue, 400, urgency="emergency")
    fill(queue, 400, urgency="urgent")
    fill(queue, 400, urgency="routine")
    taken: Counter[str] = Counter()
    for _ in range(30):
        taken.update(str(each.request.urgency) for each in take(queue, 10))
    assert taken["emergency"] >= 200
    assert taken["urgent"] >= 25
    assert taken["routine"] >= 25


def test_starvation_is_prevented_even_where_a_batch_is_one_row(queue: CaseQueue) -> None:
    fill(queue, 100, urgency="emergency")
    fill(queue, 1, urgency="routine")
    assert "routine" in [str(take(queue, 1)[0].request.urgency) for _ in range(10)]


def test_what_has_expired_or_ended_is_never_sent(queue: CaseQueue) -> None:
    late, gone, wanted = case(answer_by_s=1.0), case(), case()
    for each in (late, gone, wanted):
        queue.put(each)
    queue.ended(gone)
    assert queue.rows == 2
    assert queue.take_batch(maximum_rows=8, now_s=1.0) == (wanted,)
    assert queue.rows == 0
    queue.ended(wanted)
    assert queue.rows == 0


def test_a_queue_full_of_ended_cases_is_swept(queue: CaseQueue) -> None:
    last = case()
    for _ in range(10_000):
        ended = case()
        queue.put(ended)
        queue.put(last) if not last.queued else None
        queue.ended(ended)
    (lane,) = queue._waiting[Urgency.ROUTINE]._lanes.values()  # noqa: SLF001 - memory is what is asked about
    assert len(lane.cases) < 100
    assert queue.cases() == (last,)


def test_clients_that_come_and_go_leave_nothing_behind(queue: CaseQueue) -> None:
    fill(queue, 1, "stays")
    for number in range(10_000):
        passing = case(f"client-{number}")
        queue.put(passing)
        queue.ended(passing)
    lanes = queue._waiting[Urgency.ROUTINE]  # noqa: SLF001
    assert len(lanes._lanes) == 1  # noqa: SLF001
    assert len(lanes._turns) < 100  # noqa: SLF001
    assert clients(take(queue, 8)) == ["stays"]


def test_vetted_and_unvetted_input_never_share_a_batch(queue: CaseQueue) -> None:
    for vetted in (True, True, False, False, True):
        queue.put(case(vetted=vetted))
    assert [len(take(queue, 8)) for _ in range(3)] == [2, 2, 1]


def test_clearing_hands_back_what_waited(queue: CaseQueue) -> None:
    cases = fill(queue, 3)
    queue.ended(cases[1])
    assert queue.clear() == (cases[0], cases[2])
    assert (queue.rows, take(queue, 8)) == (0, ())


def test_only_what_comes_before_counts_as_a_wait(queue: CaseQueue) -> None:
    fill(queue, 100, "flood")
    fill(queue, 4, "flood", "urgent")
    assert queue.rows_before(Urgency.EMERGENCY, "ward") == 0
    assert queue.rows_before(Urgency.URGENT, "ward") == 1
    assert queue.rows_before(Urgency.ROUTINE, "flood") == 104
    assert queue.rows_before(Urgency.ROUTINE, "ward") == 5


def test_the_client_with_most_waiting_gives_way_to_those_with_less(queue: CaseQueue) -> None:
    flood = fill(queue, 10, "flood")
    fill(queue, 9, "ward")
    queue.ended(flood[-1])
    assert not queue.can_displace(Urgency.ROUTINE, "ward", rows=1)
    assert not queue.can_displace(Urgency.ROUTINE, "flood", rows=1)
    assert queue.can_displace(Urgency.ROUTINE, "theatre", rows=8)
    assert not queue.can_displace(Urgency.ROUTINE, "theatre", rows=9)
    assert queue.displaced(Urgency.ROUTINE) is flood[-2]
    assert queue.rows == 17


def test_the_less_urgent_give_way_to_the_more_urgent_whoever_sent_them(queue: CaseQueue) -> None:
    routine = fill(queue, 1, "ward")
    urgent = fill(queue, 1, "ward", "urgent")
    emergency = fill(queue, 2, "ward", "emergency")
    assert not queue.can_displace(Urgency.ROUTINE, "ward", rows=1)
    assert queue.can_displace(Urgency.EMERGENCY, "ward", rows=1)
    assert [queue.displaced(Urgency.EMERGENCY) for _ in range(3)] == [*routine, *urgent, emergency[-1]]
    assert not queue.can_displace(Urgency.EMERGENCY, "ward", rows=1)


def test_what_expired_while_it_waited_does_not_cost_its_client_a_turn(queue: CaseQueue) -> None:
    for _ in range(20):
        queue.put(case("late", answer_by_s=1.0))
    fill(queue, 20, "late")
    fill(queue, 20, "ward")
    batch = queue.take_batch(maximum_rows=8, now_s=1.0)
    assert Counter(clients(batch)) == {"late": 4, "ward": 4}


def test_a_large_request_that_passes_the_more_urgent_pays_for_each_of_its_rows(queue: CaseQueue) -> None:
    fill(queue, 400, urgency="emergency")
    for _ in range(100):
        queue.put(case("ward", rows=4))
    rows: Counter[str] = Counter()
    for _ in range(90):
        for each in take(queue, 4):
            rows[str(each.request.urgency)] += each.rows
    assert 0 < rows["routine"] <= rows["emergency"] / 7


def test_a_client_that_sends_one_after_another_does_not_pass_those_who_wait(queue: CaseQueue) -> None:
    fill(queue, 10, "ward")
    taken: Counter[str] = Counter()
    for _ in range(8):
        queue.put(case("theatre", rows=4))
        for each in take(queue, 4):
            taken[each.request.client] += each.rows
    assert taken["ward"] == 10


def test_turns_of_clients_that_have_gone_are_forgotten(queue: CaseQueue) -> None:
    fill(queue, 500, "ward")
    for number in range(200):
        fill(queue, 1, f"client {number}")
        take(queue, 2)
    assert len(queue._waiting[Urgency.ROUTINE]._ahead) < 50  # noqa: SLF001 - what is kept cannot be seen from outside
