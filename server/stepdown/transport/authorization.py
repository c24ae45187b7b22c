"""Who may call what: a table, and no way in that it does not hold.

A caller is its certificate's SPIFFE id, or failing that its DNS name; never its common name, which anyone may claim
(RFC 9110 section 4.3.4 forbids it for names, and so do we for roles). A SPIFFE id holds its role as its first segment:
`spiffe://<trust domain>/<role>/<name>`. Refuses to say what was missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from google.protobuf import descriptor_pool

from stepdown.domain.errors import ConfigurationError, StepdownError

TLS_VERSION = "TLSv1.3"
MAXIMUM_IDENTITY = 512
_SPIFFE = "spiffe://"


class Role(StrEnum):
    """What a caller may do. Roles do not contain one another: a caller has those that it was given."""

    ASSESSOR = "assessor"
    VIEWER = "viewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


_ANYONE = frozenset(Role)
_ASSESSORS = frozenset({Role.ASSESSOR})
_OPERATORS = frozenset({Role.OPERATOR})
_AUDITORS = frozenset({Role.AUDITOR})


def _of(service: str, roles: frozenset[Role], *methods: str) -> dict[str, frozenset[Role]]:
    return {f"/{service}/{method}": roles for method in methods}


METHOD_ROLES: Mapping[str, frozenset[Role]] = MappingProxyType(
    _of("stepdown.api.v1.AssessmentService", _ASSESSORS, "AssessRisk", "BatchAssessRisk", "StreamAssessRisk")
    | _of("stepdown.api.v1.AssessmentService", _ASSESSORS, "RecordOutcome")
    | _of("stepdown.api.v1.CatalogService", _ANYONE, "ListPathways", "GetPathway", "GetModelCard")
    | _of("stepdown.api.v1.OperationsService", _ANYONE, "ListTiers", "WatchTiers")
    | _of("stepdown.api.v1.OperationsService", _OPERATORS, "DisableTier", "EnableTier", "InjectFault")
    | _of("stepdown.api.v1.OperationsService", _OPERATORS, "ActivateBundle", "RollbackBundle")
    | _of("stepdown.api.v1.ProvenanceService", _AUDITORS, "GetRecord", "ListRecords", "GetCheckpoint")
    | _of("stepdown.api.v1.ProvenanceService", _AUDITORS, "GetInclusionProof", "GetConsistencyProof")
    | _of("grpc.health.v1.Health", _ANYONE, "Check", "List", "Watch")
    | _of("grpc.reflection.v1alpha.ServerReflection", _ANYONE, "ServerReflectionInfo")
    | _of("inference.GRPCInferenceService", _ASSESSORS, "ModelInfer", "ModelStreamInfer")
    | _of(
        "inference.GRPCInferenceService",
        _ANYONE,
        *("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata"),
        *("ModelConfig", "ModelStatistics", "RepositoryIndex"),
        *("SystemSharedMemoryStatus", "CudaSharedMemoryStatus"),
    )
    | _of(
        "inference.GRPCInferenceService",
        _OPERATORS,
        *("RepositoryModelLoad", "RepositoryModelUnload", "TraceSetting", "LogSettings"),
        *("SystemSharedMemoryRegister", "SystemSharedMemoryUnregister"),
        *("CudaSharedMemoryRegister", "CudaSharedMemoryUnregister"),
    )
)
"""Which roles may call a method, by its full path. What is not here is called by nobody."""


class CallDeniedError(StepdownError):
    """The call may not go on. The caller is told no more than that; `caller` is for the log, empty if unknown."""

    def __init__(self, *, authenticated: bool, caller: str = "") -> None:
        super().__init__("permission denied" if authenticated else "unauthenticated")
        self.authenticated = authenticated
        self.caller = caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls: `name` is the SPIFFE id or `dns:<name>`, fit for a log."""

    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The decision. `trust_domain` is the only one whose SPIFFE ids count; `dns_roles` gives roles to DNS names."""

    trust_domain: str
    dns_roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    method_roles: Mapping[str, frozenset[Role]] = field(default_factory=lambda: METHOD_ROLES)

    def permit(self, method: str, auth_context: Mapping[str, Sequence[bytes]]) -> Caller:
        """Let the call in. Raises: CallDeniedError, for want of an identity that can be believed, or of a role."""
        caller = self._caller(auth_context) if _texts(auth_context, "ssl_tls_version") == (TLS_VERSION,) else None
        if caller is None:
            raise CallDeniedError(authenticated=False)
        if not caller.roles & self.method_roles.get(method, frozenset()):
            raise CallDeniedError(authenticated=True, caller=caller.name)
        return caller

    def require_cover(self, services: Iterable[str]) -> None:
        """Every method of the services stands in the table. Raises: ConfigurationError naming those that do not."""
        missing = [method for service in services for method in methods_of(service) if method not in self.method_roles]
        if missing:
            raise ConfigurationError(tuple(f"{method} is served but no role may call it" for method in missing))

    def _caller(self, auth_context: Mapping[str, Sequence[bytes]]) -> Caller | None:
        """From the certificate's alternative names. Two SPIFFE ids are no identity (SPIFFE X.509-SVID section 2)."""
        uris = _texts(auth_context, "peer_uri")
        if uris:
            return self._spiffe_caller(uris[0]) if len(uris) == 1 else None
        names = _texts(auth_context, "peer_dns")
        if not names:
            return None
        roles = frozenset(role for name in names for role in self.dns_roles.get(name, ()))
        return Caller(name=f"dns:{names[0]}", roles=roles)

    def _spiffe_caller(self, uri: str) -> Caller | None:
        if not uri.startswith(f"{_SPIFFE}{self.trust_domain}/"):
            return None
        role, _, name = uri.removeprefix(f"{_SPIFFE}{self.trust_domain}/").partition("/")
        roles = frozenset({Role(role)}) if name and role in set(Role) else frozenset()
        return Caller(name=uri, roles=roles)


def methods_of(service: str) -> tuple[str, ...]:
    """The full path of every method of a service. Raises: KeyError if no generated code declares the service."""
    declared = descriptor_pool.Default().FindServiceByName(service)
    return tuple(f"/{service}/{method.name}" for method in declared.methods)


def _texts(auth_context: Mapping[str, Sequence[bytes]], key: str) -> tuple[str, ...]:
    """The property's values as text; one that is too long or not printable ASCII makes them none at all."""
    values = tuple(auth_context.get(key, ()))
    if any(len(value) > MAXIMUM_IDENTITY or not value.isascii() for value in values):
        return ()
    texts = tuple(value.decode("ascii") for value in values)
    return texts if all(text.isprintable() for text in texts) else ()
