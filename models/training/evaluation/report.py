"""Write `EVALUATION.md`: the figures in tables, and only such sentences as the intervals allow."""

from models.training.evaluation.figures import FIXED_ALERT_RATES
from models.training.evaluation.findings import Findings
from models.training.evaluation.markdown import share, table, with_interval
from models.training.metrics.bootstrap import Interval
from models.training.published import CHECK_LABELS, DISTILLED, FULL
from models.training.recipe import ALERT_BUDGET

PLOTS = "evaluation"


def markdown(findings: Findings) -> str:
    """Return the whole report."""
    sections = [
        _head(findings),
        _comparison(findings),
        _verdict(findings),
        _calibration(findings),
        _alerts(findings),
        _switches(findings),
        _subgroups(findings),
        _checks(findings),
        _latency(findings),
        _limits(findings),
    ]
    return "\n\n".join(sections) + "\n"


def _head(findings: Findings) -> str:
    warning = (
        "> **These are simulated patients. Performance on them is not clinical performance**, in size or in rank: they "
        "show that the "
        "software works and what a switch of tiers costs in alerts, and nothing about a hospital.\n\n"
        if findings.simulated
        else ""
    )
    return (
        "# Evaluation\n\n"
        f"{warning}Written by `make evaluate` from the ONNX files as they are committed; every number is also in "
        "[`evaluation.json`](evaluation.json).\n\n"
        f"Test split: {findings.stays:,} {findings.data}, {findings.septic_stays:,} of them septic; {findings.hours:,} "
        "patient-hours, "
        f"{findings.positive_hours:,} positive ({share(findings.positive_hours / findings.hours, 1)}). No choice was "
        "made on it: early stopping, "
        "calibration and thresholds used the validation split, and splits never divide a stay. Square brackets hold 95 "
        "% intervals from "
        f"{findings.replicates} bootstrap draws of whole stays. The label is the challenge's: 1 from six hours before "
        "sepsis."
    )


def _comparison(findings: Findings) -> str:
    names = ("auroc", "auprc", "utility")
    rows = [
        [model.model.title, *(with_interval(model.figures[name]) for name in names), _size(findings, model.model.name)]
        for model in findings.models
    ]
    header = ["Model", "AUROC", "AUPRC", "Utility (challenge, normalised)", "ONNX file"]
    return (
        "## Bake-off\n\n"
        + table(header, rows)
        + "\n\nUtility is the official score, 0 for never alerting and 1 for the best possible; each "
        "model alerts from the threshold that earned most on validation, NEWS2 from 7. NEWS2 counts what is missing as "
        "its lowest "
        f"possible points here; as a rule set it leaves {share(findings.undetermined, 0)} of these hours "
        "undetermined.\n\n"
        f"![AUROC and average precision of every row]({PLOTS}/comparison.png)"
    )


def _verdict(findings: Findings) -> str:
    rows = [
        [
            findings.of(name).model.title,
            *(_signed(pair.get(figure)) for figure in ("auroc", "auprc", "utility", "brier")),
        ]
        for name, pair in findings.differences.items()
    ]
    header = ["Row minus full", "AUROC", "AUPRC", "Utility", "Brier"]
    sentences = [_sentence(findings, name) for name in findings.differences if not name.startswith("news2")]
    return (
        "## Is the full model worth it?\n\nPaired differences on the same stays. A claim is made only where the "
        "interval leaves out nought.\n\n"
        + table(header, rows)
        + "\n\n"
        + "\n".join(f"- {sentence}" for sentence in sentences)
    )


def _sentence(findings: Findings, name: str) -> str:
    parts = []
    for figure, word in (("auroc", "AUROC"), ("auprc", "AUPRC")):
        found = findings.differences[name][figure]
        if not found.excludes_zero:
            parts.append(f"not told apart in {word}")
        else:
            parts.append(f"{'lower' if found.value < 0 else 'higher'} in {word}")
    return f"Against full, *{findings.of(name).model.title}* is {' and '.join(parts)}."


def _calibration(findings: Findings) -> str:
    names = ("brier", "slope", "intercept", "ece")
    rows = [
        [
            model.model.title,
            *(with_interval(model.figures[name], digits=4 if name in {"brier", "ece"} else 3) for name in names),
        ]
        for model in findings.models
        if model.model.is_probability
    ]
    header = ["Model", "Brier", "Calibration slope (1)", "Calibration intercept (0)", "ECE, 10 equal-mass bins"]
    return (
        "## Calibration\n\n"
        + table(header, rows)
        + "\n\nPlatt scaling, fitted on validation hours and baked into each graph. A rule's points are no "
        f"probability and are not put on this axis.\n\n![Reliability of both tiers]({PLOTS}/calibration.png)"
    )


def _alerts(findings: Findings) -> str:
    rates = [f"at_{rate:.0%}" for rate in FIXED_ALERT_RATES]
    rows = [
        [
            model.model.title,
            *(
                f"{share(model.figures[f'sensitivity_{rate}'].value)} / {share(model.figures[f'ppv_{rate}'].value)}"
                for rate in rates
            ),
            f"{share(model.figures['alert_rate_at_medium'].value)}",
            f"{with_interval(model.figures['sensitivity_at_medium'])}",
            f"{with_interval(model.figures['ppv_at_medium'])}",
        ]
        for model in findings.models
    ]
    header = [
        "Model",
        *(f"sens / PPV at {rate:.0%} alerts" for rate in FIXED_ALERT_RATES),
        "Alert rate at MEDIUM",
        "Sensitivity at MEDIUM",
        "PPV at MEDIUM",
    ]
    budget = ", ".join(f"{name.upper()} {share(rate, 0)}" for name, rate in ALERT_BUDGET.items())
    return (
        "## Alerts\n\n"
        + table(header, rows)
        + f"\n\nEvery model tier has thresholds of its own, chosen on validation so that the same share of "
        f"patient-hours lies at or above each band ({budget}). NEWS2 keeps its published cuts (5 and 7); its plateaus "
        "make an exact rate "
        "impossible, so a fixed rate is met from below. Hour-level sensitivity counts each of the ten positive hours "
        "of a septic stay."
    )


def _switches(findings: Findings) -> str:
    labels = {
        "alert_rate_jump": "Alert-rate jump",
        "kappa": "Band kappa (quadratic)",
        "alert_flips": "Alert flips, of hours",
        "high_flips": "HIGH flips, of HIGH hours",
        "stays_losing_high": "Stays HIGH before, never after",
    }
    rows = [
        [f"{switch.before} to {switch.after}", *(with_interval(switch.figures[name]) for name in labels)]
        for switch in findings.switches
    ]
    low = ", ".join(f"{name} {share(value)}" for name, value in findings.rules_high_models_low.items())
    return (
        "## When the tier changes\n\n"
        + table(["Switch", *labels.values()], rows)
        + "\n\nJump is the relative change of hours at MEDIUM or above. Flips are hours "
        "whose alert appears or vanishes with the switch alone. Calibrated alike does not mean interchangeable: the "
        "band is the only "
        f"quantity that may cross tiers. Of hours with NEWS2 at or above 7 a model says LOW in: {low}; the server "
        "shows the rule's trigger beside "
        "the model's answer in every one of them.\n\n"
        f"![One septic stay as each tier sees it]({PLOTS}/stay.png)"
    )


def _subgroups(findings: Findings) -> str:
    rows = [
        [
            name,
            group.name,
            f"{group.stays:,}",
            with_interval(group.auroc),
            share(group.alert_rate.value),
            with_interval(group.sensitivity),
        ]
        for name, groups in findings.subgroups.items()
        for group in groups
    ]
    header = ["Tier", "Subgroup", "Stays", "AUROC", "Alert rate at MEDIUM", "Sensitivity at MEDIUM"]
    return "## Subgroups\n\n" + table(header, rows)


def _checks(findings: Findings) -> str:
    rows = [
        [name, share(found["any"], 0), share(found["refused"], 0), *(share(found[label], 0) for label in CHECK_LABELS)]
        for name, found in findings.checks.items()
    ]
    header = ["Damage", "Flagged", "Refused", *CHECK_LABELS]
    return (
        "## Input checks\n\nShare of 2,000 test windows flagged (1.0 and above) and refused (3.0 and above) by the "
        "checks inside the graphs. Windows in "
        "which the damaged column was never charted cannot show it.\n\n"
        + table(header, rows)
        + "\n\nThe kinds of damage were chosen with the checks in mind."
    )


def _latency(findings: Findings) -> str:
    rows = [
        [name, batch, f"{found['p10']:.2f}", f"{found['median']:.2f}"]
        for name, batches in findings.latency.items()
        for batch, found in batches.items()
    ]
    return (
        "## Latency\n\nONNX Runtime on one thread, this machine, milliseconds a call.\n\n"
        + table(["Graph", "Batch", "10th percentile", "Median"], rows)
        + "\n\nTimes depend on the machine and its load; the 10th percentile is the better guide on a shared one."
    )


def _limits(findings: Findings) -> str:
    kind = (
        "The simulator's authors also chose the models: its sepsis is the sepsis they had in mind. It has no urine "
        "output, no drugs, no free text, one "
        "onset at most, no readmissions and no charting errors. "
        if findings.simulated
        else ""
    )
    return (
        f"## What this does not show\n\n{kind}One training seed per model. No external validation. No effect on "
        "outcomes. The utility rewards the "
        "challenge's window, not a hospital's. Alerts are counted per hour, without the refractory period a ward would "
        "use."
    )


def _size(findings: Findings, name: str) -> str:
    return f"{findings.bytes[name] / 1e6:.2f} MB" if name in findings.bytes else "rules"


def _signed(found: Interval | None) -> str:
    return "" if found is None else with_interval(found, signed=True, digits=4)


def card_sentences(findings: Findings) -> dict[str, dict[str, str]]:
    """Return what the cards of both tiers say about validity, fairness and alerting."""
    return {name: _card(findings, name) for name in (FULL, DISTILLED)}


def _card(findings: Findings, name: str) -> dict[str, str]:
    figures, groups = findings.of(name).figures, findings.subgroups[name]
    warning = " Simulated stays: not clinical performance." if findings.simulated else ""
    to_other = next(switch for switch in findings.switches if switch.before == name)
    worst, best = min(groups, key=lambda g: g.auroc.value), max(groups, key=lambda g: g.auroc.value)
    return {
        "validity": f"{findings.stays:,} held-out stays, {findings.hours:,} hours. "
        f"AUROC {with_interval(figures['auroc'])}, AUPRC "
        f"{with_interval(figures['auprc'])} at {share(findings.positive_hours / findings.hours, 1)} prevalence, Brier "
        f"{with_interval(figures['brier'], digits=4)}, calibration slope {with_interval(figures['slope'])}, challenge "
        "utility "
        f"{with_interval(figures['utility'])}.{warning}",
        "fairness": f"AUROC lowest for {worst.name} {with_interval(worst.auroc)}, "
        f"highest for {best.name} {with_interval(best.auroc)}; alert rate at "
        f"MEDIUM between {share(min(g.alert_rate.value for g in groups))} and "
        f"{share(max(g.alert_rate.value for g in groups))}.{warning}",
        "alerting": f"Switch from {to_other.before} to {to_other.after}: "
        f"alert-rate jump {with_interval(to_other.figures['alert_rate_jump'])}, band kappa "
        f"{with_interval(to_other.figures['kappa'])}, alert flips {with_interval(to_other.figures['alert_flips'])} of "
        f"hours.{warning}",
    }
