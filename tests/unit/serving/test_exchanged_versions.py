"""Answers while versions change: each names what gave it, and says what could not be loaded."""

from dataclasses import replace

import pytest

from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.errors import NoAnswerError
from stepdown.domain.reasons import InputIssue, Reason
from stepdown.serving.activation import proven_rules
from stepdown.serving.assessment import ClinicalPathway
from tests.fakes.clinical_pathways import by_model, clinical_pathway, model_bundle, rules_bundle
from tests.unit.serving.test_assessment import AS_OF_S, CALM, request, rules_answer


def test_rules_without_their_lactate_say_so_on_every_answer() -> None:
    pathway = clinical_pathway()
    pathway.learn_rules(rules_bundle("news2").sha256, proven_rules(rules_bundle("news2"), None, ()))
    for readings in (CALM, {}):
        ready = pathway.prepare(request(readings), received_time_s=AS_OF_S)
        answer = pathway.finish(ready, None if ready.abstained else rules_answer(), generated_time_s=AS_OF_S)
        assert [flag.issue for flag in answer.flags].count(InputIssue.OVERLAY_MISSING) == 1


def test_an_answer_names_the_rules_that_gave_it_though_others_took_over_meanwhile() -> None:
    pathway = clinical_pathway()
    before = pathway.prepare(request({}), received_time_s=AS_OF_S)
    new = replace(rules_bundle("news2"), sha256="12" * 32)
    tiers = tuple(replace(tier, bundle=new) if tier.is_rules else tier for tier in pathway.tiers)
    pathway.learn_rules(new.sha256, proven_rules(rules_bundle("news2"), rules_bundle("lactate"), ()))
    pathway.exchange(replace(pathway.pathway, tiers=tiers))
    after = pathway.prepare(request({}), received_time_s=AS_OF_S)
    digests = [
        answer.answered_by.bundle.sha256
        for ready in (before, after)
        if (answer := pathway.finish(ready, None, generated_time_s=AS_OF_S)).answered_by is not None
    ]
    assert digests == [rules_bundle("news2").sha256, "12" * 32]


def test_a_version_that_served_before_the_start_can_be_read_again() -> None:
    older = replace(model_bundle("sepsis-full"), sha256="34" * 32)
    plain = clinical_pathway().pathway
    tiers = tuple(replace(tier, previous=older) if tier.name == "full" else tier for tier in plain.tiers)
    pathway = ClinicalPathway(pathway=replace(plain, tiers=tiers), rules=None, policy=IntakePolicy(), valid_for_s=1.0)
    pathway.exchange(plain)
    outcome = by_model(0.25)
    assert outcome.answered_by is not None
    by_older = replace(outcome.answered_by, bundle=older.identity)
    answer = pathway.finish(
        pathway.prepare(request(CALM), received_time_s=AS_OF_S),
        replace(outcome, answered_by=by_older),
        generated_time_s=AS_OF_S,
    )
    assert answer.risk is not None
    assert answer.risk.probability == pytest.approx(0.25)


def test_what_condemned_rules_said_is_given_out_neither_as_answer_nor_as_evidence() -> None:
    pathway = clinical_pathway()
    ready = pathway.prepare(request(CALM), received_time_s=AS_OF_S)
    news2 = rules_bundle("news2")
    pathway.condemn(news2.sha256)
    with pytest.raises(NoAnswerError) as refused:
        pathway.finish(ready, rules_answer(), generated_time_s=AS_OF_S)
    assert refused.value.reason is Reason.KNOWN_ANSWER_MISMATCH
    assert pathway.finish(ready, by_model(0.25), generated_time_s=AS_OF_S).rules is None
    assert pathway.prepare(request(CALM), received_time_s=AS_OF_S).rules is None
    pathway.learn_rules(news2.sha256, proven_rules(news2, rules_bundle("lactate"), ()))
    fresh = pathway.prepare(request(CALM), received_time_s=AS_OF_S)
    assert pathway.finish(fresh, by_model(0.25), generated_time_s=AS_OF_S).rules is not None
    with pytest.raises(NoAnswerError):
        pathway.finish(ready, rules_answer(), generated_time_s=AS_OF_S)


def test_rules_that_nobody_can_ask_any_more_are_forgotten() -> None:
    pathway = clinical_pathway()
    plain, first = pathway.pathway, rules_bundle("news2").sha256
    for number in range(1, 4):
        new = replace(rules_bundle("news2"), sha256=f"{number}" * 64)
        pathway.learn_rules(new.sha256, proven_rules(rules_bundle("news2"), None, ()))
        tiers = tuple(replace(tier, bundle=new) if tier.is_rules else tier for tier in plain.tiers)
        pathway.exchange(replace(plain, tiers=tiers))
    assert [pathway.rules(digest) is not None for digest in (first, "1" * 64, "2" * 64, "3" * 64)] == [
        False,
        False,
        True,
        True,
    ]
