import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from stepdown.api.v1 import assessments_pb2
from stepdown.transport.codec.wire_bytes import counted, double, embedded, instant, present_double, tag, text, varint

EDGES = sorted({edge + step for power in range(0, 64, 7) for edge in (1 << power,) for step in (-1, 0, 1)})


@pytest.mark.parametrize("number", [*EDGES[:-3], -1, -(1 << 31)])
def test_an_integer_takes_the_groups_that_the_generated_classes_give_it(number: int) -> None:
    assert counted(tag(1, "number"), number) == Timestamp(seconds=number).SerializeToString()


def test_what_is_zero_or_empty_is_not_sent_unless_it_knows_whether_it_is_set() -> None:
    value = tag(3, "double")
    assert (counted(tag(1, "number"), 0), text(tag(1, "bytes"), ""), double(value, 0.0)) == (b"", b"", b"")
    assert double(value, -0.0) == assessments_pb2.UsedInput(value=-0.0).SerializeToString()
    assert present_double(value, 0.0) == value + bytes(8)
    assert embedded(tag(5, "bytes"), b"") == assessments_pb2.UsedInput(observed_time=Timestamp()).SerializeToString()


@given(
    st.text(st.characters(codec="utf-8"), max_size=200), st.floats(allow_nan=False), st.integers(0, 4_102_444_800_000)
)
def test_a_message_of_fields_is_the_one_that_the_generated_class_writes(field: str, value: float, at_ms: int) -> None:
    seconds, rest_ms = divmod(at_ms, 1000)
    observed = Timestamp(seconds=seconds, nanos=rest_ms * 1_000_000)
    message = assessments_pb2.UsedInput(field=field, value=value, observed_time=observed, count=300)
    written = text(tag(1, "bytes"), field) + double(tag(3, "double"), value)
    sent = Timestamp.FromString(instant(tag(5, "bytes"), at_ms / 1000)[2:])
    assert abs(sent.ToNanoseconds() - observed.ToNanoseconds()) < 1000
    written += embedded(tag(5, "bytes"), observed.SerializeToString()) + counted(tag(6, "number"), 300)
    assert written == message.SerializeToString()


def test_a_tag_above_fifteen_takes_two_bytes() -> None:
    assert tag(18, "bytes") == varint(18 << 3 | 2) == b"\x92\x01"
