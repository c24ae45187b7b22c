from dataclasses import replace

import pytest

from stepdown.domain.records import LedgerError, RecordKind, StoredRecord
from stepdown.ledger.checkpoint import Checkpoint
from stepdown.ledger.merkle import EMPTY_ROOT, GrowingTree
from stepdown.ledger.verification import MOST_FINDINGS, FindingKind, Verdict, verify_copy
from tests.fakes.ledger_rows import ORIGIN, body_at, checkpoints_at, honest_rows, renumbered, row_of

COUNT = 50
SIZES = (10, 30, 50)
ROWS = honest_rows(COUNT)
CHECKPOINTS = checkpoints_at(ROWS, SIZES)


def verdict(rows: list[StoredRecord]) -> Verdict:
    return verify_copy(iter(rows), CHECKPOINTS)


def named(rows: list[StoredRecord]) -> list[tuple[str, int, int]]:
    found = verdict(rows)
    assert not found.is_intact
    return [(finding.kind.value, finding.first, finding.last) for finding in found.findings]


def altered(row: StoredRecord, *, also_its_digest: bool) -> StoredRecord:
    body = (row.body or b"").replace(b'"number":', b'"number":1')
    return row_of(row.sequence, body) if also_its_digest else replace(row, body=body)


def changed(place: int, row: StoredRecord) -> list[StoredRecord]:
    return [*ROWS[:place], row, *ROWS[place + 1 :]]


def test_an_honest_copy_is_intact() -> None:
    found = verdict(ROWS)
    assert (found.is_intact, found.size, found.covered, found.pruned) == (True, 50, 50, 0)
    assert found.root == CHECKPOINTS[-1].root


def test_records_after_the_last_checkpoint_are_counted_and_not_covered() -> None:
    found = verify_copy(ROWS, CHECKPOINTS[:2])
    assert (found.is_intact, found.size, found.covered) == (True, 50, 30)


def test_the_checkpoint_of_an_empty_ledger_is_confirmed() -> None:
    assert verify_copy([], [Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)]).is_intact


def test_without_a_checkpoint_nothing_is_said() -> None:
    with pytest.raises(LedgerError, match="no checkpoint was given"):
        verify_copy(ROWS, [])


@pytest.mark.parametrize("place", [0, 17, 49])
def test_an_altered_body_is_named(place: int) -> None:
    assert named(changed(place, altered(ROWS[place], also_its_digest=False))) == [("ALTERED", place, place)]


@pytest.mark.parametrize("place", [0, 17, 48])
def test_an_altered_body_whose_digest_was_made_to_fit_is_named_by_the_record_after_it(place: int) -> None:
    assert named(changed(place, altered(ROWS[place], also_its_digest=True))) == [("ALTERED", place, place)]


def test_a_change_that_was_carried_through_to_the_end_lies_between_two_checkpoints() -> None:
    forged = ROWS[:35]
    for sequence in range(35, COUNT):
        forged.append(row_of(sequence, body_at(sequence, previous=forged[-1].leaf, number=1)))
    assert named(forged) == [("NOT_AS_SIGNED", 30, 49)]


def test_what_is_no_record_at_all_is_named() -> None:
    assert named(changed(17, row_of(17, b"nothing"))) == [("ALTERED", 17, 17), ("ALTERED", 17, 17)]


def test_a_removed_record_is_named_whether_or_not_the_others_were_renumbered() -> None:
    rest = ROWS[:17] + ROWS[18:]
    assert named(rest) == named(renumbered(rest)) == [("REMOVED", 17, 17)]


def test_records_in_each_others_places_are_named() -> None:
    rows = list(ROWS)
    rows[17], rows[30] = rows[30], rows[17]
    assert named(renumbered(rows)) == [("REORDERED", 17, 17), ("REORDERED", 30, 30)]


def test_bodies_in_each_others_places_are_named() -> None:
    rows = list(ROWS)
    rows[17], rows[30] = replace(ROWS[17], body=ROWS[30].body), replace(ROWS[30], body=ROWS[17].body)
    assert named(rows) == [("ALTERED", 17, 17), ("ALTERED", 30, 30)]


def test_an_inserted_record_is_named() -> None:
    forged = row_of(17, body_at(17, previous=ROWS[16].leaf, number=99))
    assert named(renumbered([*ROWS[:17], forged, *ROWS[17:]])) == [("INSERTED", 17, 17)]
    assert named(renumbered([*ROWS[:17], ROWS[3], *ROWS[17:]])) == [("INSERTED", 3, 3)]


def test_a_cut_is_named_with_what_is_missing() -> None:
    assert named(ROWS[:45]) == [("CUT", 45, 49)]
    assert named([]) == [("CUT", 0, 49)]


def test_a_copy_in_no_order_at_all_is_named_as_a_whole() -> None:
    rows = honest_rows(2_200)
    mixed = renumbered(rows[::2] + rows[1::2])
    found = verify_copy(mixed, checkpoints_at(rows, (2_200,)))
    assert [(each.kind, each.first, each.last) for each in found.findings] == [(FindingKind.REORDERED, 0, 2_199)]


def test_no_more_is_listed_than_anyone_reads() -> None:
    rows = [altered(row, also_its_digest=False) for row in honest_rows(MOST_FINDINGS + 5)]
    found = verify_copy(rows, checkpoints_at(rows, (len(rows),)))
    assert len(found.findings) == MOST_FINDINGS


def pruned_ledger(*, before: int) -> list[StoredRecord]:
    rows = honest_rows(20)
    rows.append(row_of(20, body_at(20, previous=rows[-1].leaf, kind=RecordKind.RECORDS_PRUNED, before=before)))
    return rows


def test_bodies_that_were_let_go_by_the_ledgers_own_word_are_no_finding() -> None:
    rows = pruned_ledger(before=8)
    signed = checkpoints_at(rows, (21,))
    bare = [replace(row, body=None) if row.sequence < 8 else row for row in rows]
    found = verify_copy(bare, signed)
    assert (found.is_intact, found.pruned, found.covered) == (True, 8, 21)


def test_a_body_that_is_gone_without_a_word_is_named() -> None:
    rows = pruned_ledger(before=8)
    signed = checkpoints_at(rows, (21,))
    bare = [replace(row, body=None) if row.sequence in {7, 8, 12} else row for row in rows]
    found = verify_copy(bare, signed)
    assert [(each.kind, each.first) for each in found.findings] == [
        (FindingKind.REMOVED, 8),
        (FindingKind.REMOVED, 12),
    ]


def test_a_word_of_pruning_that_is_no_number_lets_nothing_go() -> None:
    rows = honest_rows(3)
    body = body_at(3, previous=rows[-1].leaf, kind=RecordKind.RECORDS_PRUNED, before=2).replace(
        b'"before":2', b'"before":"2"'
    )
    rows.append(row_of(3, body))
    bare = [replace(rows[0], body=None), *rows[1:]]
    assert [each.first for each in verify_copy(bare, checkpoints_at(rows, (4,))).findings] == [0]


def said(found: Verdict) -> list[tuple[str, int, int]]:
    return [(finding.kind.value, finding.first, finding.last) for finding in found.findings]


def test_a_row_that_says_another_kind_or_time_than_its_record_is_named() -> None:
    rows = honest_rows(5)
    signed = checkpoints_at(rows, [5])
    filed = {"kind": "ANSWER", "time_us": 1_800_000_002_000_000}
    assert verify_copy([*rows[:2], replace(rows[2], **filed), *rows[3:]], signed).is_intact  # type: ignore[arg-type]
    for wrong in ({"kind": "DENIAL"}, {"time_us": 1_800_000_002_000_009}):
        copy = [*rows[:2], replace(rows[2], **(filed | wrong)), *rows[3:]]  # type: ignore[arg-type]
        assert said(verify_copy(copy, signed)) == [("ALTERED", 2, 2)]


def test_a_time_that_is_none_cannot_be_what_the_row_says() -> None:
    body = honest_rows(1)[0].body or b""
    timeless = row_of(0, body.replace(b"2027", b"20x7"))
    verdict = verify_copy([replace(timeless, kind="ANSWER", time_us=0)], checkpoints_at([timeless], [1]))
    assert said(verdict) == [("ALTERED", 0, 0)]


def test_digests_above_the_records_are_held_against_the_records() -> None:
    rows = honest_rows(300)
    signed, tree = checkpoints_at(rows, [300]), GrowingTree()
    kept: dict[tuple[int, int], bytes] = {}
    for row in rows:
        kept |= {(level, place): digest for level, place, digest in tree.append(row.leaf) if level == 8}
    assert verify_copy(rows, signed, subtrees=kept).is_intact
    wrongs: tuple[dict[tuple[int, int], bytes], ...] = ({}, {(8, 0): b"x"}, kept | {(8, 1): b"x"})
    for wrong in wrongs:
        assert [kind for kind, _, _ in said(verify_copy(rows, signed, subtrees=wrong))] == ["ALTERED"]
    copy = [*rows[:7], replace(rows[7], body=b"x"), *rows[8:]]
    assert said(verify_copy(copy, signed, subtrees={})) == [("ALTERED", 7, 7)]


def test_two_signed_checkpoints_that_contradict_each_other_tell_of_a_history_written_anew() -> None:
    rows = honest_rows(6)
    signed = [*checkpoints_at(rows, [3, 6]), Checkpoint(origin=ORIGIN, size=6, root=b"\0" * 32)]
    assert said(verify_copy(rows, signed)) == [("NOT_AS_SIGNED", 0, 5)]


def test_a_record_in_its_order_under_another_number_is_named() -> None:
    rows = honest_rows(5)
    copy = [*rows[:4], replace(rows[4], sequence=9)]
    assert said(verify_copy(copy, checkpoints_at(rows, [5]))) == [("ALTERED", 4, 4)]
