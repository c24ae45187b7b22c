import resource

import pytest

from stepdown.transport.descriptors import KEPT_BACK, permitted_connections, raise_descriptor_limit

UNLIMITED = resource.RLIM_INFINITY


class Limits:
    """What a system says of descriptors, and whether it lets that be changed."""

    def __init__(self, soft: int, hard: int, *, grants: bool = True) -> None:
        self.soft, self.hard, self._grants = soft, hard, grants

    def get(self, _which: int) -> tuple[int, int]:
        return self.soft, self.hard

    def set(self, _which: int, limits: tuple[int, int]) -> None:
        if not self._grants:
            raise ValueError("not allowed to raise maximum limit")
        self.soft, self.hard = limits


def use(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    monkeypatch.setattr(resource, "getrlimit", limits.get)
    monkeypatch.setattr(resource, "setrlimit", limits.set)


@pytest.mark.parametrize(
    ("limits", "then"),
    [(Limits(1024, 20_000), 20_000), (Limits(1024, 1024), 1024), (Limits(1024, 20_000, grants=False), 1024)],
)
def test_as_many_descriptors_are_taken_as_there_are_to_be_had(
    monkeypatch: pytest.MonkeyPatch, limits: Limits, then: int
) -> None:
    use(monkeypatch, limits)
    assert raise_descriptor_limit() == then
    assert limits.soft == then


@pytest.mark.parametrize(
    ("soft", "permitted"), [(20_000, 8192), (1024, 1024 - KEPT_BACK), (256, 64), (UNLIMITED, 8192)]
)
def test_connections_leave_descriptors_for_workers(monkeypatch: pytest.MonkeyPatch, soft: int, permitted: int) -> None:
    use(monkeypatch, Limits(soft, soft))
    assert permitted_connections(8192) == permitted
