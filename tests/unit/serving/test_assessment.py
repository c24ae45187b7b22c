from dataclasses import replace

import pytest

from stepdown.domain.assessments import Degradation
from stepdown.domain.bands import Band
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.observations import ClinicalRequest, Indication, Observation
from stepdown.domain.reasons import AbstentionReason, InputIssue, Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.assessment import PreparedAssessment
from stepdown.serving.model_answer import ModelReader
from tests.fakes.clinical_pathways import by_model, clinical_pathway, model_bundle
from tests.fakes.statuses import PATHWAY, tier_identity

AS_OF_S = 1_790_000_000.0
CALM = {"HR": 75, "Resp": 16, "O2Sat": 98, "SBP": 120, "Temp": 37.0}
SICK = {"HR": 131, "Resp": 25, "O2Sat": 91, "SBP": 90, "Temp": 39.1}
THRESHOLDS = model_bundle("sepsis-full").manifest.model.thresholds  # type: ignore[union-attr]


def request(values: dict[str, float], *, age_years: float = 60.0, **fields: object) -> ClinicalRequest:
    units = {"HR": "/min", "Resp": "/min", "O2Sat": "%", "SBP": "mm[Hg]", "Temp": "Cel"}
    system = "https://physionet.org/content/challenge-2019"
    observed = [
        Observation(
            field=f"observations[{index}]",
            code_system=system,
            code=code,
            value=value,
            unit=units[code],
            effective_time_s=AS_OF_S - 600.0,
        )
        for index, (code, value) in enumerate(values.items())
    ]
    alert = Observation(
        field="observations[9]",
        code_system="http://loinc.org",
        code="67775-7",
        coded_value="A",
        effective_time_s=AS_OF_S - 600.0,
    )
    made = ClinicalRequest(
        request_id="5f0c7a52-3b57-4f0e-9a3e-0f6f2a9a4c11",
        pathway=PATHWAY,
        subject_token="c3ViamVjdC1vbmU",  # noqa: S106
        encounter_token="ZW5jb3VudGVyLW9uZQ",  # noqa: S106
        as_of_time_s=AS_OF_S,
        indication=Indication(age_years=age_years),
        observations=(*observed, alert) if values else (),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def prepared(
    values: dict[str, float], *, with_rules: bool = True, age_years: float = 60.0, **fields: object
) -> PreparedAssessment:
    pathway = clinical_pathway(with_rules=with_rules)
    return pathway.prepare(request(values, age_years=age_years, **fields), received_time_s=AS_OF_S)


def rules_answer(*degradations: Degradation) -> Outcome:
    identity = replace(tier_identity("rules"), execution_provider=ExecutionProvider.RULES)
    return Outcome(answered_by=identity, result=None, degradations=degradations, attempts=())


def test_a_models_answer_carries_its_probability_meaning_and_band() -> None:
    answer = clinical_pathway().finish(prepared(CALM), by_model(0.001), generated_time_s=AS_OF_S + 1)
    assert answer.risk is not None
    assert answer.risk.probability == pytest.approx(0.001)
    assert answer.risk.semantics.horizon_h == 6
    assert answer.risk.contributions == ()
    assert (answer.band, answer.abstention) == (Band.LOW, None)
    assert answer.valid_until_time_s == AS_OF_S + 3600.0
    assert answer.rules is not None


@pytest.mark.parametrize(
    ("threshold", "below", "at"),
    [
        ("low_medium", Band.LOW, Band.LOW_MEDIUM),
        ("medium", Band.LOW_MEDIUM, Band.MEDIUM),
        ("high", Band.MEDIUM, Band.HIGH),
    ],
)
def test_bands_begin_at_their_thresholds(threshold: str, below: Band, at: Band) -> None:
    edge = getattr(THRESHOLDS, threshold)
    bands = [
        clinical_pathway().finish(prepared(CALM), by_model(value), generated_time_s=AS_OF_S).band
        for value in (edge * 0.999, edge * 1.001)
    ]
    assert bands == [below, at]


def test_contributions_come_when_asked_for_and_where_the_model_has_them() -> None:
    asked = prepared(CALM, want_contributions=True)
    distilled = clinical_pathway().finish(asked, by_model(0.01, tier="distilled"), generated_time_s=AS_OF_S)
    assert distilled.risk is not None
    assert [part.channel for part in distilled.risk.contributions][:3] == ["HR", "O2Sat", "Temp"]
    full = clinical_pathway().finish(asked, by_model(0.01), generated_time_s=AS_OF_S)
    assert full.risk is not None
    assert full.risk.contributions == ()


def test_rules_that_say_high_while_the_model_says_low_are_never_hidden() -> None:
    answer = clinical_pathway().finish(prepared(SICK), by_model(0.001), generated_time_s=AS_OF_S)
    assert answer.band is Band.LOW
    assert answer.rules is not None
    assert answer.rules.hard_trigger
    assert InputIssue.RULES_DISAGREE in {flag.issue for flag in answer.flags}


def test_rules_that_cannot_tell_but_start_at_medium_contradict_a_model_that_says_low() -> None:
    grave = prepared({"Resp": 30.0, "SBP": 85.0, "Temp": 37.0})
    assert grave.rules is not None
    assert (grave.rules.band, grave.rules.floor) == (Band.INDETERMINATE, Band.MEDIUM)
    answer = clinical_pathway().finish(grave, by_model(0.001), generated_time_s=AS_OF_S)
    assert InputIssue.RULES_DISAGREE in {flag.issue for flag in answer.flags}


def test_an_almost_empty_chart_is_left_to_the_rules() -> None:
    assert prepared({"HR": 75.0, "Temp": 37.0}).payload is None
    assert prepared({"HR": 75.0, "Temp": 37.0, "SBP": 120.0}).payload is not None


def test_a_raised_input_check_of_the_graph_is_flagged_by_its_name() -> None:
    outcome = by_model(0.01)
    assert outcome.result is not None
    assert outcome.result.outputs is not None
    checks = b"\x00\x00\x80\x3f" + bytes(16)  # 1.0, then zeros
    outputs = {**outcome.result.outputs, "input_checks": checks}
    raised = replace(outcome, result=replace(outcome.result, outputs=outputs))
    answer = clinical_pathway().finish(prepared(CALM), raised, generated_time_s=AS_OF_S)
    assert [flag.detail for flag in answer.flags if flag.issue is InputIssue.INPUT_CHECK] == ["EXTREME_VALUE"]


def test_a_rules_answer_has_a_band_and_no_probability_and_says_why_no_model_answered() -> None:
    lost = Degradation(tier="full", reason=Reason.WORKER_LOST)
    answer = clinical_pathway().finish(prepared(SICK), rules_answer(lost), generated_time_s=AS_OF_S)
    assert (answer.band, answer.risk, answer.degradations) == (Band.HIGH, None, (lost,))


def test_rules_that_cannot_tell_abstain_instead_of_saying_low() -> None:
    sparse = {"HR": 75.0, "SBP": 120.0}
    answer = clinical_pathway().finish(prepared(sparse), rules_answer(), generated_time_s=AS_OF_S)
    assert answer.band is Band.INDETERMINATE
    assert answer.abstention is not None
    assert answer.abstention.reason is AbstentionReason.INSUFFICIENT_DATA


def test_rules_that_cannot_tell_because_a_value_is_stale_say_so() -> None:
    asked = request({"HR": 75.0, "Resp": 16.0, "SBP": 120.0, "Temp": 37.0, "O2Sat": 98.0})
    old = tuple(
        each._replace(effective_time_s=AS_OF_S - 9 * 3600.0) if each.code == "Resp" else each
        for each in asked.observations
    )
    pathway = clinical_pathway()
    stale = pathway.prepare(replace(asked, observations=old), received_time_s=AS_OF_S)
    answer = pathway.finish(stale, rules_answer(), generated_time_s=AS_OF_S)
    assert answer.abstention is not None
    assert answer.abstention.reason is AbstentionReason.STALE_INPUT


def test_a_child_is_assessed_by_no_tier() -> None:
    child = prepared(CALM, age_years=9.0)
    assert child.abstained
    answer = clinical_pathway().finish(child, None, generated_time_s=AS_OF_S)
    assert answer.abstention is not None
    assert answer.abstention.reason is AbstentionReason.OUT_OF_INDICATION_AGE
    assert answer.answered_by is not None
    assert answer.answered_by.tier == "rules"


def test_a_sixteen_year_old_is_assessed_by_the_rules_alone() -> None:
    teenager = prepared(CALM, age_years=16.5)
    assert (teenager.payload, teenager.abstained) == (None, False)


def test_no_data_is_an_abstention_and_never_low() -> None:
    empty = prepared({})
    assert empty.abstained
    answer = clinical_pathway().finish(empty, None, generated_time_s=AS_OF_S)
    assert answer.band is Band.INDETERMINATE
    assert answer.abstention is not None
    assert answer.abstention.reason is AbstentionReason.NO_CLINICAL_DATA


def test_an_abstention_names_no_tier_while_the_rules_themselves_are_refused() -> None:
    pathway = clinical_pathway(with_rules=False)
    refused = tuple(replace(tier, bundle=None) if tier.is_rules else tier for tier in pathway.tiers)
    pathway.pathway = replace(pathway.pathway, tiers=refused)
    answer = pathway.finish(prepared({}, with_rules=False), None, generated_time_s=AS_OF_S)
    assert (answer.answered_by, answer.rules) == (None, None)


def test_nobody_answering_is_an_error_with_its_reason() -> None:
    nobody = Outcome(
        answered_by=None, result=None, degradations=(), attempts=(), failure=Reason.WORKER_LOST, failure_detail="full"
    )
    with pytest.raises(NoAnswerError) as refused:
        clinical_pathway().finish(prepared(CALM), nobody, generated_time_s=AS_OF_S)
    assert refused.value.reason is Reason.WORKER_LOST
    with pytest.raises(NoAnswerError) as unexplained:
        clinical_pathway().finish(prepared(CALM), replace(nobody, failure=None), generated_time_s=AS_OF_S)
    assert unexplained.value.reason is Reason.INTERNAL_FAULT


def test_a_rules_answer_without_rules_in_hand_is_an_error() -> None:
    with pytest.raises(NoAnswerError):
        clinical_pathway(with_rules=False).finish(
            prepared(CALM, with_rules=False), rules_answer(), generated_time_s=AS_OF_S
        )


def test_a_model_answer_without_outputs_is_an_error() -> None:
    outcome = by_model(0.1)
    assert outcome.result is not None
    empty = replace(outcome, result=replace(outcome.result, outputs=None))
    with pytest.raises(NoAnswerError):
        clinical_pathway().finish(prepared(CALM), empty, generated_time_s=AS_OF_S)


def test_tiers_are_found_by_name() -> None:
    pathway = clinical_pathway()
    assert pathway.tier("distilled").name == "distilled"
    assert [tier.name for tier in pathway.pathway.models] == ["full", "distilled"]
    with pytest.raises(KeyError):
        pathway.tier("nonsense")


def test_a_model_without_a_score_cannot_assess_a_patient() -> None:
    model = model_bundle("sepsis-full").manifest.model
    assert model is not None
    with pytest.raises(Exception, match=r"no \[score\]"):
        ModelReader(replace(model, score=None))
    assert ModelReader(replace(model, input_checks=None)).flags({}) == ()
