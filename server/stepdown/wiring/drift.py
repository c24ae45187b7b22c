"""The drift watches of all clinical pathways, from the references in their verified bundles."""

from collections.abc import Callable

from stepdown.domain.errors import DriftReferenceError
from stepdown.drift.policy import DriftPolicy
from stepdown.drift.reference import parse_reference
from stepdown.serving.drift_watch import DriftWatch, TierReference
from stepdown.serving.roster import Pathway, Roster
from stepdown.settings import DriftSettings
from stepdown.trust.contents import REFERENCE_FILE

_DAYS = 30


def drift_watches(roster: Roster, wanted: DriftSettings, *, refused: Callable[[str], None]) -> dict[str, DriftWatch]:
    """One watch per clinical pathway; `refused` is told of a reference that cannot be used, with why."""
    policy = DriftPolicy(assessments_per_30_days=float(wanted.assessments_per_day * _DAYS))
    return {
        name: DriftWatch(name, _references(pathway, refused), policy)
        for name, pathway in roster.pathways.items()
        if pathway.clinical
    }


def _references(pathway: Pathway, refused: Callable[[str], None]) -> tuple[TierReference, ...]:
    found = []
    for tier in pathway.tiers:
        if tier.bundle is None or REFERENCE_FILE not in tier.bundle.files or tier.is_rules:
            continue
        try:
            reference = parse_reference(tier.bundle.files[REFERENCE_FILE])
        except DriftReferenceError as error:
            refused(f"{tier.bundle.identity.name}: {error}")
        else:
            found.append(TierReference(tier=tier.name, bundle_sha256=tier.bundle.sha256, reference=reference))
    return tuple(found)
