"""Judges one value by its channel: plausible, implausible, another unit's, impossible. Flags and drops nothing."""

from dataclasses import dataclass
from typing import NamedTuple

from stepdown.clinical.channel import AcceptedUnit, CodedChannel
from stepdown.clinical.conversion import convert
from stepdown.clinical.units import accepted_unit, likely_unit, unit_hint, unit_issue
from stepdown.domain.observations import Observation
from stepdown.domain.reasons import InputIssue


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a value is not used, and how the sender can mend it."""

    issue: InputIssue
    hint: str


class Measured(NamedTuple):
    """A value in the canonical unit. `doubt`: it looks like another unit, so that the models must not have it."""

    value: float
    plausible: bool = True
    interchangeable: bool = True
    doubt: Refusal | None = None


def measure(observation: Observation, coded: CodedChannel) -> Measured | Refusal:
    """Read the value of an observation by its channel's answers, units and limits."""
    channel = coded.channel
    if observation.absent_reason or (observation.value is None and not observation.coded_value):
        return Refusal(issue=InputIssue.VALUE_ABSENT, hint="no value; a missing measurement may be left out altogether")
    answer = channel.answers.get(observation.coded_value)
    if answer is not None:
        return Measured(value=answer)
    if observation.value is None or not channel.numeric:
        return not_coded(coded)
    accepted = accepted_unit(coded, observation.unit)
    if accepted is None:
        return Refusal(issue=unit_issue(observation.unit), hint=unit_hint(coded))
    return quantity(observation.value, accepted, coded)


def not_coded(coded: CodedChannel) -> Refusal:
    """The channel wants another kind of value."""
    answers = coded.channel.answers
    hint = f"send coded_value, one of {', '.join(answers)}" if answers else "send a number in value"
    return Refusal(issue=InputIssue.VALUE_NOT_CODED, hint=hint)


def quantity(value: float, accepted: AcceptedUnit, coded: CodedChannel) -> Measured | Refusal:
    """Judge a number in its unit, as sent, and convert it."""
    channel = coded.channel
    if not accepted.hard.hold(value) or (channel.integral and value % 1 != 0):
        likely = likely_unit(value, accepted, coded)
        return _out_of_range(coded) if likely is None else _suspect(accepted, likely)
    doubt = None
    plausible = accepted.soft.hold(value)
    if not plausible:
        looks_like = next((each.likely_unit for each in accepted.suspicions if each.limits.hold(value)), None)
        doubt = None if looks_like is None else _suspect(accepted, looks_like)
        if doubt is not None and not channel.rules_read_suspect:
            return doubt
    return Measured(
        value=convert(value, accepted.conversion) + 0.0,  # minus zero becomes zero
        plausible=plausible,
        interchangeable=accepted.interchangeable and coded.interchangeable,
        doubt=doubt,
    )


def _suspect(accepted: AcceptedUnit, likely: str) -> Refusal:
    hint = f"hardly possible in {accepted.unit}; if it was measured in {likely}, send it with that unit"
    return Refusal(issue=InputIssue.UNIT_SUSPECT, hint=hint)


def _out_of_range(coded: CodedChannel) -> Refusal:
    channel = coded.channel
    kind = "a whole number" if channel.integral else "a value"
    hint = f"impossible: send {kind} from {channel.hard.low:g} to {channel.hard.high:g} {channel.unit}"
    return Refusal(issue=InputIssue.OUT_OF_RANGE, hint=hint.rstrip())
