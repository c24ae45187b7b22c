from dataclasses import replace

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.api.v1.assessments_pb2 import Assessment as WireAssessment
from stepdown.domain.assessments import Abstention, Assessment, Risk
from stepdown.domain.intake import InputFlag
from stepdown.domain.reasons import AbstentionReason, InputIssue
from stepdown.transport.codec.assessments import DISCLAIMER, encode_assessment
from tests.unit.transport.codec.mirror import read_assessment
from tests.unit.transport.codec.strategies import assessments, risks

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def encoded(assessment: Assessment, *, record_id: str = "") -> WireAssessment:
    """Read back; in passing, that the bytes are those that the generated classes would have written."""
    answer = encode_assessment(assessment, trace_id=TRACE)
    sealed = answer.sealed(record_id)
    message = WireAssessment.FromString(sealed)
    assert message.SerializeToString(deterministic=True) == sealed
    message.recorded, message.record_id = False, ""
    assert message.SerializeToString(deterministic=True) == answer.unsealed
    return WireAssessment.FromString(sealed)


def enum_numbers(message: Message) -> list[tuple[str, int]]:
    """Every enum field that is set in a message or below it, and those that have no way of not being set."""
    found = []
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        values = list(value) if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_ENUM:
            found += [(field.full_name, number) for number in values]
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            found += [each for inner in values for each in enum_numbers(inner)]
    return found


@given(assessments())
@settings(max_examples=60)
def test_an_answer_is_read_by_the_contract_as_it_was_meant(assessment: Assessment) -> None:
    assert read_assessment(encoded(assessment)) == assessment


@given(assessments())
@settings(max_examples=30)
def test_no_answer_sends_an_unspecified_enum(assessment: Assessment) -> None:
    assert [field for field, number in enum_numbers(encoded(assessment)) if number == 0] == []


@given(assessments())
@settings(max_examples=10)
def test_an_answer_says_what_the_call_knows(assessment: Assessment) -> None:
    message = encoded(assessment)
    assert (message.trace_id, message.disclaimer) == (TRACE, DISCLAIMER)
    assert (message.recorded, message.record_id) == (False, "")
    assert (encoded(assessment, record_id="r-1").recorded, encoded(assessment, record_id="r-1").record_id) == (
        True,
        "r-1",
    )


@given(assessments(), risks())
@settings(max_examples=10)
def test_no_number_stands_beside_an_abstention(plain: Assessment, risk: Risk) -> None:
    abstention = Abstention(reason=AbstentionReason.STALE_INPUT, text="assess clinically")
    message = encoded(replace(plain, risk=risk, abstention=abstention))
    assert message.WhichOneof("outcome") == "abstention"


@given(assessments(), st.booleans())
@settings(max_examples=10)
def test_disagreement_with_the_rules_is_told_by_its_flag(plain: Assessment, disagree: bool) -> None:
    flags = (InputFlag(issue=InputIssue.RULES_DISAGREE),) if disagree else ()
    assert encoded(replace(plain, flags=flags)).rules_disagreement is disagree


def test_an_answer_has_no_field_that_could_hold_a_token() -> None:
    def names(descriptor: object, seen: set[str]) -> set[str]:
        found: set[str] = set()
        for field in descriptor.fields:  # type: ignore[attr-defined]
            found.add(field.name)
            if field.message_type is not None and field.message_type.full_name not in seen:
                seen.add(field.message_type.full_name)
                found |= names(field.message_type, seen)
        return found

    assert {name for name in names(WireAssessment.DESCRIPTOR, set()) if "token" in name} == set()
