"""What a server remembers of what it trusted outlives it, and goes back only by an operator's act."""

import json
from pathlib import Path

import pytest

from stepdown.adapters.trust_state import FILE, LoweredFloor, TrustState
from stepdown.domain.errors import TrustError

ACT = LoweredFloor(bundle="news2", before="1.10.0", version="1.0.0", by="ops", why="incident", time="now")


def test_a_floor_rises_with_what_served_and_outlives_a_restart(tmp_path: Path) -> None:
    state = TrustState(tmp_path)
    assert [state.served("news2", version) for version in ("1.2.0", "1.10.0", "1.9.0", "1.10.0")] == [
        True,
        True,
        False,
        False,
    ]
    assert TrustState(tmp_path).floors() == {"news2": "1.10.0"}
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_without_a_directory_it_lasts_as_long_as_the_process() -> None:
    state = TrustState(None)
    state.hold()
    assert state.served("news2", "1.0.0")
    assert state.floors() == {"news2": "1.0.0"}
    state.release()
    assert TrustState(None).floors() == {}


def test_it_goes_back_with_an_operator_and_says_from_where(tmp_path: Path) -> None:
    state = TrustState(tmp_path)
    assert state.went_back("news2", "1.0.0") is None
    state.served("news2", "1.10.0")
    assert state.went_back("news2", "1.10.0") is None
    assert state.went_back("news2", "1.2.0") == "1.10.0"
    assert TrustState(tmp_path).floors() == {"news2": "1.2.0"}


def test_an_act_while_no_server_ran_is_handed_on_once(tmp_path: Path) -> None:
    TrustState(tmp_path).lower(ACT)
    state = TrustState(tmp_path)
    assert state.floors() == {"news2": "1.0.0"}
    assert state.take_lowered() == (ACT,)
    assert state.take_lowered() == ()
    assert TrustState(tmp_path).take_lowered() == ()


def test_an_older_edition_of_the_policy_is_refused(tmp_path: Path) -> None:
    state = TrustState(tmp_path)
    state.check_edition(0)
    state.keep_edition(7)
    state.keep_edition(3)
    again = TrustState(tmp_path)
    again.check_edition(7)
    with pytest.raises(TrustError, match="POLICY_ROLLED_BACK: the policy is edition 6, and edition 7"):
        again.check_edition(6)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"schema": "other"}', json.dumps({"floors": {"news2": "old"}}), '{"floors": {"../x": "1.0.0"}}'],
)
def test_a_memory_that_makes_no_sense_is_not_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(TrustError, match="STATE_UNREADABLE"):
        TrustState(tmp_path)


def test_one_process_at_a_time_writes_it(tmp_path: Path) -> None:
    first, second = TrustState(tmp_path), TrustState(tmp_path)
    first.hold()
    first.hold()
    first.served("news2", "1.0.0")
    with pytest.raises(TrustError, match="another process holds it"):
        second.hold()
    first.release()
    second.hold()
    assert second.floors() == {"news2": "1.0.0"}
    second.release()
