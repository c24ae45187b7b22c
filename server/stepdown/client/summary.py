"""The gist of an answer, in words: what a list, a table or a log of an integration shows."""

from dataclasses import dataclass

from stepdown.api.v1.assessments_pb2 import AbstentionReason, Assessment
from stepdown.api.v1.bands_pb2 import Band
from stepdown.api.v1.tiers_pb2 import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSummary:
    """One answer in short.

    `why` says for each better tier why it did not answer, why a band is withheld, and when the rules disagree.
    `news2` is a number, or the bounds that missing values leave; `probability` is None unless a model answered.
    """

    band: str
    probability: float | None
    news2: str
    tier: str
    bundle: str
    sha256: str
    why: str


def summarise(answer: Assessment) -> AnswerSummary:
    """Put an answer into words."""
    why = [f"{step.tier}: {Reason.Name(step.reason).removeprefix('REASON_')}" for step in answer.degradations]
    if answer.HasField("abstention"):
        why.append(AbstentionReason.Name(answer.abstention.reason).removeprefix("ABSTENTION_REASON_"))
    if answer.rules_disagreement:
        why.append(f"the rules say at least {_word(answer.rules_assessment.floor)}")
    bundle = answer.answered_by.bundle
    return AnswerSummary(
        band=_word(answer.band),
        probability=answer.risk.probability if answer.HasField("risk") else None,
        news2=_news2(answer),
        tier=answer.answered_by.tier or "none",
        bundle=f"{bundle.name} {bundle.version}",
        sha256=bundle.sha256,
        why=", ".join(why),
    )


def _word(band: Band) -> str:
    return Band.Name(band).removeprefix("BAND_")


def _news2(answer: Assessment) -> str:
    if not answer.HasField("rules_assessment"):
        return "-"
    score = answer.rules_assessment.answering
    low, high = score.minimum_total, score.maximum_total
    return str(low) if low == high else f"{low} to {high}"
