"""Whatever the bytes of a rule set are, it is either refused by name or it scores."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from stepdown.domain.errors import RuleSetError
from stepdown.domain.intake import RuleInputs
from stepdown.rules.known_answers import parse_known_answers
from stepdown.rules.markdown import render_table
from stepdown.rules.rule_set import parse_rule_set
from tests.unit.rules.rule_bundles import NAMES, text

FRAGMENTS = st.sampled_from(
    (b"nan", b"inf", b"-1", b"0", b"1e9", b"true", b'""', b"[]", b"{}", b"\n", b"[[", b"=", b"9")
)


def refusal(parse: Callable[[], object]) -> str | None:
    """The text of the refusal, None where nothing was refused; any other exception fails the test."""
    try:
        parse()
    except RuleSetError as refused:
        return str(refused)
    return None


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_refused_as_a_rule_set_and_as_known_answers(data: bytes) -> None:
    assert refusal(lambda: parse_rule_set(data, rule_set_id="any@1"))
    assert refusal(lambda: parse_known_answers(data))


@given(
    name=st.sampled_from(NAMES),
    at=st.floats(0, 1),
    length=st.integers(0, 40),
    inserted=st.one_of(FRAGMENTS, st.binary(max_size=8)),
)
@settings(max_examples=300)
def test_a_damaged_rule_set_is_refused_or_still_scores_and_renders(
    name: str, at: float, length: int, inserted: bytes
) -> None:
    whole = text(name)
    start = int(at * len(whole))
    damaged = whole[:start] + inserted + whole[start + length :]
    refused = refusal(lambda: parse_rule_set(damaged, rule_set_id=f"{name}@1.0.0"))
    if refused is not None:
        assert refused.startswith(f"{name}@1.0.0: ")
        return
    rule_set = parse_rule_set(damaged, rule_set_id=f"{name}@1.0.0")
    assert not rule_set.score(RuleInputs(parameters={})).complete
    assert render_table(rule_set).endswith("\n")
