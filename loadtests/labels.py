"""Whether an answer is what it says it is. Pure: an answer and the chain that the server declares go in."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from stepdown.api.v1.tiers_pb2 import Reason
from stepdown.client import Assessment


class TierLabel(BaseModel):
    """What every answer of a tier must say of itself, as the server's own status has it."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    signers: tuple[str, ...]


def label_faults(answer: Assessment, *, request_id: str, pathway: str, chain: Sequence[TierLabel]) -> tuple[str, ...]:
    """Everything about an answer that is not as it should be; empty: nothing."""
    tier, bundle = answer.answered_by.tier, answer.answered_by.bundle
    names = [label.name for label in chain]
    wrong = {
        "answers another request": answer.request_id != request_id,
        "names another pathway": answer.pathway != pathway,
        "names a tier that the chain has not": tier not in names,
        "names a bundle or signer that its tier has not": not any(
            (label.name, label.sha256, label.signers) == (tier, bundle.sha256, tuple(bundle.signers)) for label in chain
        ),
        "does not name the better tiers": tier in names
        # An abstention may be decided before any tier is asked: then none was passed over.
        and not (answer.HasField("abstention") and not answer.degradations)
        and [step.tier for step in answer.degradations] != names[: names.index(tier)],
    }
    return tuple(text for text, is_so in wrong.items() if is_so)


def is_unsuited(answer: Assessment) -> bool:
    """Whether the patient's data, and nothing about the server, kept the better tiers from answering."""
    return answer.HasField("abstention") or any(
        step.reason == Reason.REASON_INPUT_UNSUITABLE for step in answer.degradations
    )
