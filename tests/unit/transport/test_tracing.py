import re

import pytest

from stepdown.transport.tracing import take_up

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
VALID = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


def test_a_valid_trace_is_taken_up_with_a_span_of_our_own() -> None:
    trace = take_up([("user-agent", "x"), ("traceparent", VALID)])
    assert (trace.trace_id, trace.sampled) == (TRACE_ID, True)
    assert re.fullmatch(r"[0-9a-f]{16}", trace.span_id)
    assert trace.span_id != "00f067aa0ba902b7"
    assert trace.response == f"00-{TRACE_ID}-{trace.span_id}-01"


def test_an_unsampled_trace_stays_unsampled() -> None:
    trace = take_up([("traceparent", VALID[:-1] + "0")])
    assert (trace.trace_id, trace.sampled) == (TRACE_ID, False)
    assert trace.response.endswith("-00")


def test_a_later_version_may_have_more_fields() -> None:
    assert take_up([("traceparent", f"cc{VALID[2:]}-what-the-future-holds")]).trace_id == TRACE_ID


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("traceparent", VALID), ("traceparent", VALID)],
        [("traceparent", VALID.encode())],
        [("traceparent", "")],
        [("traceparent", VALID.upper())],
        [("traceparent", f"ff{VALID[2:]}")],
        [("traceparent", f"{VALID}-more")],
        [("traceparent", f" {VALID}")],
        [("traceparent", f"00-{'0' * 32}-00f067aa0ba902b7-01")],
        [("traceparent", f"00-{TRACE_ID}-{'0' * 16}-01")],
        [("traceparent", f"00-{TRACE_ID[:-1]}-00f067aa0ba902b7-01")],
        [("traceparent", f"00-{TRACE_ID}-00f067aa0ba902b7-01\nx")],
    ],
)
def test_anything_else_starts_a_new_trace(metadata: list[tuple[str, str | bytes]]) -> None:
    first, second = take_up(metadata), take_up(metadata)
    assert re.fullmatch(r"[0-9a-f]{32}", first.trace_id)
    assert first.trace_id not in {TRACE_ID, second.trace_id, "0" * 32}
    assert not first.sampled
