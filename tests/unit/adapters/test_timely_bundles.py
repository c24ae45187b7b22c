"""A disk that hangs costs a refusal in time, one thread at most, and nothing once it is back."""

from collections.abc import Mapping
from threading import Event, active_count

import pytest

from stepdown.adapters.timely_bundles import TimelyBundles
from stepdown.domain.errors import TrustError
from stepdown.trust.refusal import TrustRule

PATIENCE_S = 0.05
LONG_S = 30.0


class Disk:
    """Gives what it has, unless it hangs."""

    def __init__(self) -> None:
        self.turns = Event()
        self.turns.set()
        self.given = Event()

    def versions(self, name: str) -> tuple[str, ...]:
        self._wait()
        return (f"{name}-1",)

    def read(self, name: str, version: str) -> Mapping[str, bytes]:
        self._wait()
        if version == "absent":
            raise TrustError(rule=TrustRule.BUNDLE_NOT_FOUND, detail=name)
        return {"model.onnx": b"1"}

    def _wait(self) -> None:
        assert self.turns.wait(LONG_S)
        self.given.set()


def test_what_the_disk_gives_is_given_and_what_it_refuses_is_refused() -> None:
    bundles = TimelyBundles(Disk(), patience_s=LONG_S)
    assert bundles.versions("news2") == ("news2-1",)
    assert bundles.read("news2", "1.0.0") == {"model.onnx": b"1"}
    with pytest.raises(TrustError) as refused:
        bundles.read("news2", "absent")
    assert refused.value.rule is TrustRule.BUNDLE_NOT_FOUND


def test_a_disk_that_hangs_refuses_in_time_and_leaves_one_thread_behind_until_it_is_back() -> None:
    disk = Disk()
    hasty, patient = TimelyBundles(disk, patience_s=PATIENCE_S), TimelyBundles(disk, patience_s=LONG_S)
    disk.turns.clear()
    before = active_count()
    with pytest.raises(TrustError, match="the disk did not give it within") as refused:
        hasty.read("sepsis-full", "1.1.0")
    assert refused.value.rule is TrustRule.BUNDLE_UNREADABLE
    for _ in range(5):
        with pytest.raises(TrustError, match="an earlier read still hangs"):
            hasty.versions("sepsis-full")
    assert active_count() <= before + 1
    disk.turns.set()
    assert disk.given.wait(LONG_S)
    assert patient.read("sepsis-full", "1.1.0")
    assert hasty._reading.acquire(timeout=LONG_S)  # noqa: SLF001 - the one that hung has let go
