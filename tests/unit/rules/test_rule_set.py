"""A rule set is refused with every fault named, and compiled into something that nothing can change."""

from dataclasses import FrozenInstanceError

import pytest

from stepdown.domain.bands import Band
from stepdown.domain.errors import RuleSetError
from stepdown.rules.rule_set import RuleSet, parse_rule_set
from tests.unit.rules.rule_bundles import given, rule_set, text
from tests.unit.rules.rule_text import QUOTIENT, SUM, replaced


def sample(text: bytes) -> RuleSet:
    return parse_rule_set(text, rule_set_id="sample@1.2.3")


def refusal(text: bytes, rule_set_id: str = "sample@1.2.3") -> str:
    with pytest.raises(RuleSetError) as refused:
        parse_rule_set(text, rule_set_id=rule_set_id)
    return str(refused.value)


def test_the_samples_that_the_refusals_break_are_sound() -> None:
    assert sample(SUM.encode()).rule_set_id == "sample@1.2.3"
    assert parse_rule_set(QUOTIENT.encode(), rule_set_id="ratio@1").rule_set_id == "ratio@1"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        # the grammar
        ('schema = "stepdown/rules/v1"', 'schema = "stepdown/rules/v2"', "schema: Input should be"),
        ('kind = "sum"', 'kind = "product"', "document: Input tag 'product'"),
        ('kind = "sum"', "", "document: Unable to extract tag"),
        ('title = "Sample score"', "", "title: Field required"),
        ('title = "Sample score"', 'title = ""', "title: String should have at least 1 character"),
        ('title = "Sample score"', 'title = "two\\nlines"', "title: must be one line of printable text"),
        ('title = "Sample score"', "title = 7", "title: Input should be a valid string"),
        ('scope_limits = ["Not for use."]', "scope_limits = []", "scope_limits: must not be empty"),
        ('purpose = "Shows', 'colour = "red"\npurpose = "Shows', "colour: Extra inputs are not permitted"),
        ('unit = "%"', 'unit = "%"\nlimit = 3', "parameter.0.reading.0.limit: Extra inputs are not permitted"),
        ('id = "sample"', 'id = "Sample"', "id: String should match pattern"),
        ('channel = "GCS"', 'channel = "gcs"', "parameter.2.reading.1.channel: String should match pattern"),
        ('authors = "A", ', "", "source.authors: Field required"),
        # numbers
        ("at_most = 91", "at_most = nan", "parameter.0.reading.0.table.0.bands.0.at_most: must be a number"),
        ("at_most = 91", "at_most = inf", "at_most: must be a number within"),
        ("at_most = 91", 'at_most = "91"', "at_most: must be a number within"),
        ("at_most = 91", "at_most = true", "at_most: must be a number within"),
        ("at_most = 91", "at_most = 1e9", "at_most: must be a number within"),
        ("at_most = 91", "at_most = 1e9999999", "at_most: must be a number within"),
        ("at_most = 91", "at_most = 91.0000001", "at_most: must have at most 6 decimals"),
        ("points = 3 }, { at_least = 92", "points = 3.0 }, { at_least = 92", "points: Input should be a valid integer"),
        ("points = 3 }, { at_least = 92", "points = -1 }, { at_least = 92", "points: Input should be greater than"),
        (
            "points = 3 }, { at_least = 92",
            "points = true }, { at_least = 92",
            "points: Input should be a valid integer",
        ),
        ("resolution = 1", "resolution = 0", "parameter.0.reading.0.resolution: Input should be greater than 0"),
        ("spo2_scale = 1", "spo2_scale = 3", "spo2_scale: Input should be 1 or 2"),
        # cover
        ("at_least = 92, points = 0", "at_least = 93, points = 0", "gap between ≤91 and ≥93"),
        ("at_least = 92, points = 0", "at_least = 91, points = 0", "overlap: ≤91 and ≥91"),
        ("at_least = 92, points = 0", "at_least = 92, at_most = 100, points = 0", "nothing covers what lies above"),
        ("at_most = 91, points = 3", "at_least = 50, at_most = 91, points = 3", "nothing covers what lies below"),
        ("at_least = 88, at_most = 92", "at_least = 92, at_most = 88", "edges do not rise: 92-88 holds no value"),
        ("at_most = 91, points", "at_most = 91.5, points", "91.5 is not a multiple of the charting resolution 1"),
        ("{ at_most = 91, points", "{ at_most = 91, below = 92, points", "names two lower or two upper ends"),
        ("{ at_least = 92, points", "{ at_least = 92, above = 91, points", "names two lower or two upper ends"),
        # codes
        ("A = 0, V = 1", "A = 0", "must together name each of A C V P U once"),
        ('C = "the source', 'V = "the source', "must together name each of A C V P U once"),
        ("A = 0, V = 1", "A = 0, X = 1", "must together name each of A C V P U once"),
        ("codes = {", "bands = [{ points = 0 }]\ncodes = {", "needs either bands or codes"),
        (
            "spo2_scale = 1\nbands = [{ at_most = 91, points = 3 }, { at_least = 92, points = 0 }]",
            "spo2_scale = 1",
            "needs either bands or codes",
        ),
        ('given = "air"\n', 'given = "air"\nunscored = { C = "why" }\n', "only a table of codes has unscored codes"),
        # what counts when missing
        (
            "missing = { minimum = 0, maximum = 3 }",
            "missing = { minimum = 0, maximum = 2 }",
            "missing counts 0..2, but O2Sat can earn 0..3",
        ),
        (
            "missing = { minimum = 0, maximum = 3 }",
            "missing = { minimum = 1, maximum = 3 }",
            "missing counts 1..3, but O2Sat can earn 0..3",
        ),
        ("missing = { minimum = 0, maximum = 3 }", "", "parameter.0.missing: Field required"),
        ("below = 15, points = 3", "below = 15, points = 2", "missing counts 0..3, but GCS can earn 0..2"),
        # combination
        ('combine = "first-present"', "", "combine is needed with several readings"),
        ('title = "Oxygen"', 'title = "Oxygen"\ncombine = "highest"', "combine is needed with several readings"),
        ('unit = "{score}"', 'unit = "{score}"\ndepends_on = "SupplementalOxygen"', "must stand alone"),
        ('channel = "GCS"', 'channel = "O2Sat"', "O2Sat is read by more than one row"),
        # dependence
        ('depends_on = "SupplementalOxygen"', 'depends_on = "HR"', "depends_on: HR is no parameter's first reading"),
        ('depends_on = "SupplementalOxygen"', "", "O2Sat: exactly one table must apply on SpO2 scale 2"),
        (
            'depends_on = "SupplementalOxygen"',
            'depends_on = "Consciousness"',
            "Consciousness can select tables only by one table",
        ),
        ('depends_on = "SupplementalOxygen"', 'depends_on = "O2Sat"', "O2Sat can select tables only by one table"),
        (
            'label = "air", ',
            "",
            "SupplementalOxygen can select tables only by one table of bands, each with its own label",
        ),
        ('label = "air"', 'label = "oxygen"', "SupplementalOxygen can select tables only by one table"),
        (
            'given = "air"',
            'given = "water"',
            "O2Sat: exactly one table must apply on SpO2 scale 2 to each of air, oxygen",
        ),
        ('given = "air"\n', "", "O2Sat: exactly one table must apply on SpO2 scale 2 to each of air, oxygen"),
        ("spo2_scale = 1\n", "", "O2Sat: tables must name every SpO2 scale or none"),
        ("spo2_scale = 1\n", "spo2_scale = 2\n", "O2Sat: tables must name every SpO2 scale or none"),
        # citations and names
        ('id = "sample"', 'id = "other"', "id: other does not match the bundle name sample"),
        ('key = "table-1"', 'key = "table-2"', "cites: no citation has the key table-1"),
        ('key = "overlay"', 'key = "table-1"', "citation: table-1 is given more than once"),
        ('cites = ["table-1"]\nmissing', "cites = []\nmissing", "parameter.0.cites: must not be empty"),
        ('cites = ["table-1"]\nmissing', "missing", "parameter.0.cites: Field required"),
        ('response = "Wait."\ncites = ["table-1"]', 'response = "Wait."', "outcome.0.cites: Field required"),
        ('cites = ["overlay"]', 'cites = ["nowhere"]', "cites: no citation has the key nowhere"),
        (
            'citation = [{ key = "table-1", text = "Table 1" }, { key = "overlay", text = "Overlay" }]',
            "citation = []",
            "citation: must not be empty",
        ),
        # verdicts
        ("at_least = 5\nat_most = 6", "at_least = 6\nat_most = 6", "totals 6-6 leave a gap or overlap; 5 comes next"),
        ("at_least = 5\nat_most = 6", "at_least = 4\nat_most = 6", "totals 4-6 leave a gap or overlap; 5 comes next"),
        ("at_least = 5\nat_most = 6", "at_least = 5\nat_most = 4", "totals 5-4 leave a gap or overlap"),
        ("at_least = 7\nat_most = 8", "at_least = 7\nat_most = 9", "totals end at 9, but 8 can be earned"),
        ("at_least = 0\nat_most = 4", "at_least = 1\nat_most = 4", "totals 1-4 leave a gap or overlap; 0 comes next"),
        ('band = "MEDIUM"', 'band = "LOW"', "band LOW has several classifications"),
        ('band = "LOW"\n', 'band = "HIGH"\n', "the band falls from HIGH to MEDIUM"),
        ('band = "LOW"\n', 'band = "INDETERMINATE"\n', "outcome.0.band: Input should be"),
        (
            'classification = "open"',
            'classification = "low"',
            "undetermined: the classification is also that of a verdict",
        ),
        # the rule on single parameters
        ("points = 3\ntotal_at_least = 3", "points = 4\ntotal_at_least = 4", "no parameter can earn so many points"),
        ("total_at_least = 3\ntotal_at_most = 4", "total_at_least = 4\ntotal_at_most = 3", "the totals do not rise"),
        ("total_at_least = 3\ntotal_at_most = 4", "total_at_least = 3\ntotal_at_most = 9", "cannot be reached"),
        ("total_at_least = 3\ntotal_at_most = 4", "total_at_least = 2\ntotal_at_most = 4", "cannot be reached"),
        ("total_at_most = 4", "total_at_most = 5", "would lower MEDIUM of totals 5-6"),
        # overlays and the hard trigger
        ("total_at_least = 5\nband", "total_at_least = 9\nband", "lactate asks for a total that cannot be earned"),
        (
            'total_at_least = 5\nband = "HIGH"',
            'total_at_least = 5\nband = "MEDIUM"',
            "overlay.0.band: Input should be 'HIGH'",
        ),
        ("hard_trigger_total = 7", "hard_trigger_total = 6", "every total from there on must be HIGH"),
        ("hard_trigger_total = 7", "hard_trigger_total = 9", "every total from there on must be HIGH"),
    ],
)
def test_a_broken_clause_is_refused_by_name(old: str, new: str, fault: str) -> None:
    assert fault in refusal(replaced(SUM, old, new))


def test_an_overlay_needs_an_outcome_that_says_what_to_do_for_high() -> None:
    text = SUM.replace("hard_trigger_total = 7\n", "").replace(
        'band = "HIGH"\nclassification = "high"', 'band = "MEDIUM"\nclassification = "medium"'
    )
    assert "overlay: no outcome says what to do for band HIGH" in refusal(text.encode())


def test_an_overlay_is_given_once() -> None:
    overlay = SUM[SUM.index("[[overlay]]") :]
    assert "overlay: lactate raised is given more than once" in refusal(f"{SUM}\n{overlay}".encode())


def test_the_response_to_a_raised_band_is_that_of_its_lowest_outcome() -> None:
    split = SUM.replace("at_least = 7\nat_most = 8", "at_least = 7\nat_most = 7") + (
        '[[outcome]]\nat_least = 8\nat_most = 8\nband = "HIGH"\nclassification = "high"\n'
        'response = "Act faster."\ncites = ["table-1"]\n'
    )
    responses = [sample(split.encode()).response(Band.HIGH, maximum_total=total) for total in (5, 7, 8)]
    assert responses == ["Act.", "Act.", "Act faster."]


def test_only_one_channel_can_select_tables() -> None:
    parameter = SUM[SUM.index('[[parameter]]\ntitle = "Saturation"') : SUM.index('[[parameter]]\ntitle = "Oxygen"')]
    other = parameter.replace("O2Sat", "Temp").replace('"SupplementalOxygen"', '"HR"')
    assert "only one channel can select tables, not HR and SupplementalOxygen" in refusal(
        SUM.replace('[[parameter]]\ntitle = "Oxygen"', f'{other}[[parameter]]\ntitle = "Oxygen"').encode()
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("above = 0.5", "above = 0.6", "gap between ≤0.5 and >0.6"),
        ("above = 0.5", "at_least = 0.5", "overlap: ≤0.5 and ≥0.5"),
        ("above = 0.5", "above = 0.5\nbelow = 9", "nothing covers what lies above"),
        ('channel = "SBP"', 'channel = "HR"', "numerator and denominator are the same channel"),
        ("maximum_apart_s = 60", "maximum_apart_s = 0", "quotient.maximum_apart_s: Input should be greater than 0"),
        ("maximum_apart_s = 60\n", "", "quotient.maximum_apart_s: Field required"),
        ('cites = ["table-1"]\n\n[[outcome]]', 'cites = ["nowhere"]\n\n[[outcome]]', "no citation has the key nowhere"),
    ],
)
def test_a_broken_quotient_is_refused_by_name(old: str, new: str, fault: str) -> None:
    assert fault in refusal(replaced(QUOTIENT, old, new), "ratio@1")


def test_every_fault_is_named_at_once() -> None:
    text = SUM.replace("at_least = 92, points = 0", "at_least = 93, points = 0").replace(
        'title = "Oxygen"', "title = 7"
    )
    text = text.replace("[[overlay]]", '[[overlay]]\nnote = "x"')
    lines = refusal(text.encode()).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["sample@1.2.3"] * 3
    assert ["gap between" in "".join(lines), "title: Input" in "".join(lines), "note: Extra" in "".join(lines)] == [
        True
    ] * 3


def test_every_law_between_tables_is_checked_at_once() -> None:
    text = SUM.replace('id = "sample"', 'id = "other"').replace(
        "at_least = 7\nat_most = 8", "at_least = 7\nat_most = 9"
    )
    assert len(refusal(text.encode()).splitlines()) == 2


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"= 1", b"a = 1\na = 2", b"x = 1e99999999999999999999", b"x = " + b"[" * 5000]
)
def test_what_is_not_a_document_is_refused(text: bytes) -> None:
    assert refusal(text).startswith("sample@1.2.3: ")


def test_a_rule_set_cannot_be_changed() -> None:
    news2 = rule_set("news2")
    with pytest.raises(FrozenInstanceError):
        news2.rule_set_id = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        news2.rule.rule_set_id = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        news2.document.title = "other"


@pytest.mark.parametrize("scale", [0, 3, -1])
def test_a_scale_that_does_not_exist_is_refused(scale: int) -> None:
    with pytest.raises(ValueError, match="the SpO2 scale is 1 or 2"):
        rule_set("news2").score(given(scale))


@pytest.mark.parametrize(
    ("band", "maximum_total", "expected"),
    [
        (Band.LOW, 0, "at least every 12 hours"),
        (Band.LOW, 1, "every 4 to 6 hours"),
        (Band.LOW, 4, "every 4 to 6 hours"),
        (Band.LOW_MEDIUM, 3, "informs the medical team"),
        (Band.MEDIUM, 6, "Urgent response"),
        (Band.HIGH, 7, "Emergency response"),
        (Band.HIGH, 5, "Emergency response"),
        (Band.INDETERMINATE, 9, "No band can be given"),
    ],
)
def test_the_response_is_that_of_the_band_and_of_the_highest_total_within_reach(
    band: Band, maximum_total: int, expected: str
) -> None:
    assert expected in rule_set("news2").response(band, maximum_total=maximum_total)


def test_a_variant_of_mews_may_score_new_confusion_if_it_says_so() -> None:
    variant_text = (
        text("mews")
        .decode()
        .replace('id = "mews"', 'id = "mews-confusion"')
        .replace("codes = { A = 0, V = 1, P = 2, U = 3 }", "codes = { A = 0, C = 1, V = 1, P = 2, U = 3 }")
        .replace('unscored = { C = "new confusion is not in Subbe 2001" }\n', "")
    )
    variant = parse_rule_set(variant_text.encode(), rule_set_id="mews-confusion@1.0.0")
    assert variant.score(given(SBP=120.0, HR=75.0, Resp=16.0, Temp=37.0, Consciousness="C")).total == 2
