"""The demo's clinical pathway with its real rules and a model bundle that nobody signed and nothing runs."""

import struct
from functools import cache
from pathlib import Path

from stepdown.clinical.policy import IntakePolicy
from stepdown.domain.assessments import Degradation
from stepdown.domain.bundles import BundleKind, Manifest, SignerIdentity, TierRole, VerifiedBundle
from stepdown.domain.card import HTI1_ATTRIBUTES
from stepdown.domain.engine_effects import Outcome
from stepdown.domain.tensors import RowsResult
from stepdown.domain.tiers import ExecutionProvider
from stepdown.rules.rule_set import RuleSet, parse_rule_set
from stepdown.serving.activation import proven_rules
from stepdown.serving.assessment import ClinicalPathway
from stepdown.serving.roster import Pathway, Roster, TierDescription
from stepdown.trust.manifest import parse_manifest
from tests.fakes.statuses import PATHWAY, tier_identity

ROOT = Path(__file__).resolve().parents[2]
GENERIC = "tensors-only"
BLANK_CARD = "\n".join(
    ["[hti1]", *(f'{each.key} = "not available"' for each in HTI1_ATTRIBUTES), "[evidence]"]
).encode()
SIGNERS = (SignerIdentity(key_id="ab" * 32, name="demo-signer"),)


@cache
def rules_bundle(name: str) -> VerifiedBundle:
    """A rule bundle of this repository, taken as it lies."""
    folder = ROOT / "fallback_rules" / name / "1.0.0"
    manifest = Manifest(
        name=name,
        version="1.0.0",
        kind=BundleKind.RULES,
        tier_role=TierRole.RULES,
        minimum_server_version="0.1.0",
        parent_version="",
        description="published rules",
        rules_file="rules.toml",
    )
    files = {each: (folder / each).read_bytes() for each in ("rules.toml", "known_answers.json")}
    files["card.toml"] = BLANK_CARD
    return VerifiedBundle(manifest=manifest, files=files, signers=SIGNERS, sha256="cd" * 32)


@cache
def model_bundle(name: str) -> VerifiedBundle:
    """A model bundle of this repository without its model."""
    folder = ROOT / "models" / name / "1.0.0"
    files = {each: (folder / each).read_bytes() for each in ("manifest.toml", "card.toml")}
    manifest = parse_manifest(files["manifest.toml"])
    return VerifiedBundle(manifest=manifest, files=files, signers=SIGNERS, sha256="ab" * 32)


def rule_set(name: str) -> RuleSet:
    """A rule set of this repository."""
    return parse_rule_set(rules_bundle(name).files["rules.toml"], rule_set_id=f"{name}@1.0.0")


def pathway(*, budget_ms: int = 500, with_rules: bool = True) -> Pathway:
    """The demo's chain. Without rules: their bundle was refused."""
    rules = rules_bundle("news2") if with_rules else None
    cpu = (ExecutionProvider.CPU,)
    return Pathway(
        name=PATHWAY,
        budget_ms=budget_ms,
        tiers=(
            TierDescription(name="full", bundle=model_bundle("sepsis-full"), execution_providers=cpu),
            TierDescription(name="distilled", bundle=model_bundle("sepsis-distilled"), execution_providers=cpu),
            TierDescription(name="rules", bundle=rules, is_rules=True),
        ),
        clinical=True,
        supporting=(rules_bundle("qsofa"),),
    )


def clinical_pathway(*, budget_ms: int = 500, with_rules: bool = True) -> ClinicalPathway:
    """The demo's clinical pathway. Without rules: their bundles were refused."""
    rules = proven_rules(rules_bundle("news2"), rules_bundle("lactate"), (rules_bundle("qsofa"),))
    return ClinicalPathway(
        pathway=pathway(budget_ms=budget_ms, with_rules=with_rules),
        rules=rules if with_rules else None,
        policy=IntakePolicy(),
        valid_for_s=3600.0,
    )


def roster(*, budget_ms: int = 500) -> Roster:
    """The demo's pathway, and one that takes tensors."""
    generic = Pathway(
        name=GENERIC,
        budget_ms=100,
        tiers=(TierDescription(name="full", bundle=None, execution_providers=(ExecutionProvider.CUDA,)),),
        clinical=False,
    )
    return Roster(pathways={PATHWAY: pathway(budget_ms=budget_ms), GENERIC: generic})


def by_model(probability: float, *degradations: Degradation, tier: str = "full") -> Outcome:
    """A model tier answers with this probability."""
    outputs = {
        "probability": struct.pack("<f", probability),
        "contributions": struct.pack("<40f", *([0.25] * 40)),
        "input_checks": struct.pack("<5f", *([0.0] * 5)),
    }
    return Outcome(
        answered_by=tier_identity(tier), result=RowsResult(outputs=outputs), degradations=degradations, attempts=()
    )
