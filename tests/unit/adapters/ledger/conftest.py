from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.ledger_on_disk import LedgerOnDisk

Make = Callable[..., LedgerOnDisk]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Make]:
    made: list[LedgerOnDisk] = []

    def make(**options: object) -> LedgerOnDisk:
        one = LedgerOnDisk(tmp_path, **options)
        made.append(one)
        one.store.start()
        return one

    yield make
    for one in made:
        one.store.close()
    assert [error for one in made for error in one.errors] == []
