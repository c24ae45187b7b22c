"""An altered, reordered or cut ledger does not verify, whatever was done to it; an honest one always does."""

from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.records import RecordKind, StoredRecord
from stepdown.ledger.encoding import decode, encode, encode_facts
from stepdown.ledger.merkle import (
    GrowingTree,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of,
)
from stepdown.ledger.verification import verify_copy
from tests.fakes.ledger_rows import checkpoints_at, honest_rows, renumbered, row_of

COUNT = 40
ROWS = honest_rows(COUNT)
SIGNED = checkpoints_at(ROWS, (13, COUNT))
PLACES = st.integers(0, COUNT - 1)
LEAVES = [leaf_hash(bytes((number,))) for number in range(200)]
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@cache
def node(level: int, position: int) -> bytes:
    if level == 0:
        return LEAVES[position]
    return node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))


def is_intact(rows: list[StoredRecord]) -> bool:
    return verify_copy(rows, SIGNED).is_intact


@given(place=PLACES, byte=st.integers(0, 10_000), bit=st.integers(0, 7), carried=st.booleans())
def test_any_bit_of_any_record_changed_is_found_at_its_place(place: int, byte: int, bit: int, *, carried: bool) -> None:
    body = bytearray(ROWS[place].body or b"")
    body[byte % len(body)] ^= 1 << bit
    row = row_of(place, bytes(body)) if carried else replace(ROWS[place], body=bytes(body))
    findings = verify_copy([*ROWS[:place], row, *ROWS[place + 1 :]], SIGNED).findings
    assert findings
    assert any(finding.first <= place <= finding.last for finding in findings) or carried


@given(order=st.permutations(range(COUNT)), hidden=st.booleans())
def test_any_other_order_is_found(order: list[int], *, hidden: bool) -> None:
    rows = [ROWS[number] for number in order]
    assert is_intact(renumbered(rows) if hidden else rows) is (order == sorted(order))


@given(kept=st.sets(PLACES), hidden=st.booleans())
def test_any_record_removed_is_found_and_named(kept: set[int], *, hidden: bool) -> None:
    rows = [ROWS[number] for number in sorted(kept)]
    findings = verify_copy(renumbered(rows) if hidden else rows, SIGNED).findings
    named = {place for finding in findings for place in range(finding.first, finding.last + 1)}
    assert named == set(range(COUNT)) - kept


@given(place=st.integers(0, COUNT), copied=PLACES)
def test_any_record_put_in_again_is_found_and_named(place: int, copied: int) -> None:
    rows = renumbered([*ROWS[:place], ROWS[copied], *ROWS[place:]])
    assert any(finding.first <= copied <= finding.last for finding in verify_copy(rows, SIGNED).findings)


@given(size=st.integers(1, 200), index=st.integers(0, 199), spoilt=st.integers(0, 2**256 - 1))
def test_a_proof_leads_from_its_own_leaf_to_its_own_root_alone(size: int, index: int, spoilt: int) -> None:
    index %= size
    root, path, wrong = root_of(size, node), inclusion_proof(index, size, node), spoilt.to_bytes(32)
    assert includes(LEAVES[index], index=index, size=size, path=path, root=root)
    assert not includes(wrong, index=index, size=size, path=path, root=root)
    for place in range(len(path)):
        assert not includes(
            LEAVES[index], index=index, size=size, path=(*path[:place], wrong, *path[place + 1 :]), root=root
        )


@given(sizes=st.tuples(st.integers(1, 200), st.integers(1, 200)), spoilt=st.integers(0, 2**256 - 1))
def test_a_tree_is_shown_to_have_only_grown_and_no_other_is(sizes: tuple[int, int], spoilt: int) -> None:
    first, second = sorted(sizes)
    path, wrong = consistency_proof(first, second, node), spoilt.to_bytes(32)
    roots = {"first_root": root_of(first, node), "second_root": root_of(second, node)}
    assert is_consistent(first=first, second=second, path=path, **roots)
    assert not is_consistent(first=first, second=second, path=path, **(roots | {"first_root": wrong}))
    assert not is_consistent(first=first, second=second, path=path, **(roots | {"second_root": wrong}))


@given(size=st.integers(0, 200), more=st.integers(0, 200))
def test_a_tree_that_goes_on_from_its_peaks_is_the_tree_that_never_stopped(size: int, more: int) -> None:
    whole, begun = GrowingTree(), GrowingTree()
    for leaf in LEAVES[:size]:
        whole.append(leaf)
        begun.append(leaf)
    resumed = GrowingTree(size=begun.size, peaks=begun.peaks)
    for leaf in LEAVES[size : size + more]:
        assert resumed.append(leaf) == whole.append(leaf)
    assert resumed.root() == whole.root()


@given(facts=st.dictionaries(st.text(), FACTS), sequence=st.integers(1, 2**62))
def test_a_record_reads_back_as_it_was_written(facts: dict[str, object], sequence: int) -> None:
    said = encode_facts(facts)  # type: ignore[arg-type]
    body = encode(RecordKind.ANSWER, facts=said, time_s=0.0, sequence=sequence, previous=b"\x07" * 32)
    assert decode(body).facts == facts
