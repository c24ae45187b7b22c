from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.tiers import Urgency
from stepdown.serving.engine.case import Case
from stepdown.serving.engine.queueing import MOST_URGENT_FIRST, CaseQueue
from tests.unit.serving.engine.test_queueing import case

BATCH = 4

acts = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "end", "take", "displace")),
        st.sampled_from("abc"),
        st.sampled_from(Urgency),
        st.integers(min_value=1, max_value=BATCH),
    ),
    max_size=60,
)


@given(acts)
def test_every_case_leaves_once_and_rows_are_never_miscounted(
    schedule: list[tuple[str, str, Urgency, int]],
) -> None:
    queue, waiting = CaseQueue(0), list[Case]()
    for act, client, urgency, rows in schedule:
        left: tuple[Case, ...] = ()
        if act == "put":
            waiting.append(case(client, urgency, rows=rows))
            queue.put(waiting[-1])
        elif act == "end" and waiting:
            left = (waiting[rows % len(waiting)],)
            queue.ended(left[0])
        elif act == "take":
            left = queue.take_batch(maximum_rows=BATCH, now_s=0.0)
            assert bool(left) == bool(waiting)
            assert sum(each.rows for each in left) <= BATCH
        elif act == "displace" and queue.can_displace(urgency, client, rows=rows):
            left = (queue.displaced(urgency),)
            gave_way = left[0].request
            # Within one urgency the others give way; the less urgent give way to their own client too.
            assert gave_way.client != client or gave_way.urgency is not urgency
        for each in left:
            waiting.remove(each)
        assert queue.rows == sum(each.rows for each in waiting)
        assert set(map(id, queue.cases())) == set(map(id, waiting))


@given(st.lists(st.integers(min_value=1, max_value=BATCH), min_size=2, max_size=5))
def test_clients_who_wait_are_served_alike_to_within_two_of_their_largest_requests(sizes: list[int]) -> None:
    queue = CaseQueue(0)
    for client, rows in enumerate(sizes):
        for _ in range(60):
            queue.put(case(str(client), rows=rows))
    served = dict.fromkeys(map(str, range(len(sizes))), 0)
    for _ in range(12):
        for each in queue.take_batch(maximum_rows=BATCH, now_s=0.0):
            served[each.request.client] += each.rows
    assert max(served.values()) - min(served.values()) <= 2 * max(sizes)


@given(st.sampled_from(MOST_URGENT_FIRST), st.integers(min_value=1, max_value=8))
def test_no_class_waits_without_end_whatever_floods(urgency: Urgency, batch: int) -> None:
    queue, patient = CaseQueue(0), case("patient", urgency)
    for each in MOST_URGENT_FIRST:
        for _ in range(200):
            queue.put(case("flood", each))
    queue.put(patient)
    for _ in range(80):
        if patient in queue.take_batch(maximum_rows=batch, now_s=0.0):
            return
    raise AssertionError(urgency)
