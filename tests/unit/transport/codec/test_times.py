import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from stepdown.transport.codec.times import duration, timestamp, unix_s

# The resolution of a float of Unix seconds today is coarser than a nanosecond.
INSTANTS = st.floats(2**29, 2**33)


@given(INSTANTS)
def test_an_instant_survives_the_way_there_and_back(instant_s: float) -> None:
    assert unix_s(timestamp(instant_s)) == instant_s


@given(st.floats(-(2**35), 2**35))
def test_every_instant_is_a_valid_timestamp(instant_s: float) -> None:
    assert 0 <= timestamp(instant_s).nanos < 10**9


@pytest.mark.parametrize(
    ("instant_s", "expected"),
    [
        (0.0, Timestamp()),
        (1.5, Timestamp(seconds=1, nanos=500_000_000)),
        (-0.25, Timestamp(seconds=-1, nanos=750_000_000)),
        (0.9999999999, Timestamp(seconds=1)),
    ],
)
def test_nanoseconds_are_carried(instant_s: float, expected: Timestamp) -> None:
    assert timestamp(instant_s) == expected


def test_a_span_is_written_to_the_nanosecond() -> None:
    assert duration(0.0042) == Duration(nanos=4_200_000)


@pytest.mark.parametrize("seconds", [-(2**63), 2**63 - 1])
def test_an_instant_out_of_this_world_is_carried_over_for_intake_to_refuse(seconds: int) -> None:
    assert unix_s(Timestamp(seconds=seconds)) == float(seconds)
