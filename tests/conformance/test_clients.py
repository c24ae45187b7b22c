"""Clients as hospitals write them: from the README, by reflection alone, and those that must not get in."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from stepdown.client import AssessmentClient, AssessmentError, Credentials, Encounter
from stepdown.trust.issuance import Credential, issue_authority, issue_client, load_credential
from tests.conformance.running_demo import RunningDemo, running_demo

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86_400.0
ASSESSOR = "spiffe://stepdown.demo/assessor/test"
ASSESS = "/stepdown.api.v1.AssessmentService/AssessRisk"


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with running_demo() as running:
        yield running


def readme_example() -> str:
    """The Python of the README. There is one block of it."""
    (block,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


# --- the README -------------------------------------------------------------------------------------------------------


def test_the_readmes_example_is_as_short_as_it_says() -> None:
    lines = [line for line in readme_example().splitlines() if line.strip()]
    assert len(lines) <= 15


def test_the_readmes_example_runs_as_it_stands(demo: RunningDemo, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(readme_example(), encoding="utf-8")
    ended = demo.python(str(script))
    assert ended.returncode == 0, ended.stderr
    shown = re.fullmatch(
        r"AnswerSummary\(band='(\w+)', .*tier='(\w+)', .*sha256='([0-9a-f]{64})', .*\)\n", ended.stdout
    )
    assert shown is not None, ended.stdout
    assert shown[1] == "HIGH"
    assert shown[2] in {"full", "distilled", "rules"}


@pytest.mark.parametrize(
    "typed",
    [
        ("assess", "--record", str(ROOT / "deploy/demo/stays/septic.psv"), "--pause", "0", "--timeout", "10", "--json"),
        ("card", "news2", "--json"),
    ],
    ids=lambda typed: typed[0],
)
def test_commands_find_the_running_demo_by_themselves(demo: RunningDemo, typed: tuple[str, ...]) -> None:
    ended = demo.python("-m", "stepdown", *typed)
    assert ended.returncode == 0, ended.stderr
    json.loads(ended.stdout if typed[0] == "card" else ended.stdout.splitlines()[-1])


# --- reflection -------------------------------------------------------------------------------------------------------


def credentials(demo: RunningDemo, shown: Credential | None = None) -> grpc.ChannelCredentials:
    """What a channel of the public library is given; the demo's own client unless another is shown."""
    certificate, key = Path(demo.ready["client_cert"]).read_bytes(), Path(demo.ready["client_key"]).read_bytes()
    if shown is not None:
        certificate, key = shown.certificate_pem, shown.private_key_pem
    return grpc.ssl_channel_credentials(Path(demo.ready["ca"]).read_bytes(), key, certificate)


@pytest.fixture
def channel(demo: RunningDemo) -> Iterator[grpc.Channel]:
    with grpc.secure_channel(demo.ready["grpc"], credentials(demo)) as opened:
        yield opened


def test_every_service_can_be_listed(channel: grpc.Channel) -> None:
    assert set(ProtoReflectionDescriptorDatabase(channel).get_services()) >= {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "inference.GRPCInferenceService",
        "stepdown.api.v1.AssessmentService",
        "stepdown.api.v1.CatalogService",
        "stepdown.api.v1.OperationsService",
    }


def test_a_client_without_generated_code_can_ask_and_read_the_answer(channel: grpc.Channel) -> None:
    """As grpcurl does: the types are the server's, the request is JSON."""
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    method = pool.FindServiceByName("stepdown.api.v1.AssessmentService").FindMethodByName("AssessRisk")
    request_type, response_type = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    now = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
    vitals = (("9279-1", 16, "/min"), ("59408-5", 98, "%"), ("8480-6", 120, "mm[Hg]"), ("8867-4", 75, "/min"))
    asked = {
        "request_id": "reflection-1",
        "pathway": "sepsis-early-warning",
        "subject_token": "4f1c2a9e77d04d2c9b1e",
        "encounter_token": "8d3b0c6e51f2aa90",
        "as_of_time": now,
        "indication": {"age_years": 64, "sex": "SEX_FEMALE"},
        "observations": [
            {"code_system": "http://loinc.org", "code": code, "value": value, "unit": unit, "effective_time": now}
            for code, value, unit in vitals
        ],
    }
    call = channel.unary_unary(
        ASSESS, request_serializer=request_type.SerializeToString, response_deserializer=response_type.FromString
    )
    answer = json_format.MessageToDict(call(json_format.ParseDict(asked, request_type()), timeout=10))["assessment"]
    assert answer["requestId"] == "reflection-1"
    assert answer["answeredBy"]["bundle"]["signers"] == ["demo-signer"]
    assert [used["channel"] for used in answer["inputsUsed"]] == ["HR", "O2Sat", "SBP", "Resp"]
    assert "subject" not in json.dumps(answer)


# --- who must not get in ----------------------------------------------------------------------------------------------


def turned_away(channel: grpc.Channel) -> grpc.StatusCode:
    """How a call ends that may not begin."""
    call: Callable[..., bytes] = channel.unary_unary(ASSESS)
    with pytest.raises(grpc.RpcError) as refused:
        call(b"", timeout=10)
    error: Any = refused.value
    return grpc.StatusCode(error.code())


def authority(demo: RunningDemo) -> Credential:
    """The authority of the demo, which a test may use to issue what it should not."""
    return load_credential(
        (demo.folder / "ca.pem").read_bytes(), (demo.folder / "ca.key.pem").read_bytes(), what="authority"
    )


def issued(issuer: Credential, *, identity: str = ASSESSOR, age_s: float = 0.0) -> Credential:
    return issue_client(issuer, identity=identity, now_s=time.time() - age_s, valid_s=DAY_S)


def test_a_certificate_of_the_sites_own_authority_gets_in(demo: RunningDemo) -> None:
    with grpc.secure_channel(demo.ready["grpc"], credentials(demo, issued(authority(demo)))) as opened:
        assert turned_away(opened) is grpc.StatusCode.NOT_FOUND  # let in: what is refused is that it names no pathway


def test_a_channel_without_a_certificate_is_refused(demo: RunningDemo) -> None:
    nameless = grpc.ssl_channel_credentials(Path(demo.ready["ca"]).read_bytes())
    with grpc.secure_channel(demo.ready["grpc"], nameless) as opened:
        assert turned_away(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_channel_without_tls_is_refused(demo: RunningDemo) -> None:
    with grpc.insecure_channel(demo.ready["grpc"]) as opened:
        assert turned_away(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_another_authority_is_refused_even_one_of_the_same_name(demo: RunningDemo) -> None:
    impostor = issue_authority("Stepdown demo authority", now_s=time.time(), valid_s=DAY_S)
    with grpc.secure_channel(demo.ready["grpc"], credentials(demo, issued(impostor))) as opened:
        assert turned_away(opened) is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_that_has_expired_is_refused(demo: RunningDemo) -> None:
    expired = issued(authority(demo), age_s=2 * DAY_S)
    with grpc.secure_channel(demo.ready["grpc"], credentials(demo, expired)) as opened:
        assert turned_away(opened) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ("spiffe://stepdown.demo/viewer/test", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://stepdown.demo/operator/test", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://stepdown.demo/administrator/test", grpc.StatusCode.PERMISSION_DENIED),
        ("spiffe://another.domain/assessor/test", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_a_certificate_without_the_role_is_denied_and_told_nothing(
    demo: RunningDemo, identity: str, code: grpc.StatusCode
) -> None:
    shown = issued(authority(demo), identity=identity)
    with grpc.secure_channel(demo.ready["grpc"], credentials(demo, shown)) as opened:
        assert turned_away(opened) is code


@pytest.mark.parametrize(
    ("version", "gets_in"), [(ssl.TLSVersion.TLSv1_2, False), (ssl.TLSVersion.TLSv1_3, True)], ids=["1.2", "1.3"]
)
def test_tls_below_1_3_is_refused_even_with_the_right_certificate(
    demo: RunningDemo, version: ssl.TLSVersion, *, gets_in: bool
) -> None:
    context = ssl.create_default_context(cafile=demo.ready["ca"])
    context.load_cert_chain(demo.ready["client_cert"], demo.ready["client_key"])
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    host, _, port = demo.ready["grpc"].rpartition(":")
    try:
        with (
            socket.create_connection((host, int(port)), 10) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            # Under TLS 1.3 a server may refuse the client after the handshake; its first frame says that it did not.
            spoken = bool(secured.recv(1))
    except (ssl.SSLError, ConnectionResetError):
        spoken = False
    assert spoken is gets_in


def test_a_client_does_not_talk_to_a_server_of_another_authority(demo: RunningDemo, tmp_path: Path) -> None:
    other = tmp_path / "other-ca.pem"
    other.write_bytes(issue_authority("Another authority", now_s=time.time(), valid_s=DAY_S).certificate_pem)
    wary = Credentials(ca=other, certificate=Path(demo.ready["client_cert"]), key=Path(demo.ready["client_key"]))
    with AssessmentClient(demo.ready["grpc"], wary) as client, pytest.raises(AssessmentError) as refused:
        client.assess(Encounter(age_years=71).request(), timeout_s=10.0)
    assert (refused.value.code, refused.value.reason) == ("UNAVAILABLE", "")
