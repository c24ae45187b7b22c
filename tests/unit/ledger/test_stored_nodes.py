import pytest

from stepdown.ledger.merkle import GrowingTree, includes, inclusion_proof, leaf_hash, root_of
from stepdown.ledger.stored_nodes import is_stored, node_source

COUNT = 1_100


def stored_tree() -> tuple[dict[tuple[int, int], bytes], GrowingTree]:
    held, tree = {}, GrowingTree()
    for number in range(COUNT):
        held[0, number] = leaf_hash(str(number).encode())
        for level, position, digest in tree.append(held[0, number]):
            if is_stored(level):
                held[level, position] = digest
    return held, tree


def test_proofs_are_made_from_the_leaves_and_one_level_in_eight() -> None:
    held, tree = stored_tree()
    node = node_source(lambda level, first, count: [held[level, first + each] for each in range(count)])
    assert {level for level, _ in held} == {0, 8}
    assert root_of(COUNT, node) == tree.root()
    for index in (0, 255, 256, 1_023, 1_099):
        path = inclusion_proof(index, COUNT, node)
        assert includes(held[0, index], index=index, size=COUNT, path=path, root=tree.root())


def test_a_digest_that_is_missing_is_said() -> None:
    held, _ = stored_tree()
    del held[0, 1_090]
    node = node_source(
        lambda level, first, count: [held[level, each] for each in range(first, first + count) if (level, each) in held]
    )
    with pytest.raises(LookupError, match="1 digests are missing at level 0"):
        root_of(COUNT, node)


def test_leaves_are_not_counted_among_the_stored_subtrees() -> None:
    assert [level for level in range(20) if is_stored(level)] == [8, 16]
