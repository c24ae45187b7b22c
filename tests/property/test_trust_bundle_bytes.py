"""The laws of trust: any byte changed is refused, and any bytes at all end in nothing but a refusal."""

from collections.abc import Callable
from functools import cache, partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepdown.domain.errors import TrustError
from stepdown.trust.card import parse_card
from stepdown.trust.certificates import check_chain, check_leaf, parse_certificates
from stepdown.trust.contents import examine_contents
from stepdown.trust.envelope import Envelope, parse_envelope, render_envelope
from stepdown.trust.manifest import parse_manifest
from stepdown.trust.names import check_names, name_problem
from stepdown.trust.policy import TrustPolicy, named_files, parse_trust_policy
from stepdown.trust.statement import parse_statement, render_statement
from stepdown.trust.verification import verify_bundle
from tests.unit.trust.samples import (
    CARD,
    MODEL_MANIFEST,
    NOW_S,
    OFFICER,
    POLICY_HEAD,
    SAFETY,
    TRAINER,
    authority,
    key_files,
    leaf,
    model_contents,
    policy,
    signed,
)

ROOT = authority()
BETWEEN = authority("between", issuer=ROOT)
ANY_OF_THREE = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer", "safety"]\n'


@cache
def good_policy() -> TrustPolicy:
    return policy(TRAINER, OFFICER, SAFETY, ANY_OF_THREE, roots=[ROOT.certificate])


@cache
def good_files() -> dict[str, bytes]:
    """Signed with a key, and with a certificate that an intermediate authority issued."""
    contents = model_contents()
    chain = (leaf(BETWEEN, owner="safety").certificate, BETWEEN.certificate)
    return {
        **signed(contents),
        "signatures/safety.sig": signed(contents, signer="safety", certificates=chain)["signatures/safety.sig"],
    }


def verify(files: dict[str, bytes]) -> None:
    verify_bundle("sepsis-full", "1.0.0", files, good_policy(), NOW_S)


def test_the_bundle_that_is_meddled_with_below_is_good() -> None:
    verify(good_files())


@st.composite
def changes(draw: st.DrawFn, content: bytes) -> bytes:
    """The same bytes with one replaced, left out or put in: never the same again."""
    place = draw(st.integers(0, len(content)))
    if place == len(content) or draw(st.booleans()):
        return content[:place] + draw(st.binary(min_size=1, max_size=3)) + content[place:]
    if draw(st.booleans()):
        return content[:place] + content[place + 1 :]
    return content[:place] + bytes([content[place] ^ draw(st.integers(1, 255))]) + content[place + 1 :]


@given(st.data())
def test_any_byte_of_any_file_changed_is_refused(data: st.DataObject) -> None:
    files = dict(good_files())
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = data.draw(changes(files[name]))
    with pytest.raises(TrustError):
        verify(files)


def test_any_single_byte_of_a_signature_file_changed_is_refused() -> None:
    for name in ("signatures/trainer.sig", "signatures/safety.sig"):
        good = good_files()[name]
        for place in range(0, len(good), 3):
            for value in (good[place] ^ 1, good[place] ^ 32, ord(" "), ord("=")):
                if value != good[place]:
                    changed = good[:place] + bytes([value]) + good[place + 1 :]
                    with pytest.raises(TrustError):
                        verify({**good_files(), name: changed})


@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=64), max_size=5))
def test_any_further_files_are_refused(more: dict[str, bytes]) -> None:
    files = {**good_files(), **more}
    if files != good_files():
        with pytest.raises(TrustError):
            verify(files)


@given(st.sets(st.sampled_from(sorted(model_contents())), min_size=1))
def test_any_files_fewer_are_refused(names: set[str]) -> None:
    with pytest.raises(TrustError):
        verify({name: content for name, content in good_files().items() if name not in names})


@given(st.permutations(sorted(model_contents())))
def test_any_other_order_of_contents_is_refused(order: list[str]) -> None:
    names = sorted(model_contents())
    exchanged = {old: good_files()[new] for old, new in zip(names, order, strict=True)}
    files = {**good_files(), **exchanged}
    if files == good_files():
        verify(files)
    else:
        with pytest.raises(TrustError):
            verify(files)


@given(st.dictionaries(st.text() | st.sampled_from(sorted(good_files())), st.binary(max_size=200), max_size=8))
def test_any_files_at_all_are_refused_and_nothing_else(files: dict[str, bytes]) -> None:
    with pytest.raises(TrustError):
        verify(files)


TOML_LIKE = st.text(alphabet="[]{}=\"'#.,\n -_:0123456789abTZ\\uU\u00e9", max_size=200)
JSON_LIKE = st.text(alphabet='[]{}":,\n -.0123456789eEtruefalsn\\ud\u00e9', max_size=200)


@st.composite
def documents(draw: st.DrawFn, good: bytes) -> bytes:
    """Bytes that are not a document, nearly one, or a damaged one."""
    nearly = st.one_of(TOML_LIKE, JSON_LIKE).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return draw(st.one_of(st.binary(max_size=200), nearly, changes(good)))


def only_refuses(read: Callable[[], object]) -> None:
    """Anything but a TrustError fails the test; what a refusal says can be printed."""
    refused = None
    try:
        read()
    except TrustError as error:
        refused = error
    assert refused is None or (refused.rule.isupper() and refused.detail.isprintable())


@given(st.data())
def test_any_bytes_for_any_document_end_in_nothing_but_a_refusal(data: st.DataObject) -> None:
    signature, statement = good_files()["signatures/trainer.sig"], render_statement("x", {"a": "0" * 64})
    policy_text = (POLICY_HEAD + TRAINER + SAFETY + ANY_OF_THREE).encode()
    files = model_contents()
    name = data.draw(st.sampled_from(sorted(files)))
    for read, good in (
        (parse_manifest, MODEL_MANIFEST.encode()),
        (parse_card, CARD.encode()),
        (partial(parse_envelope, what="x"), signature),
        (partial(parse_statement, what="x"), statement),
        (named_files, policy_text),
        (lambda text: parse_trust_policy(text, key_files([ROOT.certificate])), policy_text),
        (lambda text: examine_contents({**files, name: text}), files[name]),
    ):
        only_refuses(partial(read, data.draw(documents(good))))


@given(st.data())
def test_any_bytes_for_a_certificate_end_in_nothing_but_a_refusal(data: st.DataObject) -> None:
    good = parse_envelope(good_files()["signatures/safety.sig"], what="x").certificates
    place = data.draw(st.integers(0, len(good) - 1))
    der = (*good[:place], data.draw(changes(good[place]) | st.binary()), *good[place + 1 :])

    def read() -> None:
        chain = parse_certificates(der, what="x")
        check_leaf(chain[0], now_s=NOW_S, what="x")
        check_chain(chain, roots=(ROOT.certificate,), now_s=NOW_S, what="x")

    with pytest.raises(TrustError):
        read()


@given(st.binary(), st.binary(), st.text(alphabet="0123456789abcdef"), st.lists(st.binary(), max_size=8))
def test_an_envelope_that_is_written_is_read(
    payload: bytes, signature: bytes, hint: str, certificates: list[bytes]
) -> None:
    envelope = Envelope(
        payload=payload,
        signature=signature,
        key_hint="" if certificates else hint,
        certificates=tuple(certificates),
    )
    assert parse_envelope(render_envelope(envelope), what="x") == envelope


@given(st.lists(st.text(alphabet="aAb/.\\ ", min_size=1, max_size=6), max_size=6))
def test_names_that_are_accepted_together_are_apart_on_any_file_system(names: list[str]) -> None:
    try:
        check_names(names)
    except TrustError:
        return
    assert all(name_problem(name) is None for name in names)
    folded = {name.casefold() for name in names}
    assert len(folded) == len(names)
    assert not any(other.startswith(name + "/") for name in folded for other in folded)
