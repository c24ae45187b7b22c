"""Every rule bundle gives its known answers, its known answers try every clause, and it agrees with intake on units."""

from pathlib import Path

import pytest

from stepdown.clinical.channels import CHANNELS
from stepdown.domain.bundles import BundleKind
from stepdown.rules.document import SumDocument
from stepdown.rules.known_answers import KnownAnswer, parse_known_answers, require_known_answers
from stepdown.rules.rule_set import RuleSet, parse_rule_set
from stepdown.trust.contents import examine_contents

FALLBACK_RULES = Path(__file__).resolve().parents[2] / "fallback_rules"
BUNDLES = sorted(rules.parent for rules in FALLBACK_RULES.glob("*/*/rules.toml"))
NAMES = [f"{bundle.parent.name}@{bundle.name}" for bundle in BUNDLES]


def compiled(bundle: Path) -> RuleSet:
    return parse_rule_set((bundle / "rules.toml").read_bytes(), rule_set_id=f"{bundle.parent.name}@{bundle.name}")


def answers(bundle: Path) -> tuple[KnownAnswer, ...]:
    return parse_known_answers((bundle / "known_answers.json").read_bytes())


def channels(rule_set: RuleSet) -> dict[str, tuple[str, str]]:
    """Unit and charting resolution by channel, as the rules state them."""
    document = rule_set.document
    if isinstance(document, SumDocument):
        readings = [reading for parameter in document.parameter for reading in parameter.reading]
        return {one.channel: (one.unit, "" if one.resolution is None else str(one.resolution)) for one in readings}
    return {one.channel: (one.unit, "1") for one in (document.quotient.numerator, document.quotient.denominator)}


def test_the_six_published_rule_sets_are_here() -> None:
    assert {bundle.parent.name for bundle in BUNDLES} >= {"news2", "qsofa", "sirs", "mews", "shock-index", "lactate"}


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_a_rule_bundle_gives_every_known_answer(bundle: Path) -> None:
    require_known_answers(compiled(bundle), (bundle / "known_answers.json").read_bytes())


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_the_known_answers_try_every_row_in_every_number_of_points(bundle: Path) -> None:
    document = compiled(bundle).document
    parameters = document.parameter if isinstance(document, SumDocument) else ()  # a quotient earns no points
    tried = {pair for answer in answers(bundle) for pair in answer.expected.points.items()}
    wanted = {
        (parameter.reading[0].channel, points)
        for parameter in parameters
        for table in parameter.reading[0].table
        for points in table.attainable
    }
    assert wanted - tried == set()


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_the_known_answers_try_every_verdict(bundle: Path) -> None:
    document = compiled(bundle).document
    words = {outcome.classification for outcome in document.outcome} | {document.undetermined.classification}
    if isinstance(document, SumDocument) and document.single_parameter is not None:
        words.add(document.single_parameter.classification)
    assert words - {answer.expected.classification for answer in answers(bundle)} == set()


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_no_two_known_answers_have_one_name(bundle: Path) -> None:
    names = [answer.name for answer in answers(bundle)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_a_rule_bundle_is_complete_and_says_it_holds_rules(bundle: Path) -> None:
    manifest = examine_contents({path.name: path.read_bytes() for path in bundle.iterdir() if path.is_file()})
    assert (manifest.kind, manifest.rules_file) == (BundleKind.RULES, "rules.toml")
    assert (manifest.name, manifest.version) == (bundle.parent.name, bundle.name)


@pytest.mark.parametrize("bundle", BUNDLES, ids=NAMES)
def test_rules_and_intake_agree_on_units_and_charting(bundle: Path) -> None:
    """Intake hands over its canonical unit: another one in the rules would be a silent error of scale."""
    for channel, (unit, resolution) in channels(compiled(bundle)).items():
        known = CHANNELS[channel]
        assert unit == ("" if known.answers else known.unit), channel
        if known.resolution is not None:
            assert str(known.resolution) == resolution, channel
