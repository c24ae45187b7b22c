"""What is taken from an answer to watch drift, and what is not."""

from stepdown.domain.assessments import TierIdentity
from stepdown.domain.bands import Band
from stepdown.domain.bundles import BundleIdentity
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.drift_sample import drift_sample
from tests.fakes.clinical_pathways import by_model, clinical_pathway
from tests.unit.serving.test_assessment import AS_OF_S, CALM, prepared, request

ONE, TWO = "5f0c7a52-3b57-4f0e-9a3e-0f6f2a9a4c11", "5f0c7a52-3b57-4f0e-9a3e-0f6f2a9a4c12"


def test_a_models_answer_counts_with_its_score_under_its_bundle() -> None:
    ready = prepared(CALM)
    answer = clinical_pathway().finish(ready, by_model(0.2), generated_time_s=AS_OF_S)
    sample = drift_sample(ready, answer)
    assert (sample.pathway, sample.tier, sample.band) == (answer.pathway, "full", answer.band)
    assert sample.probability == answer.risk.probability if answer.risk is not None else False
    assert answer.answered_by is not None
    assert sample.bundle_sha256 == answer.answered_by.bundle.sha256
    assert sample.cells == ready.intake.grid.cells


def test_rules_and_abstentions_count_as_input_alone() -> None:
    ready = prepared(CALM)
    rules = TierIdentity(
        pathway=ready.request.pathway,
        tier="rules",
        execution_provider=ExecutionProvider.RULES,
        device="server",
        bundle=BundleIdentity(name="news2", version="1.0.0", sha256="r" * 64, signers=()),
    )
    by_rules = Outcome(answered_by=rules, result=None, degradations=(), attempts=())
    sample = drift_sample(ready, clinical_pathway().finish(ready, by_rules, generated_time_s=AS_OF_S))
    assert (sample.tier, sample.bundle_sha256, sample.probability, sample.band) == ("rules", "", None, None)
    nothing = prepared({}, with_rules=False)
    abstained = clinical_pathway(with_rules=False).finish(nothing, None, generated_time_s=AS_OF_S)
    assert abstained.band is Band.INDETERMINATE
    assert drift_sample(nothing, abstained).tier == ""


def test_hours_of_one_encounter_have_one_key_and_the_token_is_not_it() -> None:
    pathway = clinical_pathway()

    def key(request_id: str, encounter_token: str) -> int:
        asked = request(CALM, request_id=request_id, encounter_token=encounter_token)
        ready = pathway.prepare(asked, received_time_s=AS_OF_S)
        return drift_sample(ready, pathway.finish(ready, by_model(0.2), generated_time_s=AS_OF_S)).encounter

    first, second = "ZW5jb3VudGVyLW9uZQ", "ZW5jb3VudGVyLXR3bw"
    assert key(ONE, first) == key(TWO, first) != key(ONE, second)
