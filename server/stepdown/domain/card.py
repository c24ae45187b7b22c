"""The model card: which attributes a bundle must disclose, in which order and under which titles.

`card.toml` is flat, so that a clinician can read it and a diff can show what changed:

    [hti1]              all 31 keys of `HTI1_ATTRIBUTES`; what is not known says "not available"
    [chai]              keys of `CHAI_FIELDS`; one left out counts as "not available"
    [evidence]          rules only: keys of `EVIDENCE_ATTRIBUTES`; one left out counts as "not available"

Every value is a string. Refuses to read or judge a file: that is `trust/card.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NOT_AVAILABLE = "not available"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAttribute:
    """One disclosed attribute: its key in `card.toml`, the title shown to people, and its place in the source text."""

    key: str
    title: str
    clause: str


def _hti1(key: str, clause: str, title: str) -> CardAttribute:
    return CardAttribute(key=key, title=title, clause=f"170.315(b)(11)(iv)(B){clause}")


HTI1_ATTRIBUTES: tuple[CardAttribute, ...] = (
    _hti1("developer_contact", "(1)(i)", "Developer name and contact"),
    _hti1("funding_source", "(1)(ii)", "Funding source of the technical implementation"),
    _hti1("output_value", "(1)(iii)", "Value produced as output"),
    _hti1("output_type", "(1)(iv)", "Type of output"),
    _hti1("intended_use", "(2)(i)", "Intended use"),
    _hti1("intended_population", "(2)(ii)", "Intended patient population"),
    _hti1("intended_users", "(2)(iii)", "Intended users"),
    _hti1("decision_role", "(2)(iv)", "Intended role in decision-making"),
    _hti1("out_of_scope_use", "(3)(i)", "Tasks, situations and populations cautioned against"),
    _hti1("known_risks", "(3)(ii)", "Known risks, inappropriate settings and uses, limitations"),
    _hti1("training_criteria", "(4)(i)", "Inclusion and exclusion criteria of the training data"),
    _hti1("demographic_inputs", "(4)(ii)", "Demographic, social and health-status elements used as inputs"),
    _hti1("training_representativeness", "(4)(iii)", "Demographic representativeness of the training data"),
    _hti1("training_relevance", "(4)(iv)", "Relevance of the training data to the deployed setting"),
    _hti1("fairness_approach", "(5)(i)", "Approach taken so that the output is fair"),
    _hti1("bias_management", "(5)(ii)", "Approaches to manage, reduce or eliminate bias"),
    _hti1("external_validation_source", "(6)(i)", "External validation: data source, setting and environment"),
    _hti1("external_validation_party", "(6)(ii)", "External validation: party that tested"),
    _hti1("external_validation_representativeness", "(6)(iii)", "External validation: demographic representativeness"),
    _hti1("external_validation_process", "(6)(iv)", "External validation: process"),
    _hti1("validity_internal", "(7)(i)", "Validity in test data of the same source"),
    _hti1("fairness_internal", "(7)(ii)", "Fairness in test data of the same source"),
    _hti1("validity_external", "(7)(iii)", "Validity in external data"),
    _hti1("fairness_external", "(7)(iv)", "Fairness in external data"),
    _hti1("outcome_evaluation", "(7)(v)", "References to evaluation of the effect on outcomes"),
    _hti1("validity_monitoring", "(8)(i)", "Process and frequency of monitoring validity"),
    _hti1("validity_local", "(8)(ii)", "Validity in local data"),
    _hti1("fairness_monitoring", "(8)(iii)", "Process and frequency of monitoring fairness"),
    _hti1("fairness_local", "(8)(iv)", "Fairness in local data"),
    _hti1("update_process", "(9)(i)", "Process and frequency of updates"),
    _hti1("correction_frequency", "(9)(ii)", "Frequency of correction when risks to validity or fairness are found"),
)
"""The source attributes of a predictive decision support intervention: 45 CFR 170.315(b)(11)(iv)(B), ONC HTI-1."""


def _evidence(number: int, key: str, title: str) -> CardAttribute:
    return CardAttribute(key=key, title=title, clause=f"170.315(b)(11)(iv)(A)({number})")


EVIDENCE_ATTRIBUTES: tuple[CardAttribute, ...] = (
    _evidence(1, "citation", "Bibliographic citation"),
    _evidence(2, "developer", "Developer of the intervention"),
    _evidence(3, "funding_source", "Funding source of the technical implementation"),
    _evidence(4, "release_dates", "Release and revision dates"),
    _evidence(5, "race", "Use of race"),
    _evidence(6, "ethnicity", "Use of ethnicity"),
    _evidence(7, "language", "Use of language"),
    _evidence(8, "sexual_orientation", "Use of sexual orientation"),
    _evidence(9, "gender_identity", "Use of gender identity"),
    _evidence(10, "sex", "Use of sex"),
    _evidence(11, "date_of_birth", "Use of date of birth"),
    _evidence(12, "social_determinants", "Use of social determinants of health"),
    _evidence(13, "health_status_assessment", "Use of health status assessments"),
)
"""The source attributes of an evidence-based intervention, which published rules are: 45 CFR 170.315(b)(11)(iv)(A)."""


def _chai(key: str, element: str, title: str) -> CardAttribute:
    return CardAttribute(key=key, title=title, clause=element)


_CHAI_DESCRIPTION: tuple[CardAttribute, ...] = (
    _chai("model_name", "ModelName", "Model name"),
    _chai("developer", "Developer", "Developer"),
    _chai("contact", "Contact", "Contact"),
    _chai("release_stage", "ReleaseStage", "Release stage"),
    _chai("release_date", "ReleaseDate", "Release date"),
    _chai("release_version", "ReleaseVersion", "Release version"),
    _chai("global_availability", "GlobalAvailability", "Global availability"),
    _chai("regulatory_approval", "RegulatoryApproval", "Regulatory approval"),
    _chai("summary", "Summary", "Summary"),
    _chai("keywords", "Keywords", "Keywords"),
    _chai("intended_use_and_workflow", "IntendedUseAndWorkflow", "Intended use and workflow"),
    _chai("primary_intended_users", "PrimaryIntendedUsers", "Primary intended users"),
    _chai("how_to_use", "HowToUse", "How to use"),
    _chai("targeted_patient_population", "TargetedPatientPopulation", "Targeted patient population"),
    _chai("cautioned_out_of_scope_settings", "CautionedOutOfScopeSettings", "Cautioned out-of-scope settings"),
    _chai("known_risks_and_limitations", "KnownRisksAndLimitations", "Known risks and limitations"),
    _chai("known_biases", "KnownBiasesOrEthicalConsiderations", "Known biases or ethical considerations"),
    _chai("clinical_risk_level", "ClinicalRiskLevel", "Clinical risk level"),
    _chai("outcomes_and_outputs", "OutcomesAndOutputs", "Outcomes and outputs"),
    _chai("model_type", "ModelType", "Model type"),
    _chai("foundation_models", "FoundationModels", "Foundation models used"),
    _chai("input_data_source", "InputDataSource", "Source of input data"),
    _chai("output_and_input_data_types", "OutputAndInputDataTypes", "Types of output and input data"),
    _chai("development_data", "DevelopmentDataCharacterization", "Characterization of the development data"),
    _chai("bias_mitigation", "BiasMitigationApproaches", "Approaches to mitigate bias"),
    _chai("ongoing_maintenance", "OngoingMaintenance", "Ongoing maintenance"),
    _chai("security", "Security", "Security"),
    _chai("transparency", "Transparency", "Transparency"),
    _chai("funding_source", "FundingSource", "Funding source"),
    _chai("third_party_information", "ThirdPartyInformation", "Third-party information"),
    _chai("stakeholders_consulted", "StakeholdersConsulted", "Stakeholders consulted"),
)

_CHAI_METRICS: tuple[CardAttribute, ...] = tuple(
    _chai(f"{metric.lower()}_{key}", f"KeyMetrics/{metric}/{element}", f"{metric}: {title}")
    for metric in ("Usefulness", "Fairness", "Safety")
    for key, element, title in (
        ("metric_goal", "MetricGoal", "goal of the metric"),
        ("result", "Result", "result"),
        ("interpretation", "Interpretation", "interpretation"),
        ("test_type", "TestType", "type of test"),
        ("testing_data", "TestingData", "testing data"),
        ("validation", "Validation", "validation"),
    )
)

_CHAI_EVIDENCE: tuple[CardAttribute, ...] = (
    _chai("evaluation_references", "EvaluationReferences", "Evaluation references"),
    _chai("clinical_trial", "ClinicalTrial", "Clinical trial"),
    _chai("publications", "Publications", "Publications"),
    _chai("reimbursement_status", "ReimbursementStatus", "Reimbursement status"),
    _chai("patient_consent", "PatientConsentOrDisclosure", "Patient consent or disclosure"),
)

CHAI_FIELDS: tuple[CardAttribute, ...] = _CHAI_DESCRIPTION + _CHAI_METRICS + _CHAI_EVIDENCE
"""The fields of the CHAI Applied Model Card, schema 0.2; `clause` is the element's path in that schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """A bundle's card, complete: every attribute in order, "not available" where nothing is known.

    `evidence` is empty for a model and complete for rules.
    """

    hti1: Mapping[str, str]
    chai: Mapping[str, str]
    evidence: Mapping[str, str]
