"""The report claims only what its intervals allow."""

import math

import numpy as np
import pytest

from models.training.evaluation.figures import ModelFigures, ScoredModel
from models.training.evaluation.findings import Findings
from models.training.evaluation.markdown import share, table, with_interval
from models.training.evaluation.report import card_sentences, markdown
from models.training.evaluation.subgroups import SubgroupFigures
from models.training.evaluation.tiers import Switch
from models.training.metrics.bootstrap import Interval
from models.training.published import CHECK_LABELS, DISTILLED, FULL

SOME = Interval(value=0.5, low=0.4, high=0.6)
FIGURES = ("auroc", "auprc", "utility", "brier", "slope", "intercept", "ece")
ALERTING = [
    f"{kind}_at_{rate}" for kind in ("alert_rate", "sensitivity", "ppv") for rate in ("medium", "1%", "2%", "5%")
]
SWITCHED = ("alert_rate_jump", "kappa", "alert_flips", "high_flips", "stays_losing_high")


def model(name: str) -> ModelFigures:
    row = ScoredModel(name=name, title=f"the {name}", score=np.zeros(1), alert_from=0.1, utility_from=0.1)
    return ModelFigures(model=row, figures=dict.fromkeys((*FIGURES, *ALERTING), SOME), replicates={})


def switch(before: str, after: str) -> Switch:
    return Switch(before=before, after=after, figures=dict.fromkeys(SWITCHED, SOME), table=np.zeros((4, 4)))


def findings(difference: Interval, *, simulated: bool = True) -> Findings:
    group = SubgroupFigures(name="female", stays=10, auroc=SOME, alert_rate=SOME, sensitivity=SOME)
    return Findings(
        data="stays of nobody",
        simulated=simulated,
        stays=10,
        septic_stays=1,
        hours=100,
        positive_hours=3,
        replicates=7,
        models=(model(FULL), model(DISTILLED)),
        differences={DISTILLED: {"auroc": difference, "auprc": difference, "utility": SOME, "brier": SOME}},
        switches=(switch(FULL, DISTILLED), switch(DISTILLED, FULL)),
        undetermined=0.14,
        rules_high_models_low={FULL: 0.2, DISTILLED: 0.3},
        subgroups={FULL: (group,), DISTILLED: (group,)},
        checks={"none": {"any": 0.02, "refused": 0.0, **dict.fromkeys(CHECK_LABELS, 0.0)}},
        latency={FULL: {"1": {"p10": 1.0, "median": 1.1}}},
        bytes={FULL: 2_400_000, DISTILLED: 130_000},
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-0.02, 0.01, "not told apart in AUROC"), (-0.03, -0.01, "lower in AUROC"), (0.01, 0.03, "higher in AUROC")],
)
def test_a_difference_is_put_into_words_only_as_far_as_its_interval_goes(low: float, high: float, words: str) -> None:
    written = markdown(findings(Interval(value=(low + high) / 2, low=low, high=high)))
    assert words in written
    others = {"not told apart in AUROC", "lower in AUROC", "higher in AUROC"} - {words}
    assert not any(other in written for other in others)


def test_simulated_performance_is_never_shown_without_its_warning() -> None:
    assert "not clinical performance" in markdown(findings(SOME))
    assert all(
        "not clinical performance" in text for card in card_sentences(findings(SOME)).values() for text in card.values()
    )
    assert "simulated" not in markdown(findings(SOME, simulated=False))


def test_every_figure_of_the_card_comes_with_its_interval() -> None:
    sentences = card_sentences(findings(SOME))
    assert sentences[FULL]["validity"].count("[0.400, 0.600]") == 4
    assert "Switch from sepsis-full to sepsis-distilled" in sentences[FULL]["alerting"]
    assert "Switch from sepsis-distilled to sepsis-full" in sentences[DISTILLED]["alerting"]


def test_numbers_that_do_not_exist_are_dashes() -> None:
    assert share(math.nan) == "-"
    assert with_interval(Interval(value=math.nan, low=math.nan, high=math.nan)) == "-"
    assert share(0.1234) == "12.3 %"
    assert with_interval(Interval(value=0.5, low=-0.25, high=0.75), signed=True, digits=2) == "+0.50 [-0.25, +0.75]"


def test_a_table_aligns_names_left_and_numbers_right() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
