"""Bundles: what a manifest says, and the verified bundle that alone can be loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stepdown.domain.provenance import Provenance


class BundleKind(StrEnum):
    """What a bundle holds."""

    ONNX = "onnx"
    RULES = "rules"


class TierRole(StrEnum):
    """The place in a chain a bundle was made for."""

    FULL = "full"
    DISTILLED = "distilled"
    RULES = "rules"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One graph input or output. `shape[0]` is -1 (the batch). `minimum`/`maximum` bound a valid output."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSemantics:
    """What the score output means; numbers are never compared across different semantics."""

    output: str
    outcome: str
    horizon_h: float
    population: str
    calibration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BandThresholds:
    """Lowest probability of each band; below `low_medium` is LOW. Strictly rising."""

    low_medium: float
    medium: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCheckPolicy:
    """Structured checks computed in the graph: flagged from `flag_at`, unsuitable for this tier from `refuse_at`."""

    output: str
    flag_at: float
    refuse_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """The ONNX part of a manifest. File names are relative to the bundle."""

    file: str
    external_data: tuple[str, ...]
    maximum_batch: int
    minimum_placement_share: float
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    score: ScoreSemantics | None = None
    thresholds: BandThresholds | None = None
    input_checks: InputCheckPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`manifest.toml`, checked. Exactly one of `model` and `rules_file` is set, by `kind`."""

    name: str
    version: str
    kind: BundleKind
    tier_role: TierRole
    minimum_server_version: str
    parent_version: str
    description: str
    model: ModelSpec | None = None
    rules_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReference:
    """A certificate by what a denylist can call it.

    `issuer` is its issuer's name (RFC 4514), `serial` its number in lower-case hex, `key_id` the sha256 of its key.
    """

    issuer: str
    serial: str
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerIdentity:
    """Who signed.

    `key_id` is the sha256 of the public key (SubjectPublicKeyInfo, hex); `name` what the policy calls the signer. Where
    a certificate vouched: `identities` are the names in it, `path` the certificates from it up to the root.
    """

    key_id: str
    name: str
    identities: frozenset[str] = frozenset()
    path: tuple[CertificateReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleIdentity:
    """What an answer says about the bundle it came from.

    `sha256` is the hex digest over the bundle's sorted (name, digest) list.
    """

    name: str
    version: str
    sha256: str
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBundle:
    """The only object that can be loaded.

    Holds the very bytes that were checked; made by `trust.verification` alone. Its provenance is of what it runs.
    """

    manifest: Manifest
    files: Mapping[str, bytes] = field(repr=False)
    signers: tuple[SignerIdentity, ...]
    sha256: str
    provenance: Provenance | None = field(default=None, repr=False)

    @property
    def identity(self) -> BundleIdentity:
        """Name, version, digest and signer names, as answers carry them."""
        return BundleIdentity(
            name=self.manifest.name,
            version=self.manifest.version,
            sha256=self.sha256,
            signers=tuple(dict.fromkeys(signer.name for signer in self.signers)),
        )
