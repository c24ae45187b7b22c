"""The rule sets of this repository, and inputs as intake would hand them over."""

from functools import cache
from pathlib import Path

from stepdown.domain.intake import InputStatus, RuleInput, RuleInputs
from stepdown.rules.composite import Composite
from stepdown.rules.rule_set import RuleSet, parse_rule_set

ROOT = Path(__file__).resolve().parents[3]
FALLBACK_RULES = ROOT / "fallback_rules"
VERSION = "1.0.0"
NAMES = ("news2", "qsofa", "sirs", "mews", "shock-index", "lactate")
CHANNELS = (
    "Resp",
    "O2Sat",
    "SupplementalOxygen",
    "SBP",
    "HR",
    "Consciousness",
    "Temp",
    "Lactate",
    "GCS",
    "PaCO2",
    "WBC",
    "Bands",
)
Reading = float | str | RuleInput | None
MISSING = RuleInput(value=None, status=InputStatus.MISSING)
STALE = RuleInput(value=None, status=InputStatus.STALE, observed_time_s=0.0)


def text(name: str) -> bytes:
    """The bytes of a rule set."""
    return (FALLBACK_RULES / name / VERSION / "rules.toml").read_bytes()


@cache
def rule_set(name: str) -> RuleSet:
    """A rule set, compiled."""
    return parse_rule_set(text(name), rule_set_id=f"{name}@{VERSION}")


@cache
def composite() -> Composite:
    """What the rules tier answers with."""
    return Composite(
        answering=rule_set("news2"),
        lactate=rule_set("lactate"),
        supporting=tuple(rule_set(name) for name in ("qsofa", "sirs", "mews", "shock-index")),
    )


def given(spo2_scale: int = 1, /, **readings: Reading) -> RuleInputs:
    """Every channel, missing unless named; plain values were read at time 0."""
    parameters = dict.fromkeys(CHANNELS, MISSING)
    for channel, reading in readings.items():
        if isinstance(reading, RuleInput):
            parameters[channel] = reading
        elif reading is not None:
            parameters[channel] = RuleInput(value=reading, observed_time_s=0.0)
    return RuleInputs(parameters=parameters, spo2_scale=spo2_scale)
