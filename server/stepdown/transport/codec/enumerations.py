"""Wire enums and the domain's, one table each. Refuses a number that this version of the contract does not name."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from stepdown.api.v1 import (
    assessments_pb2,
    bands_pb2,
    observations_pb2,
    outcomes_pb2,
    provenance_service_pb2,
    rules_assessment_pb2,
    tiers_pb2,
)
from stepdown.domain.bands import Band
from stepdown.domain.intake import InputStatus
from stepdown.domain.observations import CareSetting, Comparator, IcuUnit, ObservationStatus, Pregnancy, Sex
from stepdown.domain.outcomes import FeedbackAction, FeedbackResponse, OutcomeEvent, OverrideReason
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason
from stepdown.domain.records import RecordKind
from stepdown.domain.tiers import Capability, ExecutionProvider, TierState, Urgency

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

Member = TypeVar("Member", bound=Enum)
Number = TypeVar("Number", bound=int)


def _by_name(members: type[Member], wire: type[Number]) -> Mapping[Member, Number]:
    """Pairs by name, `Reason.STARTING` with `REASON_STARTING`. Raises: ValueError for a member that the wire lacks."""
    numbers = cast("EnumTypeWrapper", wire)
    prefix = numbers.Name(0).removesuffix("UNSPECIFIED")
    return MappingProxyType({member: cast("Number", numbers.Value(f"{prefix}{member.name}")) for member in members})


def _by_number(members: type[Member], wire: type[int], *, unspecified: Member) -> Mapping[int, Member]:
    """The way back, for what is received; `unspecified` is what the contract says that saying nothing means.

    Raises: KeyError for a number whose name no member bears.
    """
    numbers = cast("EnumTypeWrapper", wire)
    prefix = numbers.Name(0).removesuffix("UNSPECIFIED")
    named = {number: members[name.removeprefix(prefix)] for name, number in numbers.items() if number != 0}
    return MappingProxyType({0: unspecified} | named)


def _said(members: type[Member], wire: type[Number]) -> Mapping[int, Member]:
    """As `_by_number`, where saying nothing means nothing: zero is not among them."""
    return MappingProxyType({number: member for member, number in _by_name(members, wire).items()})


# Sent: every member has a number, and no number is zero.
BANDS = _by_name(Band, bands_pb2.Band)
REASONS = _by_name(Reason, tiers_pb2.Reason)
RECORD_KINDS = _by_name(RecordKind, provenance_service_pb2.RecordKind)
TIER_STATES = _by_name(TierState, tiers_pb2.TierState)
CAPABILITIES = _by_name(Capability, tiers_pb2.Capability)
EXECUTION_PROVIDERS = _by_name(ExecutionProvider, tiers_pb2.ExecutionProvider)
ABSTENTION_REASONS = _by_name(AbstentionReason, assessments_pb2.AbstentionReason)
INPUT_ISSUES = _by_name(InputIssue, assessments_pb2.InputIssue)
PRESENCES = _by_name(InputStatus, rules_assessment_pb2.Presence)

# Received.
OBSERVATION_STATUSES = _by_number(
    ObservationStatus, observations_pb2.ObservationStatus, unspecified=ObservationStatus.FINAL
)
SEXES = _by_number(Sex, observations_pb2.Sex, unspecified=Sex.UNKNOWN)
PREGNANCIES = _by_number(Pregnancy, observations_pb2.Pregnancy, unspecified=Pregnancy.UNKNOWN)
CARE_SETTINGS = _by_number(CareSetting, observations_pb2.CareSetting, unspecified=CareSetting.WARD)
URGENCIES = _by_number(Urgency, observations_pb2.Urgency, unspecified=Urgency.ROUTINE)
OUTCOME_EVENTS = _said(OutcomeEvent, outcomes_pb2.OutcomeEvent)
FEEDBACK_RESPONSES = _said(FeedbackResponse, outcomes_pb2.FeedbackResponse)
OVERRIDE_REASONS = _said(OverrideReason, outcomes_pb2.OverrideReason)
FEEDBACK_ACTIONS = _said(FeedbackAction, outcomes_pb2.FeedbackAction)
COMPARATORS = _by_number(Comparator, observations_pb2.Comparator, unspecified=Comparator.NONE)
ICU_UNITS = _by_number(IcuUnit, observations_pb2.IcuUnit, unspecified=IcuUnit.UNKNOWN)
SPO2_SCALES: Mapping[int, int] = MappingProxyType(
    {
        observations_pb2.SPO2_SCALE_UNSPECIFIED: 1,
        observations_pb2.SPO2_SCALE_1: 1,
        observations_pb2.SPO2_SCALE_2: 2,
    }
)
