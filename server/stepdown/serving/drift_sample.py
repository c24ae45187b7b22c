"""What the drift watch is given of one answer."""

from stepdown.domain.assessments import Assessment
from stepdown.domain.drift import DriftSample
from stepdown.serving.assessment import PreparedAssessment


def drift_sample(prepared: PreparedAssessment, assessment: Assessment) -> DriftSample:
    """The grid and the answer. The token becomes a key that means nothing outside this process."""
    by, risk = assessment.answered_by, assessment.risk
    return DriftSample(
        pathway=assessment.pathway,
        cells=prepared.intake.grid.cells,
        encounter=hash(
            prepared.request.encounter_token
        ),  # keyed by Python anew in every process (SipHash), so that it cannot be looked up
        tier=by.tier if by is not None else "",
        bundle_sha256=by.bundle.sha256 if by is not None and risk is not None else "",
        probability=risk.probability if risk is not None else None,
        band=assessment.band if risk is not None else None,
    )
