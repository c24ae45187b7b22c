from stepdown.domain.engine_events import Request
from stepdown.transport.completion_queue.gathering import GatheredQuestions
from tests.fakes.chain import FakeChain, never


def request(name: str) -> Request:
    return Request(pathway=name, payload=None, deadline_s=1.0, reply_to=lambda _: None)


def test_the_chain_is_asked_once_for_all_and_not_before() -> None:
    chain = FakeChain(answer=never)
    gathered, asked = GatheredQuestions(chain), [request("a"), request("b"), request("c")]
    gathered.submit(asked[:2])
    gathered.submit(asked[2:])
    assert chain.submitted == []
    gathered.flush()
    gathered.flush()
    assert chain.submitted == [tuple(asked)]
    assert gathered.now_s() <= chain.now_s()


def test_a_question_that_is_taken_back_in_time_is_never_asked_and_later_the_chain_is_told() -> None:
    chain = FakeChain(answer=never)
    gathered, early, late = GatheredQuestions(chain), request("a"), request("b")
    gathered.submit((early, late))
    gathered.cancel(early)
    gathered.flush()
    gathered.cancel(late)
    assert (chain.submitted, chain.cancelled) == ([(late,)], [late])
