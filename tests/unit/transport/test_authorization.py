from collections.abc import Mapping, Sequence
from itertools import product

import pytest

import stepdown.transport.listener as listener_module
from stepdown.domain.errors import ConfigurationError
from stepdown.transport.authorization import METHOD_ROLES, Authorization, CallDeniedError, Role, methods_of

AUTHORIZATION = Authorization(trust_domain="stepdown.demo", dns_roles={"gateway.example": frozenset({Role.ASSESSOR})})
ASSESS = "/stepdown.api.v1.AssessmentService/AssessRisk"
LIST = "/stepdown.api.v1.OperationsService/ListTiers"

# Written out a second time, as the safety officer would read it: who may do what.
CHANGING = {
    "/stepdown.api.v1.OperationsService/ActivateBundle",
    "/stepdown.api.v1.OperationsService/RollbackBundle",
    "/stepdown.api.v1.OperationsService/DisableTier",
    "/stepdown.api.v1.OperationsService/EnableTier",
    "/stepdown.api.v1.OperationsService/InjectFault",
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
    "/inference.GRPCInferenceService/TraceSetting",
    "/inference.GRPCInferenceService/LogSettings",
    "/inference.GRPCInferenceService/SystemSharedMemoryRegister",
    "/inference.GRPCInferenceService/SystemSharedMemoryUnregister",
    "/inference.GRPCInferenceService/CudaSharedMemoryRegister",
    "/inference.GRPCInferenceService/CudaSharedMemoryUnregister",
}
READING = {
    f"/stepdown.api.v1.ProvenanceService/{method}"
    for method in ("GetRecord", "ListRecords", "GetCheckpoint", "GetInclusionProof", "GetConsistencyProof")
}
ASSESSING = {
    "/stepdown.api.v1.AssessmentService/AssessRisk",
    "/stepdown.api.v1.AssessmentService/BatchAssessRisk",
    "/stepdown.api.v1.AssessmentService/StreamAssessRisk",
    "/stepdown.api.v1.AssessmentService/RecordOutcome",
    "/inference.GRPCInferenceService/ModelInfer",
    "/inference.GRPCInferenceService/ModelStreamInfer",
}


def properties(**changed: Sequence[bytes]) -> Mapping[str, Sequence[bytes]]:
    """What gRPC says of a good assessor's connection, but for what is named."""
    good = {"ssl_tls_version": [b"TLSv1.3"], "peer_uri": [b"spiffe://stepdown.demo/assessor/ehr"]}
    return {**good, **changed}


def decision(method: str, context: Mapping[str, Sequence[bytes]]) -> str:
    """permitted, denied or unknown."""
    try:
        AUTHORIZATION.permit(method, context)
    except CallDeniedError as error:
        return "denied" if error.authenticated else "unknown"
    return "permitted"


@pytest.mark.parametrize(("method", "role"), tuple(product(METHOD_ROLES, Role)))
def test_each_method_is_open_to_the_roles_that_it_is_meant_for_and_to_no_other(method: str, role: Role) -> None:
    context = properties(peer_uri=[f"spiffe://stepdown.demo/{role}/someone".encode()])
    if method in ASSESSING:
        meant = role is Role.ASSESSOR
    elif method in CHANGING:
        meant = role is Role.OPERATOR
    elif method in READING:
        meant = role is Role.AUDITOR
    else:
        meant = True
    assert decision(method, context) == ("permitted" if meant else "denied")


@pytest.mark.parametrize("method", ["", "/", "/stepdown.api.v1.AssessmentService/Unheard", ASSESS.lower(), ASSESS[1:]])
def test_a_method_that_the_table_does_not_hold_is_open_to_nobody(method: str) -> None:
    assert decision(method, properties()) == "denied"


def test_the_caller_is_named_by_its_spiffe_id() -> None:
    caller = AUTHORIZATION.permit(ASSESS, properties())
    assert (caller.name, caller.roles) == ("spiffe://stepdown.demo/assessor/ehr", frozenset({Role.ASSESSOR}))


@pytest.mark.parametrize("version", [[], [b"TLSv1.2"], [b"TLSv1.3", b"TLSv1.2"], [b"tlsv1.3"]])
def test_nobody_is_believed_below_tls_1_3(version: Sequence[bytes]) -> None:
    assert decision(LIST, properties(ssl_tls_version=version)) == "unknown"


@pytest.mark.parametrize(
    "uris",
    [
        [b"spiffe://stepdown.demo/assessor/a", b"spiffe://stepdown.demo/operator/a"],
        [b"spiffe://other.example/assessor/ehr"],
        [b"spiffe://stepdown.demo.evil.example/assessor/ehr"],
        [b"https://stepdown.demo/assessor/ehr"],
        [b"spiffe://stepdown.demo"],
        ["spiffe://stepdown.demo/assessor/é".encode()],
        [b"spiffe://stepdown.demo/assessor/a\nforged log line"],
        [b"spiffe://stepdown.demo/assessor/" + b"x" * 600],
    ],
)
def test_what_is_not_exactly_one_spiffe_id_of_the_trust_domain_is_nobody(uris: Sequence[bytes]) -> None:
    assert decision(LIST, properties(peer_uri=uris)) == "unknown"


@pytest.mark.parametrize(
    "path", ["assessor", "assessor/", "Assessor/x", "operator-x/y", "root/x", "/assessor/x", "x/assessor/y"]
)
def test_a_spiffe_id_without_a_known_role_is_somebody_who_may_do_nothing(path: str) -> None:
    assert decision(LIST, properties(peer_uri=[f"spiffe://stepdown.demo/{path}".encode()])) == "denied"


def test_a_dns_name_has_the_roles_that_it_was_given() -> None:
    context = {"ssl_tls_version": [b"TLSv1.3"], "peer_dns": [b"other.example", b"gateway.example"]}
    assert decision(ASSESS, context) == "permitted"
    assert AUTHORIZATION.permit(ASSESS, context).name == "dns:other.example"
    assert decision(LIST, context) == "permitted"
    assert decision("/stepdown.api.v1.OperationsService/DisableTier", context) == "denied"


def test_a_dns_name_that_was_given_nothing_may_do_nothing() -> None:
    context = {"ssl_tls_version": [b"TLSv1.3"], "peer_dns": [b"other.example"]}
    assert decision(LIST, context) == "denied"


def test_a_dns_name_never_makes_up_for_a_bad_spiffe_id() -> None:
    context = properties(peer_uri=[b"spiffe://other.example/assessor/x"], peer_dns=[b"gateway.example"])
    assert decision(ASSESS, context) == "unknown"


def test_a_common_name_is_nobody() -> None:
    context = {"ssl_tls_version": [b"TLSv1.3"], "x509_common_name": [b"gateway.example"]}
    assert decision(LIST, context) == "unknown"


def test_a_denial_says_nothing_and_keeps_the_callers_name_for_the_log() -> None:
    with pytest.raises(CallDeniedError) as caught:
        AUTHORIZATION.permit("/stepdown.api.v1.OperationsService/DisableTier", properties())
    assert str(caught.value) == "permission denied"
    assert caught.value.caller == "spiffe://stepdown.demo/assessor/ehr"


def test_every_method_of_every_own_service_has_a_role() -> None:
    AUTHORIZATION.require_cover((*listener_module.OWN_SERVICES, *listener_module.PROTOCOL_SERVICES))


def test_a_served_method_without_a_role_is_a_configuration_error_that_names_it() -> None:
    uncovered = Authorization(trust_domain="x", method_roles={ASSESS: frozenset({Role.ASSESSOR})})
    with pytest.raises(ConfigurationError) as caught:
        uncovered.require_cover(["stepdown.api.v1.AssessmentService"])
    assert caught.value.problems == (
        "/stepdown.api.v1.AssessmentService/BatchAssessRisk is served but no role may call it",
        "/stepdown.api.v1.AssessmentService/StreamAssessRisk is served but no role may call it",
        "/stepdown.api.v1.AssessmentService/RecordOutcome is served but no role may call it",
    )


def test_the_table_holds_no_method_that_nobody_declares() -> None:
    import stepdown.api.oip.open_inference_pb2  # noqa: PLC0415  # these declare their services to protobuf
    import stepdown.api.v1.provenance_service_pb2  # noqa: F401, PLC0415

    services = {method.split("/")[1] for method in METHOD_ROLES}
    assert {method for service in services for method in methods_of(service)} == set(METHOD_ROLES)
