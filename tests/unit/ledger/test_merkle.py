import pytest

from stepdown.ledger.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    NodeSource,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    peaks_of,
    root_of,
)

# The eight leaves and roots that implementations of RFC 6962 and 9162 are compared by (Certificate Transparency's
# own reference tree).
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def source(leaves: list[bytes]) -> NodeSource:
    def node(level: int, position: int) -> bytes:
        if level == 0:
            return leaves[position]
        return node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))

    return node


DIGESTS = [leaf_hash(leaf) for leaf in LEAVES]
NODE = source(DIGESTS)


def test_the_roots_are_those_of_the_published_tree() -> None:
    tree, roots = GrowingTree(), []
    for digest in DIGESTS:
        tree.append(digest)
        roots.append(tree.root().hex())
    assert roots == ROOTS
    assert [root_of(size, NODE).hex() for size in range(1, 9)] == ROOTS


def test_an_empty_tree_has_the_digest_of_nothing() -> None:
    assert GrowingTree().root() == root_of(0, NODE) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_published_proofs_are_made_and_accepted() -> None:
    """The paths of Certificate Transparency's reference tree: leaf 0 of 8, and 6 of 8 consistent with 8."""
    inclusion = [each.hex() for each in inclusion_proof(0, 8, NODE)]
    assert inclusion == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    consistency = [each.hex() for each in consistency_proof(6, 8, NODE)]
    assert consistency == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@pytest.mark.parametrize("size", range(1, 9))
def test_every_leaf_is_proven_in_every_tree_and_no_other_is(size: int) -> None:
    root = root_of(size, NODE)
    for index in range(size):
        path = inclusion_proof(index, size, NODE)
        assert includes(DIGESTS[index], index=index, size=size, path=path, root=root)
        assert not includes(DIGESTS[(index + 1) % 8], index=index, size=size, path=path, root=root)
        assert not includes(DIGESTS[index], index=size, size=size, path=path, root=root)
        assert not includes(DIGESTS[index], index=index, size=size, path=(*path, root), root=root)
        if path:
            assert not includes(DIGESTS[index], index=index, size=size, path=path[:-1], root=root)


@pytest.mark.parametrize("second", range(1, 9))
def test_every_tree_is_consistent_with_those_it_grew_from_and_with_no_other(second: int) -> None:
    new = root_of(second, NODE)
    for first in range(1, second + 1):
        old, path = root_of(first, NODE), consistency_proof(first, second, NODE)

        def agrees(old_root: bytes, new_root: bytes, steps: tuple[bytes, ...], *, first: int = first) -> bool:
            return is_consistent(first=first, second=second, first_root=old_root, second_root=new_root, path=steps)

        assert agrees(old, new, path)
        assert not agrees(b"?" * 32, new, path)
        assert not agrees(old, b"?" * 32, path)
        assert not agrees(old, new, (*path, new))
        assert not path or not agrees(old, new, path[:-1])


def test_there_is_no_consistency_with_nothing_or_with_more() -> None:
    root = root_of(3, NODE)
    for first in (0, 4):
        assert not is_consistent(first=first, second=3, first_root=root, second_root=root, path=(root,))
        with pytest.raises(ValueError, match="no proof leads"):
            consistency_proof(first, 3, NODE)


def test_a_leaf_beyond_the_tree_has_no_proof() -> None:
    with pytest.raises(ValueError, match="not among"):
        inclusion_proof(3, 3, NODE)


def test_a_tree_goes_on_from_its_peaks() -> None:
    tree = GrowingTree(size=5, peaks=peaks_of(5, NODE))
    assert tree.peaks == (root_of(4, NODE), DIGESTS[4])
    completed = [done for digest in DIGESTS[5:] for done in tree.append(digest)]
    assert tree.root().hex() == ROOTS[7]
    assert completed == [(1, 2, NODE(1, 2)), (1, 3, NODE(1, 3)), (2, 1, NODE(2, 1)), (3, 0, NODE(3, 0))]


def test_peaks_must_fit_the_size() -> None:
    with pytest.raises(ValueError, match="5 leaves make 2"):
        GrowingTree(size=5, peaks=(EMPTY_ROOT,))
