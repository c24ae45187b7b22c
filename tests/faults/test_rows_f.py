"""Integrity and security: what was not signed is not loaded, what was checked is what runs, and who may do what."""

import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from stepdown.adapters.bundle_directory import BundleDirectory
from stepdown.adapters.certificates import ensure_demo_pki
from stepdown.adapters.trust_policy import read_trust_policy
from stepdown.api.v1.operations_service_pb2 import DisableTierRequest
from stepdown.api.v1.operations_service_pb2_grpc import OperationsServiceStub
from stepdown.client import AssessmentError
from stepdown.domain.errors import TrustError
from stepdown.domain.reasons import Reason
from stepdown.domain.tiers import ExecutionProvider
from stepdown.serving.activation import Activation, TierOrder
from stepdown.serving.engine.policy import TierSpec
from stepdown.trust.policy import TrustPolicy
from stepdown.trust.signing import sign_files
from stepdown.trust.verification import verify_bundle
from tests.fakes.bundles import LOOKUP, TABLE, bundle, with_model
from tests.faults.living_chain import CPU, WARD, LivingChain, model_tier, pathway
from tests.faults.load import Load, requests
from tests.faults.running_server import ROOT, RunningServer, running_server
from tests.faults.test_rows_e import rules_alone
from tests.unit.trust import samples

DISTILLED = Path("sepsis-distilled/1.0.0")
TRUST = ROOT / "deploy" / "demo" / "trust.toml"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A copy of the signed models on disk."""
    folder = tmp_path / "models"
    for name in ("sepsis-distilled", "sepsis-full"):
        shutil.copytree(ROOT / "models" / name, folder / name)
    return folder


def activation(shelf: Path, *, policy: TrustPolicy | None = None) -> Activation:
    by = policy or read_trust_policy(TRUST).policy
    return Activation(source=BundleDirectory(roots=(shelf,)), policy=by, now_s=time.time())


def tier(shelf: Path, name: str, *, policy: TrustPolicy | None = None) -> TierSpec:
    """The first tier of a chain, from a bundle on disk."""
    order = TierOrder(name="full", bundle=name, version="", execution_providers=(ExecutionProvider.CPU,))
    described = activation(shelf, policy=policy).tier(order)
    return TierSpec(
        name="full",
        bundle=described.bundle,
        execution_providers=(CPU,),
        refusal=described.refusal,
        refusal_detail=described.refusal_detail,
    )


def flip_a_byte(shelf: Path) -> None:
    model = shelf / DISTILLED / "model.onnx"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)


def swap_two_files(shelf: Path) -> None:
    one, other = shelf / DISTILLED / "model.onnx", shelf / DISTILLED / "known_answers.npz"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@pytest.mark.parametrize("meddle", [flip_a_byte, swap_two_files])
def test_f1_a_bundle_that_is_not_the_one_signed_never_serves_and_the_chain_goes_on(
    shelf: Path, tmp_path: Path, meddle: object
) -> None:
    assert callable(meddle)
    meddle(shelf)
    with LivingChain(tmp_path, pathway(WARD, tier(shelf, "sepsis-distilled"), model_tier("distilled", CPU))) as chain:
        chain.until_capable("DEGRADED")
        question = chain.until_answered_by("distilled")
        assert question.degradation("full").reason is Reason.SIGNATURE_INVALID
        assert "FILE_" in question.degradation("full").detail
        assert chain.spawns("full") == []


def test_f2_a_renamed_or_an_older_signed_bundle_is_refused(shelf: Path) -> None:
    floor = TRUST.read_text().replace('minimum_version = "1.0.0"', 'minimum_version = "1.0.1"')
    newer = shelf / "trust.toml"
    newer.write_text(floor)
    shutil.copytree(TRUST.parent / "keys", shelf / "keys")
    refused = tier(shelf, "sepsis-distilled", policy=read_trust_policy(newer).policy)
    assert (refused.bundle, "VERSION_TOO_LOW" in refused.refusal_detail) == (None, True)
    shutil.rmtree(shelf / "sepsis-full")
    (shelf / "sepsis-distilled").rename(shelf / "sepsis-full")
    refused = tier(shelf, "sepsis-full")
    assert (refused.bundle, "NAME_MISMATCH" in refused.refusal_detail) == (None, True)


def test_f3_files_swapped_after_the_check_change_nothing_of_what_is_loaded(shelf: Path, tmp_path: Path) -> None:
    checked = tier(shelf, "sepsis-distilled")
    assert checked.bundle is not None
    for file in (shelf / DISTILLED).rglob("*"):
        if file.is_file():
            file.write_bytes(b"something else")
    with LivingChain(tmp_path, pathway(WARD, checked), real=True) as chain:
        chain.until_capable()
        shown = chain.status("full").bundle
        assert shown is not None
        assert shown.sha256 == checked.bundle.sha256


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/hostname", "weights/../../weights.bin"])
def test_f4_weights_outside_the_bundle_are_refused_before_any_library_sees_them(location: str) -> None:
    contents = samples.model_contents()
    contents["manifest.toml"] = contents["manifest.toml"].replace(b"weights/w.bin", location.encode())
    with pytest.raises(TrustError) as refused:
        verify_bundle(
            "sepsis-full",
            "1.0.0",
            samples.signed(contents),
            samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER),
            samples.NOW_S,
        )
    assert refused.value.rule in {"MANIFEST_INVALID", "FILE_NAME_UNSAFE"}


def test_f4_a_graph_that_reaches_out_of_the_bundle_finds_nothing(tmp_path: Path) -> None:
    undeclared = with_model(bundle(LOOKUP, external="../weights.bin"), external_data=())
    reaching = LivingChain(tmp_path, pathway(WARD, model_tier("full", CPU, loads=undeclared)), real=True)
    bait = reaching.pool._folder.path.parent / "weights.bin"  # noqa: SLF001 - what stands beside a worker's folder
    bait.write_bytes(TABLE.tobytes())
    try:
        with reaching as chain:
            chain.until(lambda: chain.faults("full"))
            assert chain.faults("full")[0].reason is Reason.EXECUTION_FAILED
            assert chain.status("full").answers == 0
    finally:
        bait.unlink()


def test_f5_names_that_climb_out_of_the_bundle_are_refused_wherever_they_stand() -> None:
    by = samples.policy(samples.TRAINER, samples.ANY_BY_TRAINER)
    files = samples.signed(samples.rules_contents()) | {"../evil.sh": b"#!"}
    with pytest.raises(TrustError) as refused:
        verify_bundle("news2", "1.2.0", files, by, samples.NOW_S)
    assert refused.value.rule == "FILE_NAME_UNSAFE"
    with pytest.raises(TrustError) as refused:
        samples.signed(samples.rules_contents() | {"../evil.sh": b"#!"})
    assert refused.value.rule == "FILE_NAME_UNSAFE"


def test_f6_verification_asks_no_network_and_blames_the_clock_by_name(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object, **__: object) -> None:
        raise OSError("the network is not there")

    for call in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, call, cut_off)
    monkeypatch.setattr(socket, "getaddrinfo", cut_off)
    assert activation(shelf).verified("sepsis-distilled").signers

    root = samples.authority()
    certified = samples.leaf(root)
    contents = samples.rules_contents()
    signature = sign_files(contents, certified.key, certificates=(certified.certificate,))
    files = contents | {"signatures/safety.sig": signature}
    by = samples.policy(samples.SAFETY, samples.ANY_BY_SAFETY, roots=[root.certificate])
    year_s = 365 * samples.DAY.total_seconds()
    assert verify_bundle("news2", "1.2.0", files, by, samples.NOW_S).signers
    for now_s, rule in (
        (samples.NOW_S - year_s, "CERTIFICATE_NOT_YET_VALID"),
        (samples.NOW_S + year_s, "CERTIFICATE_EXPIRED"),
    ):
        with pytest.raises(TrustError) as refused:
            verify_bundle("news2", "1.2.0", files, by, now_s)
        assert refused.value.rule == rule


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(rules_alone) as server:
        yield server


def served_certificate(server: RunningServer) -> bytes:
    """What a new handshake is shown."""
    credentials = server.credentials()
    context = ssl.create_default_context(cafile=str(credentials.ca))
    context.load_cert_chain(credentials.certificate, credentials.key)
    context.check_hostname = False
    host, port = server.ready["grpc"].split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def test_f7_certificates_are_renewed_under_load_without_a_call_lost(server: RunningServer) -> None:
    before = served_certificate(server)
    folder = server.folder / "certificates"
    with Load(server, timeout_s=5.0) as load:
        renewed_s = time.monotonic()
        (folder / "server.pem").unlink()
        ensure_demo_pki(folder)
        server.until(lambda: served_certificate(server) != before)
        server.until(lambda: load.since(renewed_s)["rules"] > 20)
    assert load.failures == []
    with server.client() as client:
        client.assess(next(requests(1)), timeout_s=10)


def test_f8_a_role_opens_its_own_methods_and_no_others(server: RunningServer) -> None:
    with server.credentials("client").channel([server.ready["grpc"]]) as channel:
        operations = OperationsServiceStub(channel)
        request = DisableTierRequest(pathway="sepsis-early-warning", tier="rules", detail="not mine to order")
        with pytest.raises(grpc.RpcError) as denied:
            operations.DisableTier(request, timeout=10)
        assert getattr(denied.value, "code", lambda: None)() is grpc.StatusCode.PERMISSION_DENIED
    with server.client("operator") as operator, pytest.raises(AssessmentError) as refused:
        operator.assess(next(requests(1)), timeout_s=10)
    assert refused.value.code == "PERMISSION_DENIED"
    assert server.tier("rules")["state"] == "SERVING"
