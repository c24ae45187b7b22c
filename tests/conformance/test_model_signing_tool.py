"""The public `model_signing` tool and this server: each accepts what the other signed, and its gaps are closed."""

import base64
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.domain.errors import TrustError
from stepdown.trust.envelope import Envelope, parse_envelope, render_envelope
from stepdown.trust.policy import TrustPolicy, parse_trust_policy, policy_of_one_key
from stepdown.trust.public_keys import key_hint
from stepdown.trust.signing import sign_files
from stepdown.trust.verification import verify_bundle
from tests.conformance.model_signing_desk import Desk, PublicTool
from tests.unit.trust.samples import (
    ANY_BY_SAFETY,
    DAY,
    OFFICER,
    POLICY_HEAD,
    SAFETY,
    TRAINER,
    Issued,
    SampleKey,
    authority,
    key,
    key_files,
    leaf,
    rules_contents,
)

CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
# These certificates are verified by programs that read the real clock.
TODAY = datetime.now(UTC).replace(microsecond=0)
SINCE, UNTIL = TODAY - DAY, TODAY + 365 * DAY
LONG_AGO = TODAY - 5 * 365 * DAY


@pytest.fixture(scope="module")
def public_tool(peers_python: Path) -> Iterator[PublicTool]:
    tool = PublicTool(peers_python)
    yield tool
    tool.close()


@pytest.fixture
def desk(public_tool: PublicTool, tmp_path: Path) -> Desk:
    desk = Desk(public_tool=public_tool, folder=tmp_path)
    desk.lay_out()
    return desk


def only(signer: SampleKey) -> TrustPolicy:
    return policy_of_one_key("signer", signer.public_key)


def under(root: Issued) -> TrustPolicy:
    files = {"root.pem": root.certificate.public_bytes(Encoding.PEM)}
    return parse_trust_policy((POLICY_HEAD + SAFETY + ANY_BY_SAFETY).encode(), files)


@pytest.mark.parametrize("curve", CURVES)
def test_each_accepts_the_other_s_signature_by_a_key(desk: Desk, curve: type[ec.EllipticCurve]) -> None:
    signer = key("conformance", curve)
    desk.signature.write_bytes(sign_files(rules_contents(), signer))
    assert desk.tool_verifies(signer)
    desk.tool_signs(signer)
    assert [identity.name for identity in desk.we_verify(only(signer)).signers] == ["signer"]


def test_each_accepts_the_other_s_signature_by_a_certificate(desk: Desk) -> None:
    root = authority(start=SINCE, end=UNTIL)
    between = authority("between", issuer=root, start=SINCE, end=UNTIL)
    signer = leaf(between, start=SINCE, end=UNTIL)
    chain = (signer.certificate, between.certificate)
    desk.signature.write_bytes(sign_files(rules_contents(), signer.key, certificates=chain))
    assert desk.tool_verifies_certificate(root)
    certificates = ("--signing_certificate", desk.certificate_file(signer))
    desk.tool_signs(signer.key, *certificates, "--certificate_chain", desk.certificate_file(between))
    assert [identity.name for identity in desk.we_verify(under(root)).signers] == ["safety"]


def test_a_second_signature_by_the_tool_may_also_cover_the_first(desk: Desk) -> None:
    """Left to itself the tool signs whatever lies in the folder, the first signer's file included."""
    officer = key("officer")
    first = desk.signature.with_name("first.sig")
    first.write_bytes(sign_files(rules_contents(), key()))
    private_pem = officer.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert desk.tool("sign", "key", "--private_key", desk.file("key.pem", private_pem))
    two = '[[bundle]]\nnames = ["*"]\nsigners = ["trainer", "officer"]\nminimum_signers = 2\n'
    policy = parse_trust_policy((POLICY_HEAD + TRAINER + OFFICER + two).encode(), key_files())
    assert [identity.name for identity in desk.we_verify(policy).signers] == ["trainer", "officer"]
    first.write_bytes(sign_files(rules_contents(), key()))
    assert desk.we_refuse(policy) == "FILE_CHANGED"


def change(desk: Desk) -> None:
    (desk.bundle / "rules.toml").write_bytes(b"# bandt\n")


def add(desk: Desk) -> None:
    (desk.bundle / "notes.txt").touch()


def remove(desk: Desk) -> None:
    (desk.bundle / "rules.toml").unlink()


def rename(desk: Desk) -> None:
    (desk.bundle / "rules.toml").rename(desk.bundle / "rules2.toml")


@pytest.mark.parametrize(
    ("meddle", "rule"),
    [(change, "FILE_CHANGED"), (add, "FILE_ADDED"), (remove, "FILE_REMOVED"), (rename, "FILE_RENAMED")],
)
def test_both_refuse_a_bundle_that_was_meddled_with(desk: Desk, meddle: Callable[[Desk], None], rule: str) -> None:
    desk.signature.write_bytes(sign_files(rules_contents(), key()))
    meddle(desk)
    assert not desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == rule


def test_files_that_version_control_hides_are_files(desk: Desk) -> None:
    desk.tool_signs(key())
    (desk.bundle / ".gitattributes").write_text("* filter=run")
    assert desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == "FILE_ADDED"


def test_the_signer_does_not_choose_what_is_ignored(desk: Desk) -> None:
    extra = desk.bundle / "extra.bin"
    extra.touch()
    desk.tool_signs(key(), "--ignore-paths", str(extra))
    assert desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == "FILE_ADDED"


def test_a_bundle_in_another_s_place_is_not_that_bundle(desk: Desk) -> None:
    desk.tool_signs(key())
    desk.bundle.rename(desk.bundle.with_name("1.3.0"))
    files = BundleDirectory(roots=(desk.folder / "shelf",)).read("news2", "1.3.0")
    with pytest.raises(TrustError, match="VERSION_MISMATCH"):
        verify_bundle("news2", "1.3.0", files, only(key()), time.time())


def test_an_empty_folder_is_noticed(desk: Desk) -> None:
    desk.tool_signs(key())
    (desk.bundle / "empty").mkdir()
    assert desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == "EMPTY_DIRECTORY"


def expired(root: Issued) -> Issued:
    return leaf(root, start=LONG_AGO, end=TODAY - DAY)


def serving(root: Issued) -> Issued:
    names = (x509.UniformResourceIdentifier("spiffe://hospital.example/safety"),)
    return leaf(root, start=SINCE, end=UNTIL, purposes=(ExtendedKeyUsageOID.SERVER_AUTH,), names=names)


def somebody_else(root: Issued) -> Issued:
    return leaf(
        root, start=SINCE, end=UNTIL, names=(x509.UniformResourceIdentifier("spiffe://hospital.example/kitchen"),)
    )


@pytest.mark.parametrize(
    ("issue", "rule"),
    [
        (expired, "CERTIFICATE_EXPIRED"),
        (serving, "CERTIFICATE_PURPOSE"),
        (somebody_else, "CERTIFICATE_IDENTITY"),
    ],
)
def test_certificates_the_tool_does_not_look_at_closely_are_refused(
    desk: Desk, issue: Callable[[Issued], Issued], rule: str
) -> None:
    root = authority(start=LONG_AGO, end=UNTIL)
    signer = issue(root)
    desk.tool_signs(
        signer.key,
        "--signing_certificate",
        desk.certificate_file(signer),
        "--certificate_chain",
        desk.certificate_file(root),
    )
    assert desk.tool_verifies_certificate(root)
    assert desk.we_refuse(under(root)) == rule


def test_one_envelope_holds_one_signature(desk: Desk) -> None:
    document = json.loads(sign_files(rules_contents(), key()))
    document["dsseEnvelope"]["signatures"].append({"sig": "AAAA", "keyid": ""})
    desk.signature.write_text(json.dumps(document, separators=(",", ":")))
    assert desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == "SIGNATURE_MALFORMED"


def test_the_older_predicate_is_not_read(desk: Desk) -> None:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in rules_contents().items()}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()],
        "predicateType": "https://model_signing/Digests/v0.1",
        "predicate": {"unused": "Unused"},
    }
    envelope = Envelope(payload=json.dumps(statement).encode(), signature=b"", key_hint=key_hint(key().public_key))
    signature = key().sign(envelope.signed_bytes)
    desk.signature.write_bytes(render_envelope(dataclasses.replace(envelope, signature=signature)))
    assert desk.tool_verifies(key(), "--ignore-paths", str(desk.signature))
    assert desk.we_refuse(only(key())) == "SIGNATURE_FORMAT_UNSUPPORTED"


def test_the_encoding_of_before_1_0_is_not_accepted(desk: Desk) -> None:
    envelope = parse_envelope(sign_files(rules_contents(), key()), what="x")
    payload_type = "application/vnd.in-toto+json"
    encoded = f"DSSEV1 {len(payload_type)} {payload_type} {len(envelope.payload)} {envelope.payload!r}".encode()
    forged = dataclasses.replace(envelope, signature=key().sign(encoded))
    desk.signature.write_bytes(render_envelope(forged))
    assert desk.tool_verifies(key())
    assert desk.we_refuse(only(key())) == "SIGNATURE_INVALID"


def test_our_signature_file_is_written_as_the_tool_writes_its_own(desk: Desk) -> None:
    desk.tool_signs(key())
    theirs = json.loads(desk.signature.read_bytes())
    ours = json.loads(sign_files(rules_contents(), key(), subject="1.2.0"))
    assert _shape(ours) == _shape(theirs)
    assert ours["verificationMaterial"] == theirs["verificationMaterial"]
    our_statement, their_statement = (
        json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])) for document in (ours, theirs)
    )
    assert our_statement["subject"] == their_statement["subject"]
    assert our_statement["predicate"]["resources"] == their_statement["predicate"]["resources"]


def _shape(value: object) -> object:
    """The members of a document without their values."""
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else None


def test_a_signature_that_says_when_it_was_made_is_accepted_by_the_tool_as_well(desk: Desk) -> None:
    desk.signature.write_bytes(sign_files(rules_contents(), key(), signed_time_s=time.time()))
    assert desk.tool_verifies(key())
    assert desk.we_verify(only(key())).signers


def test_a_certificate_that_was_revoked_is_refused_although_the_tool_knows_no_revocation(desk: Desk) -> None:
    root = authority(start=SINCE, end=UNTIL)
    signer = leaf(root, start=SINCE, end=UNTIL)
    desk.signature.write_bytes(sign_files(rules_contents(), signer.key, certificates=(signer.certificate,)))
    assert desk.tool_verifies_certificate(root)
    assert desk.we_verify(under(root)).signers
    serial = f"{signer.certificate.serial_number:x}"
    denied = f'[[denylist.certificates]]\nissuer = "CN=root"\nserial = "{serial}"\n'
    files = {"root.pem": root.certificate.public_bytes(Encoding.PEM)}
    policy = parse_trust_policy((POLICY_HEAD + SAFETY + ANY_BY_SAFETY + denied).encode(), files)
    assert desk.we_refuse(policy) == "CERTIFICATE_DENIED"
