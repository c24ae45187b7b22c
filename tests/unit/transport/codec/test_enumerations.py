from collections.abc import Mapping
from enum import Enum

import pytest

from stepdown.api.v1 import assessments_pb2, bands_pb2, observations_pb2, rules_assessment_pb2, tiers_pb2
from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState
from stepdown.transport.codec import enumerations

SENT = [
    (Band, bands_pb2.Band, enumerations.BANDS),
    (Reason, tiers_pb2.Reason, enumerations.REASONS),
    (TierState, tiers_pb2.TierState, enumerations.TIER_STATES),
    (Capability, tiers_pb2.Capability, enumerations.CAPABILITIES),
    (ExecutionProvider, tiers_pb2.ExecutionProvider, enumerations.EXECUTION_PROVIDERS),
    (AbstentionReason, assessments_pb2.AbstentionReason, enumerations.ABSTENTION_REASONS),
    (InputIssue, assessments_pb2.InputIssue, enumerations.INPUT_ISSUES),
    (InputStatus, rules_assessment_pb2.Presence, enumerations.PRESENCES),
]
RECEIVED = [
    (observations_pb2.ObservationStatus, enumerations.OBSERVATION_STATUSES),
    (observations_pb2.Comparator, enumerations.COMPARATORS),
    (observations_pb2.Sex, enumerations.SEXES),
    (observations_pb2.Pregnancy, enumerations.PREGNANCIES),
    (observations_pb2.CareSetting, enumerations.CARE_SETTINGS),
    (observations_pb2.Spo2Scale, enumerations.SPO2_SCALES),
    (observations_pb2.IcuUnit, enumerations.ICU_UNITS),
    (observations_pb2.Urgency, enumerations.URGENCIES),
]


@pytest.mark.parametrize(("members", "wire", "table"), SENT)
def test_what_is_sent_pairs_every_member_with_a_number_of_its_own(
    members: type[Enum], wire: type[int], table: Mapping[Enum, int]
) -> None:
    assert set(table) == set(members)
    assert sorted(table.values()) == [number for number in sorted(wire.values()) if number != 0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("wire", "table"), RECEIVED)
def test_what_is_received_has_a_meaning_for_every_number(wire: type[int], table: Mapping[int, object]) -> None:
    assert sorted(table) == sorted(wire.values())  # type: ignore[attr-defined]


def test_bands_keep_their_own_numbers_on_the_wire() -> None:
    assert {band: int(number) for band, number in enumerations.BANDS.items()} == {band: band.value for band in Band}
