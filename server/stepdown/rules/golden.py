"""Rules that go on proving themselves: their known answers, asked again of the very tables that answer patients.

What the known-answer test proved at load is written down whole, with what the overlay makes of it and the evidence
beside it, and must come out the same for as long as the rules answer. Refuses to judge by anything but equality.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from stepdown.domain.intake import RuleInputs
from stepdown.domain.scores import RulesAssessment, ScoreResult
from stepdown.rules.composite import Composite
from stepdown.rules.known_answers import KnownAnswer
from stepdown.rules.rule_set import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """One question and what was proven to be its answer; `evidence` is the place of a supporting set, None: all."""

    name: str
    inputs: RuleInputs
    expected: RulesAssessment | ScoreResult
    evidence: int | None = None

    def asked_of(self, composite: Composite) -> RulesAssessment | ScoreResult:
        """The answer as it is given now."""
        if self.evidence is None:
            return composite.assess(self.inputs)
        return composite.supporting[self.evidence].score(self.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenRules:
    """The rule sets of one pathway that have passed their known-answer tests, and what they gave then."""

    composite: Composite
    cases: tuple[GoldenCase, ...] = ()

    def review(self) -> Iterator[str]:
        """Ask one case after another: empty where the answer is the proven one, else what differs.

        Raises: whatever damaged tables raise.
        """
        for case in self.cases:
            given = case.asked_of(self.composite)
            yield "" if given == case.expected else f"{case.name}: not as proven: {_difference(given, case.expected)}"


def proven(composite: Composite, known: Mapping[str, Sequence[KnownAnswer]]) -> ProvenRules:
    """Write down what these rule sets give now, having just passed their tests.

    Args:
        composite: the rule sets.
        known: the known answers of each, by `rule_set_id`.
    """
    asked = [*_of_the_whole(composite, known), *_of_the_evidence(composite, known)]
    return ProvenRules(composite=composite, cases=tuple(asked))


def _of_the_whole(composite: Composite, known: Mapping[str, Sequence[KnownAnswer]]) -> Iterator[GoldenCase]:
    """Each known answer of the answering rules beside one of the lactate's, and both sides of every overlay."""
    answering = known.get(composite.answering.rule_set_id, ())
    lactate = _known_of(composite.lactate, known)
    pairs = [(answer, lactate[place % len(lactate)] if lactate else None) for place, answer in enumerate(answering)]
    for answer, beside in (*pairs, *_at_the_overlays(composite, answering, lactate)):
        parameters = {**answer.inputs.rule_inputs().parameters}
        if beside is not None:
            parameters.update(beside.inputs.rule_inputs().parameters)
        inputs = RuleInputs(spo2_scale=answer.inputs.spo2_scale, parameters=parameters, want_alternate_scale=True)
        name = f"{composite.answering.rule_set_id}: {answer.name}" + (f", {beside.name}" if beside is not None else "")
        yield GoldenCase(name=name, inputs=inputs, expected=composite.assess(inputs))


def _at_the_overlays(
    composite: Composite, answering: Sequence[KnownAnswer], lactate: Sequence[KnownAnswer]
) -> Iterator[tuple[KnownAnswer, KnownAnswer]]:
    """For each overlay, the known answers next to its threshold with a lactate that calls for it."""
    totals = [(answer.expected.total, answer) for answer in answering if answer.expected.total is not None]
    for overlay in composite.answering.overlays:
        beside = next((each for each in lactate if each.expected.classification == overlay.classification), None)
        below = [each for each in totals if each[0] < overlay.total_at_least]
        above = [each for each in totals if each[0] >= overlay.total_at_least]
        nearest = (*sorted(below, key=_total)[-1:], *sorted(above, key=_total)[:1])
        yield from ((answer, beside) for _, answer in nearest if beside is not None)


def _of_the_evidence(composite: Composite, known: Mapping[str, Sequence[KnownAnswer]]) -> Iterator[GoldenCase]:
    for place, rule_set in enumerate(composite.supporting):
        for answer in _known_of(rule_set, known):
            inputs = answer.inputs.rule_inputs()
            name = f"{rule_set.rule_set_id}: {answer.name}"
            yield GoldenCase(name=name, inputs=inputs, expected=rule_set.score(inputs), evidence=place)


def _known_of(rule_set: RuleSet | None, known: Mapping[str, Sequence[KnownAnswer]]) -> Sequence[KnownAnswer]:
    return known.get(rule_set.rule_set_id, ()) if rule_set is not None else ()


def _total(each: tuple[int, KnownAnswer]) -> int:
    return each[0]


def _difference(given: RulesAssessment | ScoreResult, expected: RulesAssessment | ScoreResult) -> str:
    names = expected._fields if isinstance(expected, ScoreResult) else [field.name for field in fields(expected)]
    return ", ".join(name for name in names if getattr(given, name, None) != getattr(expected, name))
