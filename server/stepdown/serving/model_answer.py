"""From a model's raw output rows to a risk: probability, band, contributions and the graph's own input checks."""

from collections.abc import Mapping
from struct import unpack_from

from stepdown.domain.assessments import Contribution, Risk
from stepdown.domain.bands import Band
from stepdown.domain.bundles import BandThresholds, ModelSpec, TensorSpec
from stepdown.domain.errors import ConfigurationError
from stepdown.domain.intake import InputFlag
from stepdown.domain.reasons import InputIssue

CONTRIBUTIONS = "contributions"


def band_of(probability: float, thresholds: BandThresholds) -> Band:
    """The band whose lowest probability is reached."""
    if probability >= thresholds.high:
        return Band.HIGH
    if probability >= thresholds.medium:
        return Band.MEDIUM
    return Band.LOW_MEDIUM if probability >= thresholds.low_medium else Band.LOW


class ModelReader:
    """Reads one verified model's outputs; made once per tier."""

    def __init__(self, model: ModelSpec) -> None:
        """Raises ConfigurationError when the manifest has no score or thresholds.

        Such a model cannot assess a patient.
        """
        if model.score is None or model.thresholds is None:
            raise ConfigurationError(
                ("the bundle's manifest has no [score] or no [thresholds]: it cannot assess risk",)
            )
        self._semantics = model.score
        self._thresholds = model.thresholds
        self._checks = model.input_checks
        self._specs: Mapping[str, TensorSpec] = {spec.name: spec for spec in model.outputs}

    def risk(self, outputs: Mapping[str, bytes], *, want_contributions: bool) -> tuple[Risk, Band]:
        """The calibrated probability (first row) with its meaning, and its band by this tier's own thresholds."""
        probability = unpack_from("<f", outputs[self._semantics.output])[0]
        contributions: tuple[Contribution, ...] = ()
        if want_contributions and CONTRIBUTIONS in self._specs:
            labelled = self._labelled(CONTRIBUTIONS, outputs)
            contributions = tuple(Contribution(channel=label, value=value) for label, value in labelled)
        risk = Risk(probability=probability, semantics=self._semantics, contributions=contributions)
        return risk, band_of(probability, self._thresholds)

    def flags(self, outputs: Mapping[str, bytes]) -> tuple[InputFlag, ...]:
        """One flag for each structured check that the graph raised."""
        if self._checks is None:
            return ()
        return tuple(
            InputFlag(issue=InputIssue.INPUT_CHECK, detail=label)
            for label, value in self._labelled(self._checks.output, outputs)
            if value >= self._checks.flag_at
        )

    def _labelled(self, name: str, outputs: Mapping[str, bytes]) -> tuple[tuple[str, float], ...]:
        labels = self._specs[name].labels
        values = unpack_from(f"<{len(labels)}f", outputs[name])
        return tuple(zip(labels, values, strict=True))
