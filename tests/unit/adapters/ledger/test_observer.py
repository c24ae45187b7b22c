import json
from dataclasses import replace

import pytest

from stepdown.adapters.ledger.observer import ACTS, LedgerObserver, heard_by
from stepdown.adapters.system_clock import SystemClock
from stepdown.domain.activations import ActivationState, ActivationStatus
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.notices import ActivationMoved, CapabilityChanged, TierMoved, WorkerSpawned
from stepdown.domain.reasons import Reason
from stepdown.domain.records import RecordKind
from stepdown.domain.tiers import Capability, TierState
from tests.fakes.ledger import FakeLedger
from tests.fakes.statuses import PATHWAY


def observing() -> tuple[LedgerObserver, FakeLedger]:
    ledger = FakeLedger()
    return LedgerObserver(ledger, clock=SystemClock()), ledger


def test_a_tiers_move_is_on_record_with_its_reason() -> None:
    observer, ledger = observing()
    moved = {"previous": TierState.SERVING, "state": TierState.SUSPENDED, "reason": Reason.WORKER_LOST, "detail": "x"}
    observer.notice(TierMoved(pathway=PATHWAY, tier="full", **moved))  # type: ignore[arg-type]
    observer.notice(TierMoved(pathway=PATHWAY, tier="full", **(moved | {"reason": None})))  # type: ignore[arg-type]
    assert [(draft.kind, draft.facts["state"], draft.facts["reason"]) for draft in ledger.drafts] == [
        (RecordKind.TIER_CHANGE, "SUSPENDED", "WORKER_LOST"),
        (RecordKind.TIER_CHANGE, "SUSPENDED", None),
    ]


def test_what_a_pathway_can_do_is_on_record() -> None:
    observer, ledger = observing()
    observer.notice(CapabilityChanged(pathway=PATHWAY, previous=Capability.FULL, capability=Capability.RULES_ONLY))
    (draft,) = ledger.drafts
    assert draft.facts == {"pathway": PATHWAY, "previous": "FULL", "capability": "RULES_ONLY"}


def test_each_step_of_a_new_version_is_on_record_with_its_digest_and_signers() -> None:
    observer, ledger = observing()
    bundle = BundleIdentity(name="sepsis-full", version="1.1.0", sha256="cd" * 32, signers=("a", "b"))
    moved = ActivationStatus(
        bundle=bundle,
        replaces=None,
        state=ActivationState.ROLLED_BACK,
        canary_share=0.1,
        observation_s=600.0,
        start_time_s=1.0,
        since_time_s=2.0,
        reason=Reason.WORKER_LOST,
    )
    observer.notice(ActivationMoved(pathway=PATHWAY, tier="full", activation=moved))
    observer.notice(ActivationMoved(pathway=PATHWAY, tier="full", activation=replace(moved, reason=None)))
    first, second = ledger.drafts
    assert (first.kind, first.facts["bundle"], first.facts["state"]) == (
        RecordKind.ACTIVATION,
        "sepsis-full@1.1.0",
        "ROLLED_BACK",
    )
    assert (first.facts["reason"], second.facts["reason"]) == ("WORKER_LOST", None)


def test_what_neither_changes_an_answer_nor_says_who_did_something_is_not() -> None:
    observer, ledger = observing()
    observer.notice(WorkerSpawned(pathway=PATHWAY, tier="full", attempt=1))
    observer.event("ready", {})
    assert ledger.drafts == []


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_on_record_with_what_the_log_says_of_it(act: str) -> None:
    observer, ledger = observing()
    observer.event(act, {"caller": "somebody", "duration_s": 1.5, "count": 2, "nothing": None})
    (draft,) = ledger.drafts
    assert draft.kind is ACTS[act]
    assert draft.facts == {"act": act, "caller": "somebody", "duration_s": "1.5", "count": 2, "nothing": None}
    json.dumps(draft.facts)


def test_the_log_is_heard_where_a_ledger_is_kept_and_left_alone_where_none_is() -> None:
    observer, ledger = observing()
    lines: list[tuple[str, dict[str, object]]] = []

    def log(name: str, /, **fields: object) -> None:
        lines.append((name, fields))

    heard_by(log, observer)("call_denied", caller="x")
    assert heard_by(log, None) is log
    assert lines == [("call_denied", {"caller": "x"})]
    assert [draft.kind for draft in ledger.drafts] == [RecordKind.DENIAL]


def test_a_start_and_an_orderly_end_are_on_record() -> None:
    observer, ledger = observing()
    observer.started({"version": "1"})
    observer.stopped({"unanswered": 0})
    assert [draft.kind for draft in ledger.drafts] == [RecordKind.SERVER_STARTED, RecordKind.SERVER_STOPPED]
