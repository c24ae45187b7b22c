"""Write `card.toml`: the 31 source attributes of HTI-1 and the CHAI fields, from fixed text and measured figures.

What is not known says "not available". Nothing here claims clinical validity: the data are simulated unless the run
says otherwise, and then too the figures are those of one data set.
"""

from dataclasses import dataclass

import tomli_w

NOT_AVAILABLE = "not available"
SIMULATED_WARNING = (
    "Measured on simulated stays. Performance on simulated stays is not clinical performance and says nothing about "
    "patients."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What differs between two cards; the last three are sentences with figures, NOT_AVAILABLE before evaluation."""

    name: str
    version: str
    released: str
    architecture: str
    data: str
    simulated: bool
    cohort: str
    validity: str
    fairness: str
    alerting: str


def card(facts: CardFacts) -> bytes:
    """Return the card as TOML."""
    return tomli_w.dumps({"hti1": _hti1(facts), "chai": _chai(facts)}, multiline_strings=False).encode()


def _hti1(facts: CardFacts) -> dict[str, str]:
    return _purpose() | _development(facts) | _performance(facts)


def _purpose() -> dict[str, str]:
    return {
        "developer_contact": "The Stepdown project; contact through the project's issue tracker",
        "funding_source": NOT_AVAILABLE,
        "output_value": (
            "Calibrated probability of sepsis onset (Sepsis-3) within about 6 hours, an ordinal band, and five "
            "checks of the input"
        ),
        "output_type": "prediction",
        "intended_use": (
            "Research, demonstration and software testing of tiered inference. Not a medical device; not for care."
        ),
        "intended_population": "Adults (18 years and older) in intensive care, hour by hour",
        "intended_users": (
            "Software and integration engineers, researchers, clinical safety officers evaluating the server"
        ),
        "decision_role": "informs; never replaces clinical assessment",
        "out_of_scope_use": OUT_OF_SCOPE,
        "known_risks": KNOWN_RISKS,
    }


def _development(facts: CardFacts) -> dict[str, str]:
    return {
        "training_criteria": facts.cohort,
        "demographic_inputs": (
            "Age and sex are inputs. Race, ethnicity, language, sexual orientation, gender identity, social "
            "determinants and health-status assessments are not."
        ),
        "training_representativeness": _warned(
            facts,
            "Age 18-100 (median about 63), 56 % male; no other demographic element exists in the data.",
        ),
        "training_relevance": _warned(
            facts,
            "Columns, units, missingness and stay lengths follow the PhysioNet/CinC 2019 training sets.",
        ),
        "fairness_approach": (
            "One score and one threshold for all; discrimination and alert rate reported by age group, sex and unit."
        ),
        "bias_management": (
            "Unknown sex and unit are missing values, never a default. Subgroup gaps are published with every release."
        ),
    }


def _performance(facts: CardFacts) -> dict[str, str]:
    return {
        "external_validation_source": NOT_AVAILABLE,
        "external_validation_party": NOT_AVAILABLE,
        "external_validation_representativeness": NOT_AVAILABLE,
        "external_validation_process": NOT_AVAILABLE,
        "validity_internal": facts.validity,
        "fairness_internal": facts.fairness,
        "validity_external": NOT_AVAILABLE,
        "fairness_external": NOT_AVAILABLE,
        "outcome_evaluation": NOT_AVAILABLE,
        "validity_monitoring": (
            "Golden probes of every serving tier, continuously. Monitoring of drift against the shipped reference: "
            "not available in this release of the server."
        ),
        "validity_local": NOT_AVAILABLE,
        "fairness_monitoring": NOT_AVAILABLE,
        "fairness_local": NOT_AVAILABLE,
        "update_process": "No fixed schedule; every release is a new signed version with its own evaluation.",
        "correction_frequency": NOT_AVAILABLE,
    }


def _chai(facts: CardFacts) -> dict[str, str]:
    return _description(facts) | _key_metrics(facts)


def _description(facts: CardFacts) -> dict[str, str]:
    return {
        "model_name": facts.name,
        "developer": "The Stepdown project",
        "release_stage": "research and demonstration",
        "release_date": facts.released,
        "release_version": facts.version,
        "regulatory_approval": "none",
        "summary": f"{facts.architecture} Trained on {facts.data}.",
        "keywords": "sepsis, early warning, intensive care, tiered inference",
        "intended_use_and_workflow": (
            "Scored hourly by the server; every answer says which tier, provider and bundle produced it."
        ),
        "primary_intended_users": (
            "Software and integration engineers, researchers, clinical safety officers evaluating the server"
        ),
        "targeted_patient_population": "Adults in intensive care",
        "cautioned_out_of_scope_settings": OUT_OF_SCOPE,
        "known_risks_and_limitations": KNOWN_RISKS,
        "outcomes_and_outputs": "Probability of sepsis onset within about 6 hours; band; input checks",
        "model_type": facts.architecture,
        "foundation_models": "none",
        "input_data_source": facts.data,
        "output_and_input_data_types": (
            "In: 48 hours of 40 numeric columns, missing allowed. Out: probabilities and numeric checks."
        ),
        "development_data": facts.cohort,
        "security": "Signed bundle; digest and signature are checked before loading; provenance inside.",
        "transparency": "Training code, simulator, evaluation and seeds are public in the same repository.",
    }


def _key_metrics(facts: CardFacts) -> dict[str, str]:
    return {
        "usefulness_metric_goal": (
            "Discrimination and calibration at the level of one patient-hour, within a fixed alert budget"
        ),
        "usefulness_result": facts.validity,
        "usefulness_interpretation": SIMULATED_WARNING if facts.simulated else NOT_AVAILABLE,
        "usefulness_test_type": "Held-out split by stay, 95 % intervals by bootstrap over stays",
        "usefulness_testing_data": facts.data,
        "usefulness_validation": "internal",
        "fairness_result": facts.fairness,
        "safety_metric_goal": "No alert storm and no silent loss of alerts when the serving tier changes",
        "safety_result": facts.alerting,
    }


def _warned(facts: CardFacts, text: str) -> str:
    return f"{text} {SIMULATED_WARNING}" if facts.simulated else NOT_AVAILABLE


OUT_OF_SCOPE = (
    "Care of patients. Children, pregnancy, settings outside intensive care, end-of-life care, and any comparison of "
    "its "
    "number with the number of another tier."
)
KNOWN_RISKS = (
    "Alerts lag behind charting; treatment hides deterioration (antipyretics, vasopressors, beta-blockers, oxygen); "
    "sites that chart "
    "or order tests differently shift the score; a probability is calibrated for the data it was fitted on only; "
    "automation bias."
)
