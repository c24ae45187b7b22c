"""The signature file: a sigstore bundle v0.3 in JSON, holding a DSSE envelope with one signature.

Only the text a JSON writer would produce again is read (compact, spaced or indented), so that no byte of the file can
change unnoticed although the outer layer is not itself signed. Transparency-log entries, time stamps and further
signatures are refused rather than skipped: nothing is carried that nobody checks. Refuses to judge who signed.

Formats: sigstore `sigstore_bundle.proto` 0.3; DSSE v1.0.2 <https://github.com/secure-systems-lab/dsse>.
"""

import base64
import json
from dataclasses import dataclass

from stepdown.domain.errors import TrustError
from stepdown.trust.documents import decode_base64, parse_json
from stepdown.trust.members import Members
from stepdown.trust.refusal import TrustRule

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAXIMUM_BYTES = 4 * 1024 * 1024
MAXIMUM_CERTIFICATES = 8

_RULE = TrustRule.SIGNATURE_MALFORMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a signature file says, nothing of it believed yet.

    Either `certificates` (DER, leaf first) or a public key that the verifier must already hold; `key_hint` then is the
    hex sha256 of its PEM text, or empty.
    """

    payload: bytes
    signature: bytes
    key_hint: str = ""
    certificates: tuple[bytes, ...] = ()

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over: DSSE's pre-authentication encoding of type and payload."""
        return pre_authentication_encoding(self.payload)


def pre_authentication_encoding(payload: bytes) -> bytes:
    """DSSE PAE of an in-toto payload: type and body, each with its length, so that neither can flow into the other."""
    payload_type = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(payload), payload)


def parse_envelope(text: bytes, *, what: str) -> Envelope:
    """Read a signature file called `what`.

    Raises: TrustError SIGNATURE_MALFORMED, or SIGNATURE_FORMAT_UNSUPPORTED for a format that is well formed but not
    OpenSSF Model Signing v1.0 with a key or certificate.
    """
    value = parse_json(text, rule=_RULE, what=what, maximum_bytes=MAXIMUM_BYTES)
    top = Members.of(value, where=what, rule=_RULE, known={"mediaType", "verificationMaterial", "dsseEnvelope"})
    top.require("mediaType", MEDIA_TYPE)
    dsse = top.object("dsseEnvelope", known={"payload", "payloadType", "signatures"})
    dsse.require("payloadType", PAYLOAD_TYPE)
    signature = dsse.only_object("signatures", known={"sig", "keyid"})
    if signature.values.get("keyid", "") != "":
        raise signature.refusal("keyid", "empty")
    material = top.object(
        "verificationMaterial", known={"publicKey", "x509CertificateChain", "certificate", "tlogEntries"}
    )
    key_hint, certificates = _parse_material(material)
    _check_canonical(text, value, what=what)
    return Envelope(
        payload=_decode(dsse, "payload"),
        signature=_decode(signature, "sig"),
        key_hint=key_hint,
        certificates=certificates,
    )


def render_envelope(envelope: Envelope) -> bytes:
    """The signature file for an envelope, as the public tool writes it."""
    if envelope.certificates:
        chain = [{"rawBytes": _encode(certificate)} for certificate in envelope.certificates]
        material: dict[str, object] = {"x509CertificateChain": {"certificates": chain}}
    else:
        material = {"publicKey": {"hint": envelope.key_hint}}
    document = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {**material, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _encode(envelope.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _encode(envelope.signature), "keyid": ""}],
        },
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _check_canonical(text: bytes, value: object, *, what: str) -> None:
    """Called once every member is known, which also bounds how deep the document goes."""
    renderings = (json.dumps(value, separators=(",", ":")), json.dumps(value), json.dumps(value, indent=2))
    if not any(text == rendering.encode("ascii") for rendering in renderings):
        raise TrustError(rule=_RULE, detail=f"{what}: JSON that is not written the way a JSON writer writes it")


def _parse_material(material: Members) -> tuple[str, tuple[bytes, ...]]:
    if material.values.get("tlogEntries", []) != []:
        raise TrustError(
            rule=TrustRule.SIGNATURE_FORMAT_UNSUPPORTED,
            detail=f"{material.where} has transparency-log entries; sign with a key or a certificate",
        )
    kinds = set(material.values) - {"tlogEntries"}
    if len(kinds) != 1:
        raise TrustError(rule=_RULE, detail=f"{material.where} must name exactly one key or certificate chain")
    kind = kinds.pop()
    if kind == "publicKey":
        key = material.object(kind, known={"hint"})
        return key.text("hint") if key.values else "", ()
    if kind == "certificate":
        return "", (_decode(material.object(kind, known={"rawBytes"}), "rawBytes"),)
    return "", _parse_chain(material.object(kind, known={"certificates"}))


def _parse_chain(chain: Members) -> tuple[bytes, ...]:
    certificates = chain.list("certificates")
    if not 1 <= len(certificates) <= MAXIMUM_CERTIFICATES:
        raise TrustError(rule=_RULE, detail=f"{chain.where} must hold 1 to {MAXIMUM_CERTIFICATES} certificates")
    members = (
        Members.of(value, where=f"{chain.where}[{place}]", rule=_RULE, known={"rawBytes"})
        for place, value in enumerate(certificates)
    )
    return tuple(_decode(member, "rawBytes") for member in members)


def _decode(members: Members, key: str) -> bytes:
    return decode_base64(members.text(key), rule=_RULE, what=f"{members.where}.{key}")


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
