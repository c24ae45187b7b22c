import pytest

from stepdown.domain.errors import RequestRejectedError
from stepdown.transport.stream_places import StreamPlaces


def test_a_caller_cannot_take_the_places_of_others() -> None:
    places = StreamPlaces(places=3, caller_places=2)
    with places.held_by("one"), places.held_by("one"):
        with pytest.raises(RequestRejectedError) as refused, places.held_by("one"):
            pass
        assert refused.value.limits == {"maximum_streams_of_a_caller": 2}
        with places.held_by("other"):
            with pytest.raises(RequestRejectedError) as refused, places.held_by("a third"):
                pass
            assert refused.value.limits == {"maximum_streams": 3}


def test_a_place_is_free_again_however_its_stream_ended() -> None:
    places = StreamPlaces(places=1, caller_places=1)
    with pytest.raises(ValueError, match="broken"), places.held_by("one"):
        raise ValueError("broken")
    with places.held_by("other"):
        pass
