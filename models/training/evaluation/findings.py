"""Everything the report, the record and the cards are made of."""

from dataclasses import dataclass

from models.training.evaluation.figures import ModelFigures
from models.training.evaluation.subgroups import SubgroupFigures
from models.training.evaluation.tiers import Switch
from models.training.metrics.bootstrap import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The outcome of one evaluation. Shares are of patient-hours unless their name says stays."""

    data: str
    simulated: bool
    stays: int
    septic_stays: int
    hours: int
    positive_hours: int
    replicates: int
    models: tuple[ModelFigures, ...]
    differences: dict[str, dict[str, Interval]]
    switches: tuple[Switch, ...]
    undetermined: float
    rules_high_models_low: dict[str, float]
    subgroups: dict[str, tuple[SubgroupFigures, ...]]
    checks: dict[str, dict[str, float]]
    latency: dict[str, dict[str, dict[str, float]]]
    bytes: dict[str, int]

    def of(self, name: str) -> ModelFigures:
        """Return the figures of one model."""
        return next(figures for figures in self.models if figures.model.name == name)
